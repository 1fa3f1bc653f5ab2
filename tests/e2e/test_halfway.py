# SPDX-License-Identifier: Apache-2.0
"""What is half done is not taken for whole: containers whose first process is still building its root, names of killed renames."""
import glob
import os
import random
import time

import pytest

from lib import host, wait

HELLO = "casemate/hello"
MOUNTS = 120  # a root that takes long enough to meet it half-way
ROUNDS = 6


def forked_only(pid):
    """The process has executed nothing yet: PF_FORKNOEXEC among its flags (proc(5), field 9)."""
    fields = host.read("/proc/%d/stat" % pid).rpartition(")")[2].split()
    return bool(fields) and bool(int(fields[6]) & 0x40)


def recorded(casemate):
    """The first process that the one container's record names; 0 while there is none."""
    for path in glob.glob(os.path.join(casemate.root, "containers", "*", "started.json")):
        text = host.read(path)
        if text:
            return int(text.split('"pid":')[1].split(",")[0])
    return 0


def start_slowly(casemate):
    """A container that is recorded as started, with its first process on the way; says whether it was seen so."""
    words = ["run", "--name", "slow"]
    for number in range(MOUNTS):
        words += ["--tmpfs", "/m/%03d" % number]
    process = casemate.popen(*words, HELLO, "sleep", "1000")
    end = time.monotonic() + wait.seconds(20)
    while not (pid := recorded(casemate)):
        assert time.monotonic() < end and process.poll() is None, "it does not start"
    return process, forked_only(pid)


def whole(mounts):
    return all("/m/%03d " % number in mounts for number in range(MOUNTS))


def end(casemate, process):
    casemate.ok("rm", "-f", "slow")
    process.communicate()


@pytest.mark.parametrize("words", [("exec", "slow", "/hello", "cat", "/proc/self/mountinfo"),
                                   ("cp", "slow:/m/%03d" % (MOUNTS - 1), "-")])
def test_nobody_enters_a_root_that_is_not_complete(casemate, words):
    """Straight after the record of a start the first process still has the host's root."""
    early = 0
    for _ in range(ROUNDS):
        process, half = start_slowly(casemate)
        early += half
        seen = casemate.run(*words)
        assert seen.status == 0, seen.err
        assert words[0] == "cp" or whole(seen.out), "entered before its root was complete: " + seen.out[:500]
        end(casemate, process)
    assert early, "the record was never read before the program ran: this test has seen nothing"


def test_namespaces_are_joined_when_the_root_is_complete(casemate):
    process, _ = start_slowly(casemate)
    beside = casemate.ok("run", "--rm", "--pid", "container:slow", HELLO, "cat", "/proc/1/cmdline")
    assert "sleep" in beside, "joined before the program ran"
    end(casemate, process)


def test_a_second_name_is_nobodys(casemate):
    """What a rename leaves that was killed after the new name was claimed, or after it was written down."""
    casemate.ok("create", "--name", "old", HELLO)
    holder = casemate.ok("inspect", "-f", "{{.Id}}", "old").strip()
    names = os.path.join(casemate.root, "names")
    os.symlink(holder, os.path.join(names, "new"))
    casemate.fails("inspect", "new", says="No such")
    casemate.fails("rm", "new", says="No such container: new")
    casemate.ok("create", "--name", "new", HELLO)
    assert casemate.ok("inspect", "-f", "{{.Id}}", "new").strip() != holder
    casemate.fails("create", "--name", "old", HELLO, says="already in use")
    assert sorted(casemate.ok("ps", "-a", "--format", "{{.Names}}").split()) == ["new", "old"]


def test_a_rename_that_is_killed(casemate):
    casemate.ok("create", "--name", "n0", HELLO)
    name, left = "n0", 0
    for number in range(1, 25):
        wanted = "n%d" % number
        process = casemate.popen("rename", name, wanted)
        time.sleep(random.uniform(0, 0.012))
        process.kill()
        process.communicate()
        (name_now,) = casemate.ok("ps", "-a", "--format", "{{.Names}}").split()
        assert name_now in (name, wanted)
        other = wanted if name_now == name else name
        left += os.path.lexists(os.path.join(casemate.root, "names", other))
        casemate.fails("inspect", other, says="No such")
        casemate.ok("create", "--name", other, HELLO)
        casemate.ok("rm", other)
        name = name_now
    casemate.ok("rm", name)
    casemate.ok("ps", "-a")
    casemate.assert_clean()
