# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed, whenever: nothing that was acknowledged is lost, and the next command finds nothing to trip over."""
import os
import random
import signal
import time

import pytest

from lib import host, wait

HELLO = "casemate/hello"
ROUNDS = 40


def killed_at(casemate, seconds, *words):
    """A command that is killed after so many seconds, or has ended before."""
    process = casemate.popen(*words)
    time.sleep(seconds)
    process.kill()
    process.communicate()


def duration(casemate, *words):
    start = time.monotonic()
    casemate.ok(*words)
    return time.monotonic() - start


@pytest.mark.slow
def test_killed_run_leaves_nothing(casemate):
    words = ("run", "--rm", "-v", "/data", HELLO, "true")
    casemate.ok(*words)
    whole = duration(casemate, *words)
    for _ in range(ROUNDS):
        killed_at(casemate, random.uniform(0, whole * 1.2), *words)
    wait.until(lambda: not casemate.ok("ps", "-aq"), what="the next commands to mend")
    casemate.assert_clean()
    assert not os.listdir(os.path.join(casemate.root, "volumes")), "an anonymous volume of nobody"
    assert casemate.ok("run", "--rm", HELLO, "echo", "still works") == "still works\n"


@pytest.mark.slow
def test_killed_rm_is_finished_by_the_next(casemate):
    for number in range(10):
        name = "c%d" % number
        casemate.ok("run", "--name", name, "-v", "/data", HELLO, "true")
        killed_at(casemate, random.uniform(0, 0.02), "rm", "-v", name)
    left = casemate.ok("ps", "-aq").split()
    if left:
        casemate.ok("rm", "-v", *left)
    casemate.ok("ps", "-a")
    casemate.assert_clean()
    assert not os.listdir(os.path.join(casemate.root, "staging"))
    assert not os.listdir(os.path.join(casemate.root, "volumes"))


def test_killed_client_does_not_end_a_container(casemate):
    process = casemate.popen("run", "--name", "web", HELLO, "sleep", "1000")
    wait.until(lambda: casemate.run("ps", "-q", "--filter", "name=web").out.strip(), what="the container to run")
    process.kill()
    process.communicate()
    assert host.status_field(casemate.pid("web"), "State")
    assert "Up" in casemate.ok("ps")


def shim_of(casemate, name):
    pid = casemate.pid(name)
    return int(host.status_field(pid, "PPid"))


def test_killed_supervisor_is_seen_among_many(casemate):
    """Of many containers the list asks for all shims at once (engine/listening.h)."""
    names = ["c%02d" % n for n in range(10)]
    for name in names:
        casemate.ok("run", "-d", "--name", name, HELLO, "sleep", "1000")
    running = ("ps", "--format", "{{.Names}}", "--filter", "status=running")
    for _ in range(2):  # read, and from what was kept
        time.sleep(0.2)  # younger records are not kept
        assert sorted(casemate.ok(*running).split()) == names
    os.kill(shim_of(casemate, "c04"), signal.SIGKILL)
    names.remove("c04")
    wait.until(lambda: sorted(casemate.ok(*running).split()) == names, what="ps to say so")
    assert "Dead" in casemate.ok("ps", "-a", "--filter", "name=c04")


def test_killed_supervisor_is_mended(casemate):
    """Its container is ended, and recorded as one whose end nobody saw."""
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    first = casemate.pid("web")
    os.kill(shim_of(casemate, "web"), signal.SIGKILL)
    wait.until(lambda: "Dead" in casemate.ok("ps", "-a"), what="ps to say so")
    wait.until(lambda: first not in host.pids(), what="the container's process to be gone")
    casemate.ok("start", "web")
    assert "Up" in casemate.ok("ps")


