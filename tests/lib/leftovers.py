# SPDX-License-Identifier: Apache-2.0
"""What a whole run of the suite has left on this machine. Several runs, and a Casemate that is installed, may share the
machine: what cannot be told apart by a name of this run's own is judged by what was there before."""
import fcntl
import glob
import os
import time

from . import casemate, host, wait

INSTALLED_RUN = "/run/casemate"


def _loops():
    return {"%s: %s" % (path.split("/")[3], host.read(path).strip())
            for path in glob.glob("/sys/block/loop*/loop/backing_file")}


def _listing(path):
    return set(os.listdir(path)) if os.path.isdir(path) else set()


def _program(pid):
    return os.path.basename(host.exe(pid).replace(" (deleted)", ""))


def _processes():
    """pid and start time of each process of ours: a number can be used again."""
    found = {}
    for pid in host.pids():
        tail = host.read("/proc/%d/stat" % pid).rpartition(")")[2].split()
        if tail and _program(pid).startswith("casemate"):
            found[pid, tail[19]] = "%s: %s" % (host.exe(pid), host.command(pid))
    return found


def installed_groups():
    """The cgroups of a Casemate with the usual run directory."""
    return [path for path in host.cgroups() if os.path.basename(path) == "casemate"]


class installing:
    """Held while a test may make the cgroups of the usual run directory."""

    def __enter__(self):
        self.fd = os.open(host.CGROUP_ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        os.close(self.fd)


class Before:
    """The machine before the suite; `left()` are the lines of what the suite has added since."""

    def __init__(self):
        self.mounts = {m[0] for m in host.mounts()}
        self.processes = _processes()
        self.groups = set(installed_groups())
        self.loops = _loops()
        self.links = _listing("/sys/class/net")
        self.netns = _listing("/run/netns")
        self.run = _listing(INSTALLED_RUN)
        self.private = _listing(self._private()) if self._private() else set()

    @staticmethod
    def _private():
        """The directory of this run of ./check, which nothing else uses."""
        return os.environ.get("CASEMATE_TEST_DIR")

    def _left_groups(self):
        left = ["cgroup " + path for base in casemate.MADE for path in casemate.groups_of(os.path.join(base, "run"))]
        if set(installed_groups()) - self.groups:
            with installing():  # another run may be installing at this moment
                left += ["cgroup " + path for path in installed_groups() if path not in self.groups]
        return left

    def _left_processes(self):
        """Of programs of this run. In ./check no others can be seen."""
        mine = tuple(casemate.MADE) + (os.path.abspath(casemate.BUILD),)
        return ["process %d: %s" % (key[0], what) for key, what in _processes().items()
                if key not in self.processes and (self._private() or what.startswith(mine))]

    def _left_files(self):
        left = ["file " + path for path in casemate.MADE if os.path.lexists(path)]
        if self._private():
            left += ["file %s/%s" % (self._private(), name) for name in sorted(_listing(self._private()) - self.private)
                     if not name.startswith("pytest-") and os.path.join(self._private(), name) not in casemate.MADE]
        return left

    def _left_elsewhere(self):
        left = ["mount " + path for path in sorted({m[0] for m in host.mounts()} - self.mounts)
                if self._private() or path.startswith(tuple(casemate.MADE))]
        left += ["loop device " + text for text in sorted(_loops() - self.loops) if any(base in text for base in casemate.MADE)]
        left += ["%s/%s" % (INSTALLED_RUN, name) for name in sorted(_listing(INSTALLED_RUN) - self.run)]
        left += ["network namespace " + name for name in sorted(_listing("/run/netns") - self.netns) if "casemate" in name]
        return left + ["network link " + name for name in sorted(_listing("/sys/class/net") - self.links) if name.startswith("cm")]

    def _now(self):
        return self._left_processes() + self._left_groups() + self._left_files() + self._left_elsewhere()

    def left(self, limit=5):
        """Processes that have been told to end have a moment for it."""
        end = time.monotonic() + wait.seconds(limit)
        while (left := self._now()) and time.monotonic() < end:
            time.sleep(0.1)
        return left
