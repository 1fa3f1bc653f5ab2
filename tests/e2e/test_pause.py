# SPDX-License-Identifier: Apache-2.0
"""casemate pause and unpause, and what other verbs do with a paused container: Docker's rules."""
import json
import os
import time

import pytest

from lib import host, wait

HELLO = "casemate/hello"


@pytest.fixture
def web(casemate, busybox):
    """A container that counts."""
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c",
                "trap 'echo term; exit 7' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done")
    wait.until(lambda: "3" in casemate.ok("logs", "web"), what="the container counts")
    return casemate


def lines(casemate):
    return len(casemate.ok("logs", "web").split())


def state(casemate):
    return json.loads(casemate.ok("inspect", "web"))[0]["State"]


def test_paused_containers_stand_still_and_go_on(web):
    pid = web.pid("web")
    assert web.ok("pause", "web") == "web\n"
    group = host.cgroup_of(pid)
    if "freezer" in group:
        assert host.cgroup_file(pid, "freezer", "freezer.state", "") == "FROZEN"
    else:
        assert host.cgroup_file(pid, "", "", "cgroup.freeze") == "1"
    before = lines(web)
    time.sleep(0.3)
    assert lines(web) == before
    assert state(web)["Paused"] is True and state(web)["Status"] == "paused" and state(web)["Running"] is True
    assert "(Paused)" in web.ok("ps") and web.ok("ps", "-q", "--filter", "status=paused").strip()
    assert not web.ok("ps", "-q", "--filter", "status=running").strip()
    assert web.ok("unpause", "web") == "web\n"
    wait.until(lambda: lines(web) > before, what="the container goes on")
    assert state(web)["Paused"] is False and web.pid("web") == pid
    log = host.read(web.root + "/audit/log")
    assert '"container.pause"' in log and '"container.unpause"' in log


def test_what_docker_refuses(web):
    web.fails("unpause", "web", says="Container web is not paused")
    web.ok("pause", "web")
    web.fails("pause", "web", says="Container web is already paused")
    web.fails("exec", "web", "/bin/true", says="Container web is paused, unpause the container before exec")
    web.fails("attach", "web", says="You cannot attach to a paused container")
    web.fails("start", "web", says="cannot start a paused container, try unpause instead")
    web.fails("rm", "web", says="You cannot remove a paused container .* Unpause and then stop")
    web.ok("rm", "-f", "web")
    web.fails("pause", "web", says="No such container")


def test_not_running(casemate):
    casemate.ok("create", "--name", "idle", HELLO)
    casemate.fails("pause", "idle", says="is not running")
    casemate.fails("unpause", "idle", says="is not paused")


def test_stop_lets_the_program_end_by_itself(web):
    web.ok("pause", "web")
    web.ok("stop", "web")
    assert state(web)["Status"] == "exited" and state(web)["ExitCode"] == 7
    assert "term" in web.ok("logs", "web")
    web.ok("start", "web")  # and nothing of the pause is left
    assert state(web)["Status"] == "running"


def test_kill_ends_a_paused_container(web):
    web.ok("pause", "web")
    web.ok("kill", "web")
    assert web.ok("wait", "web").strip() == "137"


def test_other_signals_wait(web, busybox):
    web.ok("run", "-d", "--name", "sig", busybox, "sh", "-c",
           "trap 'echo got' USR1; echo ready; while :; do sleep 0.05; done")
    wait.until(lambda: "ready" in web.ok("logs", "sig"), what="the trap is set")
    web.ok("pause", "sig")
    web.ok("kill", "-s", "USR1", "sig")
    assert "got" not in web.ok("logs", "sig")
    assert json.loads(web.ok("inspect", "sig"))[0]["State"]["Paused"] is True
    web.ok("unpause", "sig")
    wait.until(lambda: "got" in web.ok("logs", "sig"), what="the signal arrives")


def test_a_dead_shim_of_a_paused_container_is_mended(web):
    pid = web.pid("web")
    shim = int(host.read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()[1])
    web.ok("pause", "web")
    os.kill(shim, 9)
    wait.until(lambda: "Dead" in web.ok("ps", "-a"), what="the loss of the shim is seen")
    wait.until(lambda: not host.alive(pid) if hasattr(host, "alive") else not os.path.exists("/proc/%d" % pid),
               what="the processes have gone")
    web.ok("start", "web")
    assert state(web)["Status"] == "running"


def test_update_and_stats_of_a_paused_container(web):
    web.ok("pause", "web")
    web.ok("update", "--pids-limit", "40", "web")
    assert web.ok("stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}}") == "web 0.00%\n"