def test_killed_supervisor_of_a_container_that_is_to_be_removed(casemate):
    """With --rm there is nobody who would want to see that nobody saw its end."""
    casemate.ok("run", "-d", "--rm", "--name", "web", "-v", "/data", HELLO, "sleep", "1000")
    os.kill(shim_of(casemate, "web"), signal.SIGKILL)
    wait.until(lambda: not casemate.ok("ps", "-aq"), what="ps to remove it")
    assert not os.listdir(os.path.join(casemate.root, "volumes"))
    process = casemate.popen("run", "--rm", "--name", "web", HELLO, "sleep", "1000")
    wait.until(lambda: casemate.ok("ps", "-q"), what="the container to run")
    os.kill(shim_of(casemate, "web"), signal.SIGKILL)
    assert process.wait() != 0
    wait.until(lambda: not casemate.ok("ps", "-aq"), what="ps to remove it")
    casemate.assert_clean()


def test_exit_is_recorded_without_any_command(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "exit", "9")
    assert casemate.ok("wait", "web").strip() == "9"
    assert casemate.ok("wait", "web").strip() == "9"


def test_many_waiters_of_one_container(casemate):
    casemate.ok("run", "-d", "--rm", "--name", "web", HELLO, "sleep", "1000")
    waiters = [casemate.popen("wait", "web") for _ in range(8)]
    wait.until(lambda: all("casemate" in host.command(p.pid) for p in waiters), what="the waiters to run")
    time.sleep(0.2)  # until they wait: one that comes later finds no container, and the test fails
    casemate.ok("kill", "web")
    assert [p.communicate()[0].decode().strip() for p in waiters] == ["137"] * 8
    wait.until(lambda: not casemate.ok("ps", "-aq"), what="the --rm container to be gone")


@pytest.mark.slow
def test_start_whose_supervisor_is_killed_fails(casemate):
    """Before it becomes the shim: a command that says that the container has started must not be wrong."""
    for number in range(ROUNDS):
        name = "c%d" % number
        process = casemate.popen("run", "-d", "--name", name, HELLO, "sleep", "1000")
        while not (found := host.children(process.pid)) and process.poll() is None:
            pass
        time.sleep(random.uniform(0, 0.02))
        for pid in found:
            if host.exe(pid) == casemate.installation.binary:
                os.kill(pid, signal.SIGKILL)
        _, err = process.communicate()
        shown = casemate.ok("ps", "-a", "--filter", "name=" + name, "--format", "{{.State}}").strip()
        assert (process.returncode == 0) == (shown in ("running", "dead", "exited")), (process.returncode, shown, err)
        if shown and process.returncode:
            casemate.ok("start", name)
        elif not shown:  # a worker's process, before it executed the worker: nothing had been created
            assert err.startswith(b"casemate: "), err


def test_files_of_a_paused_container_whose_supervisor_was_killed(casemate, tmp_path):
    """Its group is frozen and has a process in it that cannot end: nothing else may be put there."""
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    shim = shim_of(casemate, "web")
    casemate.ok("pause", "web")
    os.kill(shim, signal.SIGKILL)
    wait.until(lambda: shim not in host.pids(), what="the supervisor to be gone")
    casemate.ok("export", "-o", str(tmp_path / "files.tar"), "web")
    casemate.ok("start", "web")
    assert "Up" in casemate.ok("ps")


def test_rm_that_was_killed_half_way_is_finished(casemate):
    """Its log may be gone by then: it is not started any more, whatever its policy is."""
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", HELLO, "sleep", "1000")
    casemate.ok("stop", "-t", "0", "web")
    (directory,) = os.listdir(os.path.join(casemate.root, "containers"))
    with open(os.path.join(casemate.root, "containers", directory, "removing"), "w", encoding="utf-8"):
        pass
    casemate.fails("start", "web", says="marked for removal|No such container")  # whoever looks after its policy may be first
    os.makedirs(os.path.join(casemate.rundir, "starting"), mode=0o700, exist_ok=True)
    with open(os.path.join(casemate.rundir, "starting", directory), "w", encoding="utf-8"):
        pass
    wait.until(lambda: not casemate.ok("ps", "-aq"), what="the next command to finish")
    assert casemate.ok("run", "--rm", "--name", "web", HELLO, "echo", "again") == "again\n"
