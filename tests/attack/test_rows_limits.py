# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 4: rows 27-29, 33, 35, 37. Limits without a flag, read from the kernel, and what happens at them."""
import json
import os
import re

import pytest

from lib import host, wait

HELLO = "casemate/hello"
MIB = 1 << 20


def number(text):
    return int(text.split()[0])


def memory_limit(pid):
    return number(host.cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max"))


def memory_swap_limit(pid):
    """Bytes of swap that may be used: v1 counts memory and swap together."""
    together = host.cgroup_file(pid, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
    return number(together) - (memory_limit(pid) if "memory" in host.cgroup_of(pid) else 0)


def cpu_limit(pid):
    """Processors."""
    if "cpu" in host.cgroup_of(pid):
        return (number(host.cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"))
                / number(host.cgroup_file(pid, "cpu", "cpu.cfs_period_us", "cpu.max")))
    quota, period = host.cgroup_file(pid, "cpu", "", "cpu.max").split()
    return int(quota) / int(period)


def process_limit(pid):
    return number(host.cgroup_file(pid, "pids", "pids.max", "pids.max"))


def limits(pid):
    return memory_limit(pid), memory_swap_limit(pid), cpu_limit(pid), process_limit(pid)


@pytest.fixture
def sleeper(casemate):
    def start(*flags, name="web"):
        casemate.ok("run", "-d", "--name", name, *flags, HELLO, "sleep", "1000")
        return casemate.pid(name)
    return start


@pytest.mark.row(27)
def test_row_27_cpu_limit_by_default(sleeper):
    assert 0 < cpu_limit(sleeper()) <= os.cpu_count() * 0.9 + 0.001


@pytest.mark.row(27)
def test_row_27_hog_gets_its_limit(casemate):
    out = casemate.ok("run", "--rm", "--cpus", "0.3", HELLO, "spin", "3", timeout=60)
    got = float(re.search(r"[\d.]+", out).group())
    assert 20 <= got <= 30 * 1.05 + 5, out  # a period of 100 ms may have begun


@pytest.mark.row(28)
def test_row_28_memory_limit_by_default_without_swap(sleeper):
    pid = sleeper()
    total = number(re.search(r"MemTotal: +(\d+)", host.read("/proc/meminfo")).group(1)) * 1024
    assert 512 * MIB <= memory_limit(pid) <= max(total // 2 + MIB, 512 * MIB)
    assert memory_swap_limit(pid) == 0


@pytest.mark.row(28)
def test_row_28_hog_is_killed_and_said_so(casemate):
    result = casemate.run("run", "--name", "hog", "--memory", "64m", HELLO, "hog-memory", "200")
    assert result.status == 137, result
    state = json.loads(casemate.ok("inspect", "hog"))[0]["State"]
    assert state["OOMKilled"] is True and state["ExitCode"] == 137
    # What fits is not killed.
    assert casemate.run("run", "--rm", "--memory", "64m", HELLO, "hog-memory", "32").status == 0


def group_limit(pid):
    """Of all containers together: the group above the container's."""
    return number(host.cgroup_file(pid, "memory", "../memory.limit_in_bytes", "../memory.max"))


@pytest.mark.row(28)
@pytest.mark.parametrize("policy, kept", [("", 0.10), ("reserve = 25%\n", 0.25), ("reserve = 3g\n", None)])
def test_row_28_all_containers_together_leave_a_reserve(casemate, policy, kept):
    casemate.policy('[practice "limits"]\n' + policy)
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    total = number(re.search(r"MemTotal: +(\d+)", host.read("/proc/meminfo")).group(1)) * 1024
    reserve = min(max(3 << 30 if kept is None else int(total * kept), 512 * MIB), total // 2)
    assert abs(group_limit(casemate.pid("web")) - (total - reserve)) <= MIB


@pytest.mark.row(29)
def test_row_29_process_limit_by_default(sleeper):
    assert 0 < process_limit(sleeper()) <= 512


@pytest.mark.row(29)
def test_row_29_fork_bomb_is_contained(casemate):
    """The bomb ends its children once it has counted them: what it says is all that the limit let it start."""
    said = re.search(r"\d+", casemate.ok("run", "--rm", "--pids-limit", "32", HELLO, "forkbomb", "1000"))
    assert 16 < int(said.group()) < 32


@pytest.mark.row(29)
def test_row_29_exec_works_while_a_fork_bomb_has_all_that_the_limit_gives(casemate):
    casemate.ok("run", "-d", "--name", "bomb", "--pids-limit", "32", HELLO, "forkbomb", "1000", "hold")
    wait.until(lambda: "started" in casemate.ok("logs", "bomb"), what="the bomb has started what it can")
    assert "Resource temporarily unavailable" in casemate.ok("logs", "bomb")
    assert "31 of 1000" in casemate.ok("logs", "bomb")
    casemate.ok("exec", "bomb", "/hello", "spin", "1")
    casemate.ok("kill", "bomb")
    assert casemate.ok("wait", "bomb").strip() == "137"


@pytest.mark.row(33)
def test_row_33_shm_and_tmpfs_are_capped(casemate, busybox):
    script = "dd if=/dev/zero of=%s/fill bs=1M count=200 2>&1; stat -c %%s %s/fill"
    for where, flags, cap in (("/dev/shm", (), 64), ("/dev/shm", ("--shm-size", "8m"), 8),
                              ("/t", ("--tmpfs", "/t:size=16m"), 16), ("/t", ("--memory", "256m", "--tmpfs", "/t"), 199)):
        out = casemate.ok("run", "--rm", *flags, busybox, "sh", "-c", script % (where, where))
        assert "No space left" in out, (where, flags, out)
        assert int(out.split()[-1]) <= cap * MIB


@pytest.mark.row(33)
def test_row_33_shm_is_charged_to_the_container(casemate, busybox):
    result = casemate.run("run", "--rm", "--memory", "64m", "--shm-size", "1g", busybox, "dd", "if=/dev/zero",
                          "of=/dev/shm/fill", "bs=1M", "count=500")
    assert result.status == 137, result


@pytest.mark.row(35)
def test_row_35_ulimits_by_default(sleeper):
    text = host.read("/proc/%d/limits" % sleeper())
    soft = {m.group(1): m.group(2) for m in re.finditer(r"^Max ([a-z ]+?) {2,}(\S+)", text, re.M)}
    assert soft["core file size"] == "0"
    assert int(soft["open files"]) <= 1024
    assert int(soft["locked memory"]) <= 64 * 1024
    assert soft["processes"] != "unlimited"


@pytest.mark.row(37)
def test_row_37_limits_survive_restart_and_exec(casemate, sleeper):
    flags = ("--memory", "100m", "--cpus", "0.5", "--pids-limit", "40")
    before = limits(sleeper(*flags))
    assert before == (100 * MIB, 0, 0.5, 40)
    casemate.ok("exec", "web", "/hello", "true")
    assert limits(casemate.pid("web")) == before
    casemate.ok("stop", "-t", "0", "web")
    casemate.ok("start", "web")
    assert limits(casemate.pid("web")) == before


@pytest.mark.row(37)
def test_row_37_exec_is_in_the_same_groups(casemate, sleeper):
    first = host.cgroup_of(sleeper())
    session = casemate.popen("exec", "web", "/hello", "sleep", "1000")
    try:
        def other():
            return [p for p in host.pids() if host.command(p) == "/hello sleep 1000" and host.cgroup_of(p) == first]
        wait.until(lambda: len(other()) == 2, what="the second process in the container's groups")
    finally:
        session.kill()
        session.wait()


@pytest.mark.row(37)
def test_row_37_image_labels_change_nothing(casemate, busybox_made):
    from lib import images
    labels = {"io.kubernetes.cri-o.cpu-quota": "-1", "memory": "0", "casemate.memory": "0", "com.docker.memory": "-1",
              "io.katacontainers.config": "x", "security": "unconfined"}
    plain = images.make_image([images.busybox_layer()], {"Cmd": ["sleep", "1000"]})
    labelled = images.make_image([images.busybox_layer()], {"Cmd": ["sleep", "1000"], "Labels": labels})
    seen = []
    for name, image in (("plain", plain), ("labelled", labelled)):
        casemate.load(image, name + ":latest")
        casemate.ok("run", "-d", "--name", name, name + ":latest")
        seen.append(limits(casemate.pid(name)))
    assert seen[0] == seen[1]
