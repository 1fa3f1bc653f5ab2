# SPDX-License-Identifier: Apache-2.0
"""Restart policies: what the tender does, what `ps`, `inspect`, `wait` and `stop` make of it, and that no death of anything loses it."""
import json
import os
import random
import signal
import time

import pytest

from lib import host, wait


def state(casemate, name):
    return json.loads(casemate.ok("inspect", name))[0]


def count(casemate, name):
    return state(casemate, name)["RestartCount"]


def status(casemate, name):
    return state(casemate, name)["State"]["Status"]


def until_status(casemate, name, wanted, limit=20):
    wait.until(lambda: status(casemate, name) == wanted, limit, what="%s to be %s" % (name, wanted))


def until_count(casemate, name, least, limit=20):
    wait.until(lambda: count(casemate, name) >= least, limit, what="%s to be restarted %d times" % (name, least))


def tenders(casemate):
    """Pids of the tenders of this run directory."""
    found = []
    for pid in casemate._processes():
        if host.read("/proc/%d/cmdline" % pid).split("\0")[1:2] == ["tend"]:
            found.append(pid)
    return found


def shim_of(casemate, name):
    return int(host.status_field(casemate.pid(name), "PPid"))


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def test_no_is_the_default(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "true")
    until_status(casemate, "web", "exited")
    assert not tenders(casemate), "nobody asked for one"
    assert not os.path.exists(os.path.join(casemate.root, "containers", state(casemate, "web")["Id"], "live.json"))
    assert state(casemate, "web")["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


def test_on_failure_with_a_bound(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "on-failure:2", "--name", "web", busybox, "sh", "-c", "echo run; exit 3")
    until_status(casemate, "web", "exited")
    inspected = state(casemate, "web")
    assert (inspected["RestartCount"], inspected["State"]["ExitCode"]) == (2, 3)
    assert inspected["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert casemate.ok("logs", "web") == "run\n" * 3, "the log goes on over restarts"
    wait.until(lambda: not tenders(casemate), what="the tender to end: nothing is left for it")
    casemate.ok("start", "web")
    assert count(casemate, "web") <= 2, "the user's start counts anew"


def test_on_failure_leaves_success_alone(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "on-failure", "--name", "web", busybox, "true")
    until_status(casemate, "web", "exited")
    assert count(casemate, "web") == 0
    wait.until(lambda: not tenders(casemate), what="the tender to end")


@pytest.mark.parametrize("policy", ["always", "unless-stopped"])
def test_comes_back_until_it_is_stopped(casemate, busybox, policy):
    casemate.ok("run", "-d", "--restart", policy, "--name", "web", busybox, "sleep", "1000")
    first = casemate.pid("web")
    kill(first)
    until_count(casemate, "web", 1)
    wait.until(lambda: casemate.pid("web") not in (0, first), what="another first process")
    casemate.ok("stop", "-t", "0", "web")
    assert status(casemate, "web") == "exited"
    wait.until(lambda: not tenders(casemate), what="the tender to end")
    assert status(casemate, "web") == "exited", "stopped by the user"
    casemate.ok("start", "web")
    assert count(casemate, "web") == 0
    casemate.ok("kill", "web")
    assert status(casemate, "web") == "exited", "killed by the user"


def test_restarting_is_shown_and_can_be_ended(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", busybox, "sh", "-c", "exit 4")
    # Seven ends: now it waits for more than six seconds. The count alone would say so while the sixth restart is still under way.
    wait.until(lambda: len(casemate.ok("events", "--since", "1h", "--until", "0s", "--filter", "event=die").splitlines()) == 7,
               what="six restarts")
    until_status(casemate, "web", "restarting")
    shown = state(casemate, "web")["State"]
    assert shown["Running"] and shown["Restarting"] and shown["Pid"] == 0 and shown["ExitCode"] == 4
    assert "Restarting (4)" in casemate.ok("ps", "--filter", "status=restarting")
    casemate.fails("exec", "web", "true", says="is restarting, wait until the container is running")
    casemate.fails("attach", "web", says="cannot attach to a restarting container")
    casemate.fails("rm", "web", says="cannot remove a restarting container")
    casemate.ok("stop", "web")
    assert status(casemate, "web") == "exited"
    assert "Exited (4)" in casemate.ok("ps", "-a")
    wait.until(lambda: not tenders(casemate), what="the tender to end")


def test_waits_twice_as_long_each_time(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "on-failure:4", "--name", "web", busybox, "sh", "-c", "exit 1")
    until_status(casemate, "web", "exited")
    records = [json.loads(line) for line in open(os.path.join(casemate.root, "audit", "log"), encoding="utf-8")]
    restarts = [r for r in records if r["event"] == "container.restart"]
    assert [r["what"] for r in restarts] == ["on-failure, restart %d" % n for n in (1, 2, 3, 4)]
    live = json.load(open(os.path.join(casemate.root, "containers", state(casemate, "web")["Id"], "live.json"),
                          encoding="utf-8"))
    assert (live["version"], live["restart"], live["restart_count"], live["delay"]) == (1, "on-failure:4", 4, 800000000)


def test_wait_says_how_the_next_run_ends(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "on-failure:1", "--name", "web", busybox, "sh", "-c", "sleep 0.3; exit 9")
    assert casemate.ok("wait", "web") == "9\n"
    until_status(casemate, "web", "exited")
    assert casemate.ok("wait", "web") == "9\n"


def test_foreground_run_ends_with_the_first_run(casemate, busybox):
    """As Docker: who is attached sees one run; the container goes on."""
    result = casemate.run("run", "--restart", "on-failure:3", "--name", "web", busybox, "sh", "-c", "echo out; exit 5")
    assert (result.status, result.out) == (5, "out\n")
    until_status(casemate, "web", "exited")
    assert count(casemate, "web") == 3


def test_a_start_that_fails_is_tried_again(casemate, busybox):
    """What is bound is gone for a while, as a network file system may be."""
    source = os.path.join(casemate.base, "bound")
    os.mkdir(source)
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", "--mount", "type=bind,source=%s,target=/b" % source,
                busybox, "sleep", "1000")
    os.rename(source, source + ".away")
    kill(casemate.pid("web"))
    wait.until(lambda: state(casemate, "web")["State"]["Error"], what="a start that fails")
    assert status(casemate, "web") == "restarting"
    os.rename(source + ".away", source)
    until_status(casemate, "web", "running")
    assert not state(casemate, "web")["State"]["Error"]


def test_restart_verb(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait")
    first = casemate.pid("web")
    assert casemate.ok("restart", "web") == "web\n"
    second = casemate.pid("web")
    assert first != second and first not in host.pids()
    casemate.ok("stop", "web")
    assert casemate.ok("restart", "-t", "1", "-s", "KILL", "web") == "web\n"
    assert status(casemate, "web") == "running"
    casemate.fails("restart", "nobody", says="No such container")


def test_restart_verb_keeps_a_container_that_is_to_be_removed(casemate, busybox):
    casemate.ok("run", "-d", "--rm", "--name", "web", busybox, "sleep", "1000")
    casemate.ok("restart", "-t", "0", "web")
    assert status(casemate, "web") == "running"
    casemate.ok("stop", "-t", "0", "web")
    casemate.fails("inspect", "web", says="No such")


def test_dead_shim_is_mended(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "on-failure", "--name", "web", busybox, "sleep", "1000")
    first = casemate.pid("web")
    kill(shim_of(casemate, "web"))
    until_count(casemate, "web", 1)
    wait.until(lambda: casemate.pid("web") not in (0, first), what="another first process")
    assert first not in host.pids()


def test_dead_tender_is_replaced_by_the_next_command(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", busybox, "sleep", "1000")
    wait.until(lambda: len(tenders(casemate)) == 1, what="a tender")
    old = tenders(casemate)[0]
    kill(old)
    wait.until(lambda: not tenders(casemate), what="it to be gone")
    kill(casemate.pid("web"))
    wait.until(lambda: status(casemate, "web") == "running" and count(casemate, "web") == 1,
               what="`inspect` to have brought back the tender, and that the container")
    assert tenders(casemate) != [old]


def test_one_tender_for_all(casemate, busybox):
    started = [casemate.popen("run", "-d", "--restart", "always", busybox, "sleep", "1000") for _ in range(8)]
    assert [p.wait(60) for p in started] == [0] * 8
    for p in started:
        p.communicate()
    wait.until(lambda: len(tenders(casemate)) == 1, what="one of them to have won")
    pid = tenders(casemate)[0]
    assert os.readlink("/proc/%d/cwd" % pid) == "/"
    assert os.getsid(pid) not in (os.getsid(0), pid), "in a session of its own, not its leader"
    assert {os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in range(3)} == {"/dev/null"}
    assert not [link for link in (os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid))
                if link.startswith("pipe:")], "nothing of the command that has started it"


def test_once_does_it_too(casemate, busybox):
    """For a timer, where nobody wants a process that stays."""
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", busybox, "sleep", "1000")
    for pid in tenders(casemate):
        kill(pid)
    first = casemate.pid("web")
    for pid in tenders(casemate):
        kill(pid)
    kill(first)
    wait.until(lambda: first not in host.pids(), what="it to be gone")
    time.sleep(0.2)  # the wait of the first restart
    casemate.ok("tend", "--once")
    assert count(casemate, "web") == 1


def boot(casemate):
    """What is lost when a machine goes down: processes and the run directory."""
    shims = [shim_of(casemate, name) for name in casemate.ok("ps", "-q").split()]
    for pid in tenders(casemate) + shims:  # the tender first: or it would do its work
        kill(pid)
    wait.until(lambda: not casemate._processes(), what="all to be gone")
    for path in ("tended", "exited", "ids"):
        directory = os.path.join(casemate.rundir, path)
        for entry in os.listdir(directory) if os.path.isdir(directory) else ():
            os.unlink(os.path.join(directory, entry))


def test_boot(casemate, busybox):
    policies = ("no", "on-failure", "always", "unless-stopped")
    for policy in policies:
        casemate.ok("run", "-d", "--restart", policy, "--name", policy, busybox, "sleep", "1000")
        casemate.ok("run", "-d", "--restart", policy, "--name", policy + "-stopped", busybox, "sleep", "1000")
        casemate.ok("stop", "-t", "0", policy + "-stopped")
    casemate.ok("create", "--restart", "always", "--name", "never-started", busybox, "sleep", "1000")
    boot(casemate)
    assert "Up" not in casemate.ok("ps", "-a"), "only --boot is a boot"
    casemate.ok("tend", "--boot")
    running = sorted(casemate.ok("ps", "--format", "{{.Names}}").split())
    assert running == ["always", "always-stopped", "on-failure", "unless-stopped"]
    wait.until(lambda: len(tenders(casemate)) == 1, what="a tender for them")


def test_shutdown_keeps_the_policies(casemate, busybox):
    for name in ("one", "two"):
        casemate.ok("run", "-d", "--restart", "unless-stopped", "--name", name, busybox,
                    "sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 1000 & wait")
    casemate.ok("tend", "--shutdown")
    assert not casemate.ok("ps", "-q")
    wait.until(lambda: not tenders(casemate), what="the tender to end")
    assert casemate.ok("logs", "one") == "bye\n", "asked to end, not killed"
    casemate.ok("tend", "--boot")
    assert sorted(casemate.ok("ps", "--format", "{{.Names}}").split()) == ["one", "two"]


def test_keep_takes_over(casemate, busybox):
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", busybox, "sleep", "1000")
    wait.until(lambda: len(tenders(casemate)) == 1, what="a tender")
    kept = casemate.popen("tend", "--keep")
    wait.until(lambda: tenders(casemate) == [kept.pid], what="the old one to have ended")
    casemate.ok("rm", "-f", "web")
    assert casemate.run("tend").status == 0, "another one sees that there is one"
    assert kept.poll() is None, "it stays"
    casemate.ok("run", "-d", "--restart", "always", "--name", "other", busybox, "sleep", "1000")
    kill(casemate.pid("other"))
    until_count(casemate, "other", 1)
    casemate.ok("rm", "-f", "other")
    kept.terminate()
    assert kept.wait(10) == 0
    kept.communicate()


@pytest.mark.slow
def test_whatever_is_killed(casemate, busybox):
    """Tenders, shims and first processes die at random; all containers run in the end, and one that was stopped does not."""
    names = ["c%d" % n for n in range(6)]
    for name in names + ["stopped"]:
        casemate.ok("run", "-d", "--restart", "always", "--name", name, busybox, "sleep", "1000")
    casemate.ok("stop", "-t", "0", "stopped")
    end = time.monotonic() + wait.seconds(6)
    while time.monotonic() < end:
        victims = tenders(casemate) + [pid for pid in casemate._processes() if random.random() < 0.1]
        if victims:
            kill(random.choice(victims))
        time.sleep(random.uniform(0, 0.1))
        casemate.run("ps", "-q")

    def all_run():
        return sorted(casemate.ok("ps", "--format", "{{.Names}} {{.State}}").splitlines()) == \
            ["%s running" % name for name in names]
    wait.until(all_run, 70, what="all to run")
    assert status(casemate, "stopped") == "exited"


def test_a_policy_is_not_lost_with_a_restart_that_left_no_start(casemate, busybox):
    """A command that was killed between a restart which failed and its record: as the file is then."""
    casemate.ok("run", "-d", "--restart", "always", "--name", "web", busybox, "sleep", "1000")
    casemate.ok("stop", "-t", "0", "web")
    directory = os.path.join(casemate.root, "containers", state(casemate, "web")["Id"])
    with open(os.path.join(directory, "live.json"), encoding="utf-8") as f:
        live = json.load(f)
    live.pop("user_stopped")
    live.update(restart_count=1, attempt=1)
    with open(os.path.join(directory, "live.json"), "w", encoding="utf-8") as f:
        json.dump(live, f)
    os.unlink(os.path.join(directory, "started.json"))
    shown = state(casemate, "web")["State"]
    assert (shown["Status"], shown["ExitCode"]) == ("exited", 125), "it has been started before"
    with open(os.path.join(casemate.rundir, "tended", os.path.basename(directory)), "w", encoding="ascii"):
        pass
    casemate.ok("ps")
    until_status(casemate, "web", "running")
