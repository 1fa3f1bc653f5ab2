# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 9: row 78. Programs that run and are not from the image."""
import json
import os

import pytest

from lib import images, wait
from lib.casemate import BUILD
from lib.images import Layer

MEMORY_EXEC = os.path.join(BUILD, "tests/tools/memory-exec")


def lines(casemate, name, status):
    """What explain says of running programs: state and value of each line."""
    done = casemate.run("explain", "--format", "json", name)
    assert done.status == status, done.err or [line for line in done.out.splitlines() if "running programs" in line]
    rows = [json.loads(line) for line in done.out.splitlines()]
    return [(row["State"], row["Value"]) for row in rows if row["What"] == "running programs"]


def up(casemate, image, command, *flags):
    casemate.ok("run", "-d", "--name", "web", *flags, image, "sh", "-c", command)
    wait.until(lambda: any("sleep 1000" in line and " sh -c" not in line and not line.startswith("sh ")
                           for line in casemate.ok("top", "web", "-o", "args").splitlines()), what="the program to run")


@pytest.mark.row(78)
def test_row_78_programs_of_the_image(casemate, busybox):
    up(casemate, busybox, "cp /bin/busybox /bin/busybox-mine; exec sleep 1000", "--init")
    ((state, value),) = lines(casemate, "web", 0)
    assert state == "holds" and "image" in value
    assert "/bin/busybox-mine" in casemate.ok("diff", "--executables", "web")


@pytest.mark.row(78)
@pytest.mark.parametrize("command,flags,says", [
    ("cp /bin/busybox /usr/busybox-mine; exec /usr/busybox-mine sleep 1000", (), "/usr/busybox-mine is not from the image: writable layer"),
    ("cp /bin/busybox /new && mv /new /bin/busybox; exec /bin/busybox sleep 1000", (), "writable layer"),
    ("cp /bin/busybox /busybox-mine; /busybox-mine sleep 1000 & sleep 0.3; rm /busybox-mine; wait", (), "deleted"),
    ("cp /bin/busybox /t/busybox-mine; exec /t/busybox-mine sleep 1000", ("--tmpfs", "/t:exec"), "tmpfs at /t"),
])
def test_row_78_drift_is_reported(casemate, busybox, command, flags, says):
    up(casemate, busybox, command, *flags)
    wait.until(lambda: any(says in value for _, value in lines(casemate, "web", 1)), what="explain to say so")
    assert {state for state, value in lines(casemate, "web", 1) if says in value} == {"drifted"}


@pytest.mark.row(78)
def test_row_78_a_volume_is_what_the_user_gave(casemate, busybox):
    up(casemate, busybox, "cp /bin/busybox /v/busybox-mine; exec /v/busybox-mine sleep 1000", "-v", "data:/v")
    ((state, value),) = lines(casemate, "web", 0)
    assert state == "granted" and value == "/v/busybox-mine is not from the image: volume or bind at /v"


@pytest.mark.row(78)
def test_row_78_a_file_in_memory(casemate):
    with open(MEMORY_EXEC, "rb") as f:
        layer = Layer().file("bin/memory-exec", f.read(), mode=0o755)
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "memory:1")
    up(casemate, "memory:1", "exec memory-exec /bin/busybox sleep 1000")
    ((state, value),) = lines(casemate, "web", 1)
    assert state == "drifted" and value.endswith("memory") and "memfd:hidden" in value


@pytest.mark.row(78)
def test_row_78_blocked_where_nothing_writable_can_be_executed(casemate, busybox):
    """What there is against it: a read-only root with mounts that execute nothing."""
    casemate.ok("run", "-d", "--name", "web", "--read-only", "--tmpfs", "/t", "-v", "data:/v:noexec", busybox, "sleep", "1000")
    for place in ("/t", "/v"):
        denied = casemate.run("exec", "web", "sh", "-c", "cp /bin/busybox %s/busybox-mine && %s/busybox-mine true" % (place, place))
        assert denied.status == 126 and "Permission denied" in denied.err, place
    assert casemate.run("exec", "web", "cp", "/bin/busybox", "/busybox-mine").status != 0
    assert lines(casemate, "web", 0)[0][0] == "holds"


@pytest.mark.row(78)
def test_row_78_names_do_nothing_to_a_terminal(casemate, busybox):
    up(casemate, busybox, "cp /bin/busybox \"/$(printf 'busybox\\033[31mb')\"; exec /busybox*b sleep 1000")
    assert "\x1b" not in casemate.run("explain", "web").out
    ((state, value),) = lines(casemate, "web", 1)
    assert state == "drifted" and "\x1b" not in value and value.startswith("/busybox?[31mb")
