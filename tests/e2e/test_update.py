# SPDX-License-Identifier: Apache-2.0
"""casemate update: live, kept for the next start, and judged by the same practice as run."""
import json
import os

import pytest

from lib import host, wait

HELLO = "casemate/hello"
MIB = 1 << 20


def limits(pid):
    """Memory, memory and swap, processors, processes, shares, cpus: as the kernel has them."""
    if "memory" not in host.cgroup_of(pid):
        quota, period = host.cgroup_file(pid, "", "", "cpu.max").split()
        return (host.cgroup_file(pid, "", "", "memory.max"), host.cgroup_file(pid, "", "", "memory.swap.max"),
                int(quota) / int(period), host.cgroup_file(pid, "", "", "pids.max"),
                host.cgroup_file(pid, "", "", "cpu.weight"), host.cgroup_file(pid, "", "", "cpuset.cpus"))
    quota, period = (int(host.cgroup_file(pid, "cpu", "cpu.cfs_%s_us" % w, "")) for w in ("quota", "period"))
    return (host.cgroup_file(pid, "memory", "memory.limit_in_bytes", ""),
            host.cgroup_file(pid, "memory", "memory.memsw.limit_in_bytes", ""), quota / period,
            host.cgroup_file(pid, "pids", "pids.max", ""), host.cgroup_file(pid, "cpu", "cpu.shares", ""),
            host.cgroup_file(pid, "cpuset", "cpuset.cpus", ""))


@pytest.fixture
def web(casemate):
    casemate.ok("run", "-d", "--name", "web", "--memory", "200m", "--cpus", "0.5", "--pids-limit", "100", HELLO, "sleep", "1000")
    return casemate


def shown(casemate, name="web"):
    return json.loads(casemate.ok("inspect", name))[0]


def test_nothing_to_do(web):
    web.fails("update", "web", says="You must provide one or more flags")
    web.fails("update", "--memory", "1g", "absent", says="No such container")
    web.fails("update", "--cpus", "1", "--cpu-quota", "1000", "web", says="Conflicting options")
    web.fails("update", "--kernel-memory", "1m", "web", says="--memory")


@pytest.mark.row(37)
def test_row_37_update_is_live_and_stays(web):
    assert web.ok("update", "--memory", "100m", "--cpus", "0.25", "--pids-limit", "50", "--cpu-shares", "512",
                  "--cpuset-cpus", "0", "web") == "web\n"
    now = limits(web.pid("web"))
    assert now[0] == str(100 * MIB) and now[2:4] == (0.25, "50") and now[5] == "0"
    config = shown(web)["HostConfig"]
    assert (config["Memory"], config["MemorySwap"], config["PidsLimit"]) == (100 * MIB, 100 * MIB, 50)
    web.ok("exec", "web", "/hello", "true")
    assert limits(web.pid("web")) == now
    web.ok("stop", "-t", "0", "web")
    web.ok("start", "web")
    assert limits(web.pid("web")) == now
    explained = web.ok("explain", "web")
    assert "broken" not in explained and "100 MiB" in explained


def test_up_again_with_swap_and_quota(web):
    web.ok("update", "-m", "300m", "--memory-swap", "400m", "--cpu-quota", "30000", "--memory-reservation", "50m", "web")
    config = shown(web)["HostConfig"]
    assert (config["Memory"], config["MemorySwap"], config["NanoCpus"]) == (300 * MIB, 400 * MIB, 300000000)
    assert limits(web.pid("web"))[0] == str(300 * MIB)
    web.fails("update", "-m", "500m", "web", says="below --memory")
    web.fails("update", "--memory-reservation", "301m", "web", says="above --memory")
    assert limits(web.pid("web"))[0] == str(300 * MIB)


@pytest.mark.row(37)
def test_row_37_update_cannot_go_beyond_the_practice(web):
    before = limits(web.pid("web"))
    for flags in (("--pids-limit", "-1"), ("--memory", "0"), ("--memory-swap", "-1"), ("--memory", "100000g")):
        err = web.fails("update", *flags, "web", says="practice 4")
        assert flags[0] in err
    web.fails("update", "--cpus", str(os.cpu_count() + 1), "web", says="processors")
    assert limits(web.pid("web")) == before
    assert not os.path.exists(web.root + "/containers/%s/limits.json" % shown(web)["Id"])
    # What the policy allows is a grant, recorded before it has an effect, and gone when the limit is back.
    web.policy('[practice "limits"]\nallow-unlimited = pids\n')
    web.ok("update", "--pids-limit", "-1", "web")
    assert limits(web.pid("web"))[3] == "max"
    grants = shown(web)["Casemate"]["Grants"]
    assert [g["What"] for g in grants] == ["unlimited pids"] and grants[0]["Source"].endswith("casemate.conf:2")
    log = host.read(web.root + "/audit/log")
    assert '"unlimited pids"' in log and '"container.update"' in log and '"event":"refusal"' in log
    web.ok("update", "--pids-limit", "60", "web")
    assert limits(web.pid("web"))[3] == "60" and shown(web)["Casemate"]["Grants"] == []


