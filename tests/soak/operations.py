# SPDX-License-Identifier: Apache-2.0
"""The load: what is done to containers and images, each with what must come of it, whether it was cut short or not."""
import json
import os
import random
import re
import threading

from box import ABSENT, CREATED, DOWN, MEBIBYTE, POLICIES, UP
from record import Wrong

IMAGE = "soak:latest"
EXTRA = "extra:latest"
NOT_RUNNING = re.compile(r"not running|is restarting|is paused|not paused|has ended|No such process|no longer runs|ended meanwhile")

RUNNING = {"exec": 20, "look": 14, "stop": 9, "restart": 9, "kill": 7, "pause": 5, "update": 8, "rename": 3, "copy_in": 4,
           "copy_out": 4, "commit": 1, "export": 1, "remove": 5, "check": 10, "start": 5}
PAUSED = {"unpause": 20, "look": 5, "stop": 3, "kill": 2, "remove": 2, "check": 5}
STILL = {"start": 30, "look": 8, "remove": 10, "copy_in": 3, "copy_out": 3, "rename": 3, "commit": 1, "stop": 2, "restart": 4, "check": 12,
         "update": 3}
EMPTY = {"launch": 20, "run_short": 6, "create": 4}


def bad_lines(evidence):
    """Of what `explain` says: practices that do not hold."""
    lines = [line for line in evidence.splitlines() if " holds " not in line and "not enforced yet" not in line]
    return "; ".join(" ".join(line.split()) for line in lines)


