# SPDX-License-Identifier: Apache-2.0
"""The data root's file system is full, or nearly: each command does its work or fails and says so, and with room again all is right."""
import os
import re
import subprocess

import pytest

from lib import casemate as casemates
from lib import host, images, wait

SIZE = 32 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
ROOM = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)  # pages that are free
HOLD = 'mkdir -p "$1" && mount -t tmpfs -o size=%d,mode=0700 none "$1" && echo mounted && exec sleep 1000' % SIZE
# What a command may say, besides that there is no room, when it could not record what it did or lacks its log.
SAYS = re.compile("No space left on device|(?i:is full)")


class Small(casemates.Casemate):
    """A data root on a small file system, in a mount namespace of its own. tmpfs: what is free is free at once."""

    def __init__(self, installation, base):
        super().__init__(installation, base)
        self.holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", HOLD, "sh", self.root],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"mounted\n"
        self.fill = "/proc/%d/root%s/fill" % (self.holder.pid, self.root)

    def _words(self, args):
        return ["nsenter", "-m", "-t", str(self.holder.pid), *super()._words(args)]

    def leave(self, pages):
        """Nothing but so many pages is free."""
        self.make_room()
        self.refill()
        os.truncate(self.fill, max(0, os.stat(self.fill).st_size // PAGE - pages) * PAGE)

    def refill(self):
        """What a command has made free is not any more."""
        with open(self.fill, "ab", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * PAGE)
            except OSError:
                pass

    def make_room(self):
        if os.path.exists(self.fill):
            os.unlink(self.fill)

    def destroy(self):
        self.make_room()
        self.remove_containers()
        self.holder.kill()
        self.holder.communicate()
        super().destroy()


@pytest.fixture
def small(installation):
    if tuple(int(n) for n in os.uname().release.split(".")[:2]) < (6, 3):
        pytest.skip("this kernel cannot map ids on tmpfs")
    made = Small(installation, casemates.make_base())
    yield made
    made.destroy()


def containers(casemate):
    """Name and state of all."""
    return dict(line.split() for line in casemate.ok("ps", "-a", "--format", "{{.Names}} {{.State}}").splitlines())


def judged(casemate, *words):
    """Runs a command that may fail for want of room alone."""
    result = casemate.run(*words)
    shown = "%s: %d: %s" % (" ".join(map(str, words)), result.status, result.err)
    assert 0 <= result.status < 126, shown
    assert "Sanitizer" not in result.err, shown
    for line in result.err.splitlines():
        assert SAYS.search(line), shown
    assert result.err or not result.status, shown
    return result.status == 0


@pytest.mark.slow
def test_every_command_with_little_room(small, tmp_path):
    small.load(images.busybox_image(media=images.DOCKER), "busybox:latest")
    small.ok("run", "-d", "--name", "web", "-v", "kept:/kept", "busybox", "sh", "-c", "echo here > /kept/f; exec sleep 1000")
    first = small.pid("web")
    small.ok("create", "--name", "old", "busybox", "echo", "said")
    content = tmp_path / "content"
    content.write_bytes(b"y" * 3 * PAGE)
    for room in ROOM:
        small.leave(room)
        want = {"web": "running", "old": "created" if room == ROOM[0] else containers(small)["old"]}
        if judged(small, "create", "--name", "new", "-v", "/anonymous", "busybox", "true"):
            want["new"] = "created"
        if judged(small, "run", "-d", "--name", "running", "busybox", "sleep", "1000"):
            want["running"] = "running"
        elif "running" in containers(small):  # made, not started
            want["running"] = "created"
        if judged(small, "start", "-a", "old"):
            want["old"] = "exited"
        judged(small, "run", "--rm", "busybox", "true")
        judged(small, "exec", "web", "true")
        judged(small, "update", "--memory", "64m", "web")
        judged(small, "tag", "busybox", "other:%d" % room)
        judged(small, "volume", "create", "v%d" % room)
        judged(small, "cp", content, "web:/copied")
        judged(small, "commit", "web", "made:%d" % room)
        if judged(small, "rename", "old", "older"):
            want["older"] = want.pop("old")
            assert judged(small, "rename", "older", "old") or containers(small)["older"]
            if "old" in containers(small):
                want["old"] = want.pop("older")
        if judged(small, "pause", "web"):
            judged(small, "unpause", "web")
        assert containers(small) == want, room
        assert small.pid("web") == first
        assert small.ok("exec", "web", "cat", "/kept/f") == "here\n"
        small.make_room()
        if "older" in want:
            small.ok("rename", "older", "old")
        for name in ("new", "running"):
            if name in want:
                small.ok("rm", "-f", "-v", name)
        assert set(containers(small)) == {"web", "old"}
        assert not os.listdir("/proc/%d/root%s/staging" % (small.holder.pid, small.root)), room
        small.ok("log", "verify")
    assert small.ok("run", "--rm", "busybox", "echo", "again") == "again\n"
    small.ok("stop", "-t", "0", "web")
    assert containers(small)["web"] == "exited"


def test_a_log_that_has_no_room(small):
    """The container goes on; what could not be kept is told as a gap, or the log ends where the disk did: its chain is whole."""
    small.load(images.busybox_image(media=images.DOCKER), "busybox:latest")
    small.ok("run", "-d", "--name", "web", "busybox", "sh", "-c",
             "i=0; while :; do i=$((i+1)); echo line $i; [ $((i % 200)) = 0 ] && sleep 0.01; done")
    first = small.pid("web")
    small.leave(3)
    wait.until(lambda: os.statvfs(small.fill).f_bavail == 0, what="the log to fill the rest")
    assert containers(small) == {"web": "running"}
    judged(small, "exec", "web", "true")
    small.make_room()
    last = len(small.ok("logs", "web").splitlines())
    wait.until(lambda: len(small.ok("logs", "web").splitlines()) > last, what="the log to go on")
    assert small.pid("web") == first and host.status_field(first, "State")
    small.ok("log", "verify", "web")
    small.ok("rm", "-f", "web")


def test_what_makes_room_works_without_any(small):
    """With no byte free: what is there can be seen, ended and removed."""
    small.load(images.busybox_image(media=images.DOCKER), "busybox:latest")
    small.load(images.busybox_image([images.Layer().file("more", "m")], media=images.DOCKER), "unused:latest")
    small.ok("volume", "create", "unused")
    small.ok("run", "-d", "--name", "web", "-v", "/anonymous", "busybox", "sh", "-c", "echo here; exec sleep 1000")
    small.ok("run", "--name", "old", "busybox", "true")
    small.ok("run", "-d", "--restart", "always", "--name", "kept", "busybox", "sleep", "1000")
    small.leave(0)
    assert containers(small) == {"web": "running", "old": "exited", "kept": "running"}
    assert "unused" in small.ok("images")
    assert small.ok("logs", "web") == "here\n"
    for words in (("stop", "-t", "0", "web", "kept"), ("rm", "-v", "web"), ("rm", "old"), ("rmi", "unused"), ("volume", "rm", "unused")):
        small.ok(*words)
        small.refill()
    assert containers(small) == {"kept": "exited"}
    assert small.ok("volume", "ls", "-q") == "" and "unused" not in small.ok("images")
    small.make_room()
    small.ok("log", "verify")
    assert containers(small) == {"kept": "exited"}
    small.ok("restart", "-t", "0", "kept")
    assert containers(small) == {"kept": "running"}