def test_raised_limits_are_grants(web):
    said = web.run("update", "--pids-limit", "600", "web")
    text = host.read("/proc/%d/limits" % web.pid("web"))
    live = next(line for line in text.split("\n") if line.startswith("Max processes")).split()[2]
    assert said.status == 0 and (live == "600") != ("until the next start" in said.err), (live, said)
    assert [g["What"] for g in shown(web)["Casemate"]["Grants"]] == ["600 processes"]
    web.ok("stop", "-t", "0", "web")
    web.ok("start", "web")
    text = host.read("/proc/%d/limits" % web.pid("web"))
    assert "600" in next(line for line in text.split("\n") if line.startswith("Max processes"))


def test_a_container_that_does_not_run(casemate):
    casemate.ok("create", "--name", "later", HELLO, "sleep", "1000")
    casemate.ok("update", "--memory", "64m", "later")
    casemate.ok("start", "later")
    assert limits(casemate.pid("later"))[0] == str(64 * MIB)


def test_memory_that_is_in_use_cannot_be_taken(casemate, busybox):
    """v1 refuses it; then nothing has changed. v2 takes it, and the kernel makes room."""
    casemate.ok("run", "-d", "--name", "full", "--memory", "200m", "--shm-size", "150m", busybox, "sh", "-c",
                "dd if=/dev/zero of=/dev/shm/x bs=1M count=100 2>/dev/null; echo filled; exec sleep 1000")
    session = casemate.popen("logs", "-f", "full")
    assert session.stdout.readline() == b"filled\n"
    session.kill()
    session.communicate()
    if "memory" not in host.cgroup_of(casemate.pid("full")):
        pytest.skip("cgroup v2 takes any limit")
    casemate.fails("update", "--memory", "20m", "full", says="in use")
    assert limits(casemate.pid("full"))[0] == str(200 * MIB)
    assert shown(casemate, "full")["HostConfig"]["Memory"] == 200 * MIB


def test_restart_policy(web):
    web.ok("update", "--restart", "on-failure:3", "web")
    live = json.loads(host.read(web.root + "/containers/%s/live.json" % shown(web)["Id"]))
    assert live["restart"] == "on-failure:3"
    web.ok("update", "--restart", "no", "web")
    web.fails("update", "--restart", "often", "web", says="invalid restart policy")
    web.ok("run", "-d", "--rm", "--name", "once", HELLO, "sleep", "1000")
    web.fails("update", "--restart", "always", "once", says="AutoRemove")


@pytest.mark.row(37)
def test_row_37_labels_and_annotations_change_no_limit(casemate, web):
    plain = limits(web.pid("web"))
    for name in ("label", "annotation"):
        casemate.ok("run", "-d", "--name", name, "--memory", "200m", "--cpus", "0.5", "--pids-limit", "100", "--" + name,
                    "io.kubernetes.cri-o.cpu-quota=-1", "--" + name, "memory=0", "--" + name, "run.oci.systemd.subgroup=x",
                    HELLO, "sleep", "1000")
        assert limits(casemate.pid(name)) == plain


def test_a_restart_policy_that_comes_later_works(casemate, busybox):
    casemate.ok("run", "-d", "--name", "again", busybox, "sh", "-c", "echo run; until [ -e /end ]; do sleep 0.1; done; rm /end; exit 1")
    casemate.ok("update", "--restart", "on-failure:1", "again")
    casemate.ok("exec", "again", "touch", "/end")
    wait.until(lambda: casemate.ok("logs", "again").count("run") == 2, what="the second run")
    casemate.ok("stop", "-t", "0", "again")


def test_reservation_is_taken_back(web):
    def kept():
        return host.cgroup_file(web.pid("web"), "memory", "memory.soft_limit_in_bytes", "memory.low").strip()
    before = kept()
    web.ok("update", "--memory-reservation", "32m", "web")
    assert kept() == str(32 * MIB)
    web.ok("update", "--memory-reservation", "0", "web")
    assert kept() == before and shown(web)["HostConfig"]["MemoryReservation"] == 0
    web.ok("stop", "-t", "0", "web")
    web.ok("start", "web")
    assert kept() == before
