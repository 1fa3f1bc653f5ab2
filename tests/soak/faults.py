# SPDX-License-Identifier: Apache-2.0
"""The faults: SIGKILL to whatever of ours is alive, and programs that are replaced by another version while everything runs."""
import os
import random
import re
import signal
import threading
import time

from commands import Victim, children
from lib import host

VERSIONS = (b"0.1.0", b"0.1.9")
KINDS = {"command": 4, "supervisor": 4, "worker": 3, "shim": 3, "notice": 1, "tend": 1, "job": 3, "program": 3}
CONTAINER = re.compile(r"/containers/([0-9a-f]{64})(/|$)")
PATIENCE = 0.5  # seconds that a kind which is not there is waited for


SHIM = "casemate-shim"


def shims():
    """One for each container that runs; its notice process, which is a fork of it, is not counted."""
    found = {pid for pid in host.pids() if name_of(pid) == SHIM}
    return sorted(pid for pid in found if int(host.status_field(pid, "PPid") or 0) not in found)


def name_of(pid):
    return os.path.basename(host.exe(pid).replace(" (deleted)", ""))


def container_of(pid):
    """The container whose directory a process of ours has open; None: it has none, or several."""
    found = set()
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                match = CONTAINER.search(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
            except OSError:
                continue
            if match:
                found.add(match[1])
    except OSError:
        return None
    return found.pop() if len(found) == 1 else None


class Faults(threading.Thread):
    """Kills with a clock of its own until it is told to end."""

    def __init__(self, soak, mean):
        super().__init__(name="faults", daemon=True)
        self.soak, self.mean = soak, mean
        self.random = random.Random("%s/faults" % soak.options.seed)
        self.ending = threading.Event()

    def tender(self):
        words = host.read(os.path.join(self.soak.casemate.rundir, "tend")).split()
        pid = int(words[2]) if len(words) > 3 else 0
        return pid if pid and name_of(pid) == "casemate" else 0

    def candidates(self, kind):
        """(pid, pids of the commands above it)"""
        commands = self.soak.commands.pids()
        if kind == "command":
            return [(pid, ()) for pid in commands]
        tender = self.tender()
        if kind == "tend":
            return [(tender, ())] if tender else []
        if kind == "job":
            return [(pid, (tender,)) for pid in children(tender)] if tender else []
        if kind in ("shim", "notice", "program"):
            return self.resident(kind)
        found, jobs = [], children(tender) if tender else []
        for root in commands + jobs:
            todo = [(pid, (root,)) for pid in children(root)]
            while todo:
                pid, chain = todo.pop()
                name = name_of(pid)
                if name == "casemate" and kind == "supervisor":
                    found.append((pid, chain))
                elif kind == "worker" and name.startswith("casemate-") and name != SHIM:
                    found.append((pid, chain))
                todo += [(child, chain + (pid,)) for child in children(pid)] if name != SHIM else []
        return found

    def resident(self, kind):
        """Of what stays: chosen among all processes."""
        alive = shims()
        pid = self.random.choice(alive) if alive else 0
        if kind == "shim" or not pid:
            return [(pid, ())] if pid else []
        return [(child, (pid,)) for child in children(pid) if (name_of(child) == SHIM) == (kind == "notice")]

    def kill_one(self):
        kinds = list(KINDS)
        kind = self.random.choices(kinds, [KINDS[k] for k in kinds])[0]
        end = time.monotonic() + PATIENCE
        while not (found := self.candidates(kind)) and time.monotonic() < end:
            time.sleep(0.002)
        if not found:
            return
        pid, chain = self.random.choice(found)
        if kind in ("command", "supervisor", "worker", "job"):
            time.sleep(self.random.choice([0, 0, 0.002, 0.01, 0.03]))
        self.kill(kind, pid, chain)

    def kill(self, kind, pid, chain):
        """Who it belongs to is found before; for a moment it cannot be a program that has the number by chance."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return
        try:
            name = name_of(pid)
            if not name.startswith("casemate") and kind != "program":
                return
            owner = chain[0] if kind in ("notice", "program") and chain else pid
            container = container_of(owner)
            label = kind if kind != "worker" else name
            self.soak.commands.note_victim(Victim(time.monotonic(), kind, pid, chain, container))
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            self.soak.record.count("killed " + label)
            self.soak.record.note("fault", "killed %s %d below %s of %s" % (label, pid, list(chain), str(container)[:12]))
        except OSError:
            pass
        finally:
            os.close(pidfd)

    def run(self):
        while not self.ending.wait(self.random.expovariate(1 / self.mean)):
            self.kill_one()

    def stop(self):
        self.ending.set()
        self.join()


class Replacement(threading.Thread):
    """Puts another version of every program in the place of the old one, as an upgrade does, now and then."""

    def __init__(self, soak, every):
        super().__init__(name="replacement", daemon=True)
        self.soak, self.every = soak, every
        self.ending = threading.Event()
        self.number = 0

    def replace(self):
        installation = self.soak.casemate.installation
        old, new = VERSIONS[self.number % 2], VERSIONS[(self.number + 1) % 2]
        paths = [os.path.join(installation.libexec, name) for name in sorted(os.listdir(installation.libexec))]
        for path in paths + [installation.binary]:
            if path.endswith(".new"):
                continue
            with open(path, "rb") as f:
                program = f.read()
            fresh = path + ".new"
            with open(fresh, "wb") as f:
                f.write(program.replace(old, new))
            os.chmod(fresh, os.stat(path).st_mode & 0o7777)
            os.rename(fresh, path)
        self.number += 1
        self.soak.record.count("fault programs replaced")
        self.soak.record.note("replace", "version %s" % new.decode())

    def run(self):
        while not self.ending.wait(self.every):
            self.replace()

    def stop(self):
        self.ending.set()
        self.join()