class Worker:
    """Takes one free container after the other and does something with it."""

    def __init__(self, soak, number):
        self.soak, self.commands, self.record, self.checks = soak, soak.commands, soak.record, soak.checks
        self.random = random.Random("%s/worker/%d" % (soak.options.seed, number))
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        while not self.ending.is_set() and not self.record.too_many():
            if self.random.random() < 0.02:
                self.images()
                continue
            box = self.random.choice(self.soak.boxes)
            if not box.lock.acquire(blocking=False):
                continue
            try:
                self.step(box)
            finally:
                box.lock.release()

    def step(self, box):
        table = EMPTY if box.state == ABSENT else PAUSED if box.paused else RUNNING if box.state == UP else STILL
        name = self.random.choices(list(table), list(table.values()))[0]
        since = self.record.now()
        try:
            self.record.count("operation " + name)
            getattr(self, name)(box)
        except Wrong as wrong:
            if self.vanished(box):
                return
            self.record.wrong(box.name, "%s: %s" % (name, wrong), since)
            self.give_up(box)
        except Exception as error:  # a fault of the soak itself must not pass as a quiet worker
            self.record.wrong(box.name, "%s: %s: %s" % (name, type(error).__name__, error), since)
            self.give_up(box)

    def give_up(self, box):
        """The model does not know any more: the container goes, so that one fault is told once."""
        for word in (box.name, box.id):
            if word:
                self.commands.run(box.name, "rm", "-f", "-v", word)
        box.state, box.paused = ABSENT, False

    # Outcomes.

    def cut_short(self, box, name, outcome):
        """True when a fault explains that it failed. Else a failure is wrong."""
        if outcome.status == 0:
            return False
        if not self.commands.excused(outcome, box.id):
            raise Wrong("status %d: %s" % (outcome.status, outcome.err.strip()[-300:]))
        self.record.count("cut short " + name)
        return True

    def find(self, box):
        """After a command that may or may not have done its work: what there is. Sets the model; False: there is no container."""
        outcome = self.commands.read(box.name, "inspect", box.name)
        if outcome.status != 0:
            if "No such" not in outcome.err:
                raise Wrong("inspect: " + outcome.err.strip())
            box.state, box.paused = ABSENT, False
            return False
        seen = json.loads(outcome.out)[0]
        if box.id and seen["Id"] != box.id:
            raise Wrong("has the id %s, it was %s" % (seen["Id"], box.id))
        box.id = seen["Id"]
        status = seen["State"]["Status"]
        box.paused = status == "paused"
        if status == "created":
            box.state = CREATED
        else:
            box.state = DOWN if box.live().get("user_stopped", False) else UP
        box.touched = True
        box.starts_at = None
        if box.state == DOWN and status in ("running", "paused"):
            return self.finish_stop(box)
        return True

    def finish_stop(self, box):
        """A stop or kill that was killed has held off the policy, but the container goes on: as a user would, once more."""
        for _ in range(20):
            outcome = self.commands.run(box.name, "stop", "-t", "1", box.name)
            if self.vanished(box):
                return False
            if not self.cut_short(box, "stop", outcome):
                box.paused = False
                return True
        raise Wrong("stop was killed 20 times")

    # Making.

    def fresh(self, box):
        box.plan(self.random)
        box.journal_begin = len(box.journal())
        box.starts_at = box.journal_begin

    def made(self, box, outcome, name, state):
        if self.cut_short(box, name, outcome):
            if self.find(box) and box.state == CREATED and state == UP and box.remove:
                raise Wrong("a --rm container that was never started stays")
            return
        box.id = outcome.out.strip()
        box.state = state

    def launch(self, box):
        self.fresh(box)
        self.made(box, self.commands.run(box.name, "run", "-d", *box.options(), IMAGE, *box.command()), "launch", UP)

    def create(self, box):
        self.fresh(box)
        box.remove = False
        self.made(box, self.commands.run(box.name, "create", *box.options(), IMAGE, *box.command()), "create", CREATED)

    def run_short(self, box):
        """In the foreground, output and exit code to the caller."""
        self.fresh(box)
        code, text = self.random.choice([0, 1, 7]), "said %d" % self.random.getrandbits(32)
        words = ["run", "--rm", "--name", box.name, IMAGE, "/load", "say", text, str(code)]
        outcome = self.commands.run(box.name, *words)
        if (outcome.status, outcome.out) != (code, text + "\n"):
            if not self.commands.excused(outcome) and not self.soak.fault_near(outcome):
                raise Wrong("status %d, not %d; said %r, not %r: %s" % (outcome.status, code, outcome.out[-200:], text,
                                                                       outcome.err.strip()[-300:]))
            self.record.count("cut short run_short")
        self.await_gone(box)

    def await_gone(self, box):
        """A --rm container that has ended goes; by the next command when its own was killed."""
        self.soak.until(lambda: self.commands.read(box.name, "inspect", box.name).status != 0, box.name + " to be removed")
        box.state, box.paused = ABSENT, False

    # Changing.

    def vanished(self, box):
        """A --rm container may end at any time, and is gone then."""
        if box.remove and self.soak.is_gone(box):
            box.state, box.paused = ABSENT, False
            return True
        return False

    def start(self, box):
        was, runs = box.state, len(box.journal())
        outcome = self.commands.run(box.name, "start", box.name)
        if self.vanished(box):
            return
        if self.cut_short(box, "start", outcome):
            self.find(box)
            return
        box.state, box.touched = UP, was == UP
        box.starts_at = runs if was != UP else None

    def restart(self, box):
        was, runs = box.state, len(box.journal())
        outcome = self.commands.run(box.name, "restart", "-t", self.random.choice([0, 1]), box.name)
        if self.vanished(box):
            return
        if self.cut_short(box, "restart", outcome):
            self.find(box)
            return
        box.paused, box.state, box.touched = False, UP, True
        box.starts_at = runs if was != UP else None

    def stop(self, box):
        outcome = self.commands.run(box.name, "stop", "-t", self.random.choice([0, 1, 2]), box.name)
        self.after_end(box, "stop", outcome)

    def kill(self, box):
        before = self.checks.inspect_or_none(box)
        outcome = self.commands.run(box.name, "kill", box.name)
        if outcome.status != 0 and NOT_RUNNING.search(outcome.err) and self.lost_its_run(box, before, outcome):
            return
        if outcome.status == 0 and not self.vanished(box):  # it does not wait for the end
            self.soak.until(lambda: self.status_of(box) not in ("running", "paused"), "%s to end after kill" % box.name)
        self.after_end(box, "kill", outcome)

    def after_end(self, box, name, outcome):
        """The user has ended it: it stays so, whatever its policy."""
        if self.vanished(box):
            return
        if self.cut_short(box, name, outcome):
            self.find(box)
            return
        if box.remove and box.state != CREATED:
            self.await_gone(box)
            return
        box.paused, box.touched = False, True
        if box.state != CREATED:
            box.state = DOWN
            self.checks.once(box)
            self.checks.log(box)

    def status_of(self, box):
        seen = self.checks.inspect_or_none(box)
        return seen["State"]["Status"] if seen else ABSENT

    def pause(self, box):
        before = self.checks.inspect_or_none(box)
        outcome = self.commands.run(box.name, "pause", box.name)
        if outcome.status == 0:
            box.paused = True
        elif not self.lost_its_run(box, before, outcome):
            self.cut_short(box, "pause", outcome)
            self.find_again(box)

    def unpause(self, box):
        before = self.checks.inspect_or_none(box)
        if before is None or before["State"]["Status"] != "paused":  # its shim was killed, and its policy has started it
            if not self.vanished(box):
                self.checks.once(box)
            return
        outcome = self.commands.run(box.name, "unpause", box.name)
        if outcome.status == 0:
            box.paused = False
        elif not self.lost_its_run(box, before, outcome):
            self.cut_short(box, "unpause", outcome)
            self.find_again(box)

    def lost_its_run(self, box, before, outcome, even_so=False):
        """The command failed because the container had ended by itself. `even_so`: whatever its status was."""
        if outcome.status == 0 and not even_so:
            return False
        now = self.checks.settled(box)
        if now is None:
            if not box.remove:
                raise Wrong("is gone")
            box.state, box.paused = ABSENT, False
            return True
        running = ("running", "paused")
        gone = now["State"]["Status"] not in running or before is None or before["State"]["Status"] not in running or \
            now["State"]["StartedAt"] != before["State"]["StartedAt"]
        if gone and now["State"]["Status"] != "paused":
            box.paused = False
        return gone

    def find_again(self, box):
        starts = box.starts_at
        if self.find(box):
            box.starts_at = starts

    def update(self, box):
        before = (box.memory, box.pids, box.cpus, box.policy)
        now = (self.random.choice([32, 48, 64, 96]) * MEBIBYTE, self.random.randint(16, 200),
               self.random.choice([0.5, 1, 1.5, 2]), self.another_policy(box))
        words = ["update", "-m", now[0], "--pids-limit", now[1], "--cpus", now[2]]
        words += ["--restart", now[3]] if now[3] != box.policy else []
        outcome = self.commands.run(box.name, *words, box.name)
        if not self.cut_short(box, "update", outcome):
            box.memory, box.pids, box.cpus, box.policy = now
            box.touched = box.touched or now[3] != before[3]
            if now[3] != before[3]:
                box.starts_at, box.repoliced = None, True
                if self.status_of(box) in ("exited", "dead"):  # it had ended before: the new policy holds from the next start on
                    box.state = DOWN
            return
        # All of it or nothing, for each file that it writes.
        seen = self.checks.inspect(box)
        config = seen["HostConfig"]
        policy = config["RestartPolicy"]
        limits = (config["Memory"], config["PidsLimit"], config["NanoCpus"] / 10 ** 9)
        if limits not in (before[:3], now[:3]):
            raise Wrong("update was killed: limits are %s, neither %s nor %s" % (limits, before[:3], now[:3]))
        name = policy["Name"] + (":%d" % policy["MaximumRetryCount"] if policy["MaximumRetryCount"] else "")
        if name not in (before[3], now[3]):
            raise Wrong("update was killed: policy %s, neither %s nor %s" % (name, before[3], now[3]))
        # What the kernel has may be the one or the other until it is said again.
        box.memory, box.pids, box.cpus = before[:3]
        box.policy, box.touched, box.starts_at, box.repoliced = name, True, None, box.repoliced or now[3] != before[3]
        self.settle_limits(box)

    def another_policy(self, box):
        if box.remove or box.state != UP or self.random.random() < 0.8 or self.status_of(box) != "running":
            return box.policy
        return self.random.choice(POLICIES)

    def settle_limits(self, box):
        for _ in range(20):
            outcome = self.commands.run(box.name, "update", "-m", box.memory, "--pids-limit", box.pids, "--cpus", box.cpus, box.name)
            if not self.cut_short(box, "update", outcome):
                return
        raise Wrong("update was killed 20 times")

    def rename(self, box):
        old, new = box.name, "box%d-%d-%d" % (box.number, box.generation, self.random.getrandbits(20))
        outcome = self.commands.run(box.name, "rename", box.name, new)
        if not self.cut_short(box, "rename", outcome):
            box.name = new
            return
        seen = self.checks.inspect(box, by=box.id)
        box.name = seen["Name"].lstrip("/")
        if box.name not in (old, new):
            raise Wrong("rename was killed: its name is %s, neither %s nor %s" % (box.name, old, new))
        self.checks.inspect(box)

    def remove(self, box):
        running = box.state == UP
        if not running:
            self.checks.log(box)
        words = ["rm", "-f", "-v"] if running or self.random.random() < 0.5 else ["rm", "-v"]
        outcome = self.commands.run(box.name, *words, box.name)
        if self.vanished(box):
            return
        if self.cut_short(box, "remove", outcome):
            if self.find(box):
                return
        if self.commands.read(box.name, "inspect", box.name).status == 0 or \
                os.path.lexists(os.path.join(self.soak.casemate.root, "names", box.name)):
            raise Wrong("is still there after rm")
        box.state, box.paused = ABSENT, False
        if os.path.isdir(box.removed_log()) and box.log != "none":
            self.checks.compare_log(box, box.removed_log())

    # Using.

    def exec(self, box):
        before = self.checks.inspect_or_none(box)
        code, text = self.random.choice([0, 0, 1, 42]), "said %d" % self.random.getrandbits(32)
        outcome = self.commands.run(box.name, "exec", box.name, "/load", "say", text, code)
        if (outcome.status, outcome.out) == (code, text + "\n"):
            return
        if self.lost_its_run(box, before, outcome, even_so=True):
            return
        if not self.commands.excused(outcome, box.id):
            raise Wrong("exec: status %d, not %d; said %r, not %r: %s" % (outcome.status, code, outcome.out[-200:], text,
                                                                         outcome.err.strip()[-300:]))
        self.record.count("cut short exec")

    def look(self, box):
        word = self.random.choice(["logs", "stats", "top", "ps", "explain", "diff", "volumes", "df"])
        if word == "logs" and box.state == UP:
            self.checks.log_of_running(box)
        elif word == "ps":
            self.commands.ok(box.name, "ps", "-a")
        elif word == "volumes":
            self.commands.ok(box.name, "volume", "ls")
        elif word == "df":
            self.commands.ok(box.name, "system", "df")
        elif word == "stats":
            self.commands.ok(box.name, "stats", "--no-stream")
        else:
            before = self.checks.inspect_or_none(box)
            outcome = self.commands.read(box.name, word, box.name)
            if outcome.status != 0 and not (word == "top" and box.state != UP) and not self.lost_its_run(box, before, outcome):
                raise Wrong("%s: %s" % (word, outcome.err.strip()[-300:] or bad_lines(outcome.out)))

    def copy_in(self, box):
        name, data = "file%d" % self.random.getrandbits(8), self.random.randbytes(self.random.choice([10, 5000, 200000]))
        path = os.path.join(self.soak.scratch, "in-%d" % box.number)
        with open(path, "wb") as f:
            f.write(data)
        before = self.checks.inspect_or_none(box)
        outcome = self.commands.run(box.name, "cp", path, "%s:/tmp/%s" % (box.name, name))
        if outcome.status == 0:
            box.files[name] = {data}
        elif self.lost_its_run(box, before, outcome):
            box.files.pop(name, None)
        elif self.cut_short(box, "copy_in", outcome):
            box.files.pop(name, None)

    def copy_out(self, box):
        if not box.files:
            return
        name = self.random.choice(sorted(box.files))
        path = os.path.join(self.soak.scratch, "out-%d" % box.number)
        if os.path.exists(path):
            os.unlink(path)
        before = self.checks.inspect_or_none(box)
        outcome = self.commands.run(box.name, "cp", "%s:/tmp/%s" % (box.name, name), path)
        if outcome.status != 0:
            if not self.lost_its_run(box, before, outcome):
                self.cut_short(box, "copy_out", outcome)
            return
        with open(path, "rb") as f:
            if f.read() not in box.files[name]:
                raise Wrong("%s has come out of it with other content" % name)

    def commit(self, box):
        before = self.checks.inspect_or_none(box)
        tag = "commit%d:latest" % box.number
        outcome = self.commands.run(box.name, "commit", box.name, tag)
        if outcome.status != 0 and not self.lost_its_run(box, before, outcome):
            self.cut_short(box, "commit", outcome)
        self.commands.run(box.name, "rmi", tag)

    def export(self, box):
        path = os.path.join(self.soak.scratch, "export-%d" % box.number)
        before = self.checks.inspect_or_none(box)
        outcome = self.commands.run(box.name, "export", "-o", path, box.name)
        if outcome.status != 0 and not self.lost_its_run(box, before, outcome):
            self.cut_short(box, "export", outcome)
        if os.path.exists(path):
            os.unlink(path)

    def check(self, box):
        seen = self.checks.once(box)
        if box.state == DOWN and not seen["State"]["Running"]:
            self.checks.log(box)

    # Images.

    def images(self):
        """A small image comes and goes: unpack, parse, files and fetch are at work then."""
        since = self.record.now()
        with self.soak.image_lock:
            try:
                what = self.random.choice(["load", "pull", "save"]) if self.soak.reference else self.random.choice(["load", "save"])
                self.record.count("operation " + what)
                if what == "load":
                    outcome = self.commands.run("image", "load", "-i", self.soak.archive)
                elif what == "pull":
                    outcome = self.commands.run("image", "pull", "-q", "--tls-verify=false", self.soak.reference)
                else:
                    outcome = self.commands.run("image", "save", "-o", os.path.join(self.soak.scratch, "saved"), IMAGE)
                if outcome.status == 0 and what != "save":
                    tag = EXTRA if what == "load" else self.soak.reference
                    self.commands.ok("image", "image", "inspect", tag)
                    gone = self.commands.run("image", "rmi", tag)
                    if gone.status != 0 and not self.commands.excused(gone):
                        raise Wrong("rmi %s: %s" % (tag, gone.err.strip()))
                elif outcome.status != 0:
                    if not self.commands.excused(outcome):
                        raise Wrong("%s: %s" % (what, outcome.err.strip()))
                    self.record.count("cut short " + what)
            except Wrong as wrong:
                self.record.wrong("image", str(wrong), since)
