# SPDX-License-Identifier: Apache-2.0
"""One container of the soak as the model has it: what was asked for, and what must be true of it."""
import json
import os
import threading

import journal
from lib import host

MEBIBYTE = 1 << 20
ABSENT, CREATED, UP, DOWN = "absent", "created", "up", "down"
POLICIES = ["no", "no", "on-failure:3", "on-failure", "always", "always", "unless-stopped"]
CODES = [0, 0, 1, 3, 42]


class Box:
    """A slot, and the container that is in it. Who changes or judges it holds `lock`."""

    def __init__(self, casemate, number):
        self.casemate, self.number = casemate, number
        self.lock = threading.Lock()
        self.generation = 0
        self.state, self.id, self.name = ABSENT, None, None
        self.paused, self.remove = False, False
        self.journal_begin = 0   # runs that the journal had before this container
        self.volume = "soak%d" % number

    # What is asked for.

    def plan(self, random):
        """Draws a new container."""
        self.generation += 1
        self.name = "box%d-%d" % (self.number, self.generation)
        self.state, self.id, self.paused = CREATED, None, False
        self.policy = random.choice(POLICIES)
        self.remove = self.policy == "no" and random.random() < 0.2
        self.health = random.choice([None, None, "pass", "pass", "fail", "flap"])
        self.memory = random.choice([32, 48, 64, 96]) * MEBIBYTE
        self.pids = random.randint(16, 200)
        self.cpus = random.choice([0.5, 1, 1.5, 2])
        self.log = random.choice(["plain", "small", "small", "one", "drop", "local", "none"])
        self.anonymous = random.random() < 0.3
        self.code = random.choice(CODES)
        self.after = random.choice([0, 0, 0, random.randint(300, 3000), random.randint(3000, 40000)])
        self.term = random.choice(["exit", "exit", "exit", "ignore"])
        self.busy = random.random() < 0.1
        self.starts_at = 0       # runs that the journal had when the user started it last; None: not known
        self.repoliced = False   # another policy than at first
        self.touched = False     # the program may have been killed since
        self.files = {}          # what was copied into it

    def options(self):
        words = ["--name", self.name, "--restart", self.policy, "-m", self.memory, "--pids-limit", self.pids,
                 "--cpus", self.cpus, "-v", self.volume + ":/soak", "--stop-timeout", "2", "--label", "soak=%d" % self.number]
        words += ["--rm"] if self.remove else []
        words += ["-v", "/anonymous"] if self.anonymous else []
        words += {"plain": [], "small": ["--log-opt", "max-size=32k", "--log-opt", "max-file=3"],
                  "one": ["--log-opt", "max-size=24k", "--log-opt", "max-file=1"],
                  "drop": ["--log-opt", "mode=drop", "--log-opt", "max-size=1m"],
                  "local": ["--log-driver", "local"], "none": ["--log-driver", "none"]}[self.log]
        if self.health:
            words += ["--health-cmd", "/load health " + self.health, "--health-interval", "5s", "--health-retries", "2",
                      "--health-timeout", "60s"]
        return words

    def command(self):
        tick, lines, length = (50, 40, 120) if self.busy else (1000, 2, 60)
        return ["/load", "run", "/soak", tick, lines, length, self.after, self.code, self.term]

    # What must be true.

    @property
    def restarts(self):
        return self.policy in ("always", "unless-stopped")

    def statuses(self, shim_killed):
        """Words of `inspect` that are possible now."""
        if self.state == CREATED:
            return {"created"}
        dead = {"dead"} if shim_killed else set()
        if self.state == DOWN:
            return {"exited"} | dead
        running = {"paused"} if self.paused else {"running"}
        if self.restarts:
            return running | {"restarting"} | ({"running"} if shim_killed or self.touched else set())
        ended = {"exited"} | dead if self.after or self.paused or self.touched or shim_killed else set()
        if self.policy != "no":
            return running | {"restarting", "running"} | ended
        return running | ended

    # Where its things are.

    def directory(self):
        return os.path.join(self.casemate.root, "containers", self.id)

    def log_directory(self):
        return os.path.join(self.directory(), "shim", "log")

    def removed_log(self):
        return os.path.join(self.casemate.root, "logs", "removed", self.id)

    def data(self):
        return os.path.join(self.casemate.root, "volumes", self.volume, "data")

    def journal(self):
        return journal.runs(os.path.join(self.data(), "runs"))

    def live(self):
        """What live.json says."""
        text = host.read(os.path.join(self.directory(), "live.json"))
        return json.loads(text) if text else {}

    def calm(self):
        """Its program ends no more by itself."""
        try:
            with open(os.path.join(self.data(), "calm"), "w", encoding="utf-8"):
                pass
        except OSError:
            pass
