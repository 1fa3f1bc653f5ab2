# SPDX-License-Identifier: Apache-2.0
"""Commands of the binary under test, while others kill them: who runs, what came of it, and whether a fault explains it."""
import collections
import os
import signal
import subprocess
import threading
import time

from lib import host, wait
from record import Wrong

LIMIT = 150        # seconds that any command may take
RETRIES = 30       # of a command that only reads and was killed
SHOWN = 300        # characters of what a command said

Outcome = collections.namedtuple("Outcome", "status out err killed begun ended pid")
Victim = collections.namedtuple("Victim", "when kind pid chain container")


class Commands:
    """All that run now; the fault thread chooses among them."""

    def __init__(self, casemate, record):
        self.casemate, self.record = casemate, record
        self.lock = threading.Lock()
        self.running = {}
        self.victims = collections.deque(maxlen=20000)

    def pids(self):
        with self.lock:
            return list(self.running)

    def note_victim(self, victim):
        with self.lock:
            self.victims.append(victim)

    def run(self, who, *words, limit=LIMIT, input=None):
        """One command. `who`: the container it is about, for the history."""
        words = [str(word) for word in words]
        begun = time.monotonic()
        process = self.casemate.popen(*words, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE)
        with self.lock:
            self.running[process.pid] = words
        try:
            out, err = process.communicate(input, wait.seconds(limit))
        except subprocess.TimeoutExpired:
            self._hangs(who, words, process)
            raise Wrong("%s hangs" % " ".join(words)) from None
        finally:
            with self.lock:
                self.running.pop(process.pid, None)
        ended = time.monotonic()
        outcome = Outcome(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"),
                          process.returncode == -signal.SIGKILL, begun, ended, process.pid)
        said = "" if outcome.status == 0 else " " + outcome.err.strip()[-SHOWN:]
        self.record.note(who, "%.3f s, %d: %s%s" % (ended - begun, outcome.status, " ".join(words), said))
        return outcome

    def _hangs(self, who, words, process):
        """Says what it waits for, then ends it."""
        todo, told = [process.pid], []
        while todo:
            pid = todo.pop()
            todo += children(pid)
            told.append("%d %s: %s" % (pid, host.command(pid), host.read("/proc/%d/stack" % pid).replace("\n", " ")
                                       or host.read("/proc/%d/wchan" % pid)))
        self.record.note(who, "hangs: %s: %s" % (" ".join(words), "; ".join(told)))
        process.kill()
        process.communicate()

    def excused(self, outcome, container=None):
        """A fault has hit this command, one of its processes, or its container, while it ran."""
        with self.lock:
            return outcome.killed or any(
                (outcome.pid in v.chain or (container and v.container == container)) and
                outcome.begun - 3 <= v.when <= outcome.ended for v in self.victims)

    def hits(self, container, kinds, since=0.0):
        """How often faults of these kinds have hit a container."""
        with self.lock:
            return sum(v.container == container and v.kind in kinds and v.when >= since for v in self.victims)

    def read(self, who, *words):
        """A command that changes nothing: again when it, or a process of its own, was killed. An Outcome."""
        for _ in range(RETRIES):
            outcome = self.run(who, *words)
            if outcome.status == 0 or not self.excused(outcome):
                return outcome
        raise Wrong("%s was killed %d times" % (" ".join(map(str, words)), RETRIES))

    def ok(self, who, *words):
        """The output of a command that changes nothing and must succeed."""
        outcome = self.read(who, *words)
        if outcome.status != 0:
            raise Wrong("%s: status %d: %s" % (" ".join(map(str, words)), outcome.status, outcome.err.strip()[-SHOWN:]))
        return outcome.out


def children(pid):
    """Child processes of all threads."""
    found = []
    try:
        threads = os.listdir("/proc/%d/task" % pid)
    except OSError:
        return found
    for thread in threads:
        found += [int(word) for word in host.read("/proc/%d/task/%s/children" % (pid, thread)).split()]
    return found
