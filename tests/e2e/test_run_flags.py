# SPDX-License-Identifier: Apache-2.0
"""Flags of run and create for limits, block I/O, devices, names and descriptions: what the kernel holds, and what is refused how."""
import json
import os
import stat

import pytest

from lib import host

HELLO = "casemate/hello"
MIB = 1 << 20


def disk_of(path):
    """MAJOR:MINOR of the whole disk behind a path, or None."""
    device = os.stat(path).st_dev
    number = "%d:%d" % (os.major(device), os.minor(device))
    if os.major(device) == 0:
        return None
    if os.path.exists("/sys/dev/block/%s/partition" % number):
        return host.read("/sys/dev/block/%s/../dev" % number).strip()
    return number


def block_device():
    """The path of a whole disk of this machine, and its number."""
    for name in sorted(os.listdir("/sys/block")):
        path = "/dev/" + name
        if os.path.exists(path) and stat.S_ISBLK(os.stat(path).st_mode):
            return path, host.read("/sys/block/%s/dev" % name).strip()
    return None


def rates(pid):
    """{disk: (read bytes, write bytes, read requests, write requests)} of a process's group."""
    groups = host.cgroup_of(pid)
    found = {}
    if "blkio" in groups:
        for i, name in enumerate(("read_bps", "write_bps", "read_iops", "write_iops")):
            text = host.cgroup_file(pid, "blkio", "blkio.throttle.%s_device" % name, "")
            for line in text.split("\n"):
                if line:
                    disk, rate = line.split()
                    found.setdefault(disk, ["max"] * 4)[i] = rate
    else:
        for line in host.cgroup_file(pid, "", "", "io.max").split("\n"):
            if line:
                disk, *words = line.split()
                found[disk] = [dict(w.split("=") for w in words)[k] for k in ("rbps", "wbps", "riops", "wiops")]
    return {disk: tuple(r if r == "max" else int(r) for r in values) for disk, values in found.items()}


@pytest.fixture
def sleeper(casemate):
    def start(*flags, name="web"):
        casemate.ok("run", "-d", "--name", name, *flags, HELLO, "sleep", "1000")
        return casemate.pid(name)
    return start


@pytest.mark.row(31)
def test_row_31_block_io_is_limited_by_default(casemate, sleeper):
    pid = sleeper()
    disk = disk_of(casemate.root)
    if disk is None:
        pytest.skip("the data root is on no single disk")
    assert rates(pid)[disk] == (256 * MIB, 256 * MIB, 10000, 10000)
    shown = casemate.ok("explain", "web")
    assert "reads 256 MiB in 10000 requests" in shown
    assert ("buffered writes" in shown) == ("blkio" in host.cgroup_of(pid))


@pytest.mark.row(31)
def test_row_31_block_io_by_policy_and_flag(casemate, sleeper):
    disk = block_device()
    if disk is None:
        pytest.skip("this machine has no disk")
    path, number = disk
    casemate.policy('[practice "limits"]\nread-bps = 10m\nwrite-bps = unlimited\nread-iops = 100\n')
    pid = sleeper("--device-write-bps", path + ":2mb", "--device-read-bps", path + ":20mb", "--device-write-iops",
                  path + ":50")
    assert rates(pid)[number][:2] == (20 * MIB, 2 * MIB)
    assert rates(pid)[number][3] == 50
    config = json.loads(casemate.ok("inspect", "web"))[0]["HostConfig"]
    assert config["BlkioDeviceWriteBps"] == [{"Path": path, "Rate": 2 * MIB}]
    grants = [g["What"] for g in json.loads(casemate.ok("inspect", "web"))[0]["Casemate"]["Grants"]]
    assert grants == ["read-bps %d of %s" % (20 * MIB, path)]  # more than the policy's, the others are less


def test_block_io_of_what_is_no_disk(casemate):
    casemate.fails("run", "--rm", "--device-read-bps", "/dev/null:1mb", HELLO, status=125, says="/dev/null is not a disk")
    casemate.fails("run", "--rm", "--device-read-bps", "/dev/null", HELLO, status=125, says="not DEVICE:RATE")
    casemate.fails("run", "--rm", "--blkio-weight", "5", HELLO, status=125, says="between 10 and 1000")


def test_direct_io_is_slowed_down(casemate, busybox):
    """4 MiB at 2 MiB a second, past the page cache, take longer than a second; ratios and no more."""
    disk = disk_of(casemate.root)
    path = next(("/dev/" + n for n in os.listdir("/sys/block") if host.read("/sys/block/%s/dev" % n, "").strip() == disk
                 and os.path.exists("/dev/" + n)), None)
    if path is None:
        pytest.skip("the data root is on no disk with a node")
    script = "s=$(date +%s%N 2>/dev/null); dd if=/dev/zero of=/x bs=64k count=64 oflag=direct 2>&1; cat /proc/uptime"
    out = casemate.ok("run", "--rm", "--device-write-bps", path + ":2mb", busybox, "sh", "-c",
                      "cat /proc/uptime; " + script)
    lines = out.strip().split("\n")
    assert float(lines[-1].split()[0]) - float(lines[0].split()[0]) > 1.0, out


def test_shares_and_reservation(casemate, sleeper):
    pid = sleeper("-c", "512", "--memory", "100m", "--memory-reservation", "40m", "--cpu-period", "50000", "--cpu-quota",
                  "25000", "--cpuset-mems", "0", "--cpuset-cpus", "0")
    if "cpu" in host.cgroup_of(pid):
        assert host.cgroup_file(pid, "cpu", "cpu.shares", "") == "512"
        assert host.cgroup_file(pid, "cpu", "cpu.cfs_period_us", "") == "50000"
        assert host.cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "") == "25000"
        assert host.cgroup_file(pid, "memory", "memory.soft_limit_in_bytes", "") == str(40 * MIB)
        assert host.cgroup_file(pid, "cpuset", "cpuset.mems", "") == "0"
    else:
        assert host.cgroup_file(pid, "", "", "cpu.max") == "25000 50000"
        assert host.cgroup_file(pid, "", "", "memory.low") == str(40 * MIB)
    config = json.loads(casemate.ok("inspect", "web"))[0]["HostConfig"]
    assert (config["CpuShares"], config["MemoryReservation"], config["NanoCpus"]) == (512, 40 * MIB, 500000000)
    casemate.fails("run", "--memory", "10m", "--memory-reservation", "11m", HELLO, status=125, says="above --memory")
    casemate.fails("run", "--cpus", "1", "--cpu-quota", "5000", HELLO, status=125, says="Conflicting options")
    casemate.fails("run", "--cpu-quota", "-1", HELLO, status=125, says="without a limit")


@pytest.mark.row(36)
def test_row_36_containers_end_before_the_host(casemate, sleeper):
    pid = sleeper()
    assert int(host.read("/proc/%d/oom_score_adj" % pid)) == 500
    assert int(host.read("/proc/%d/oom_score_adj" % casemate.pid("web"))) > int(host.read("/proc/self/oom_score_adj"))
    assert int(host.read("/proc/%d/oom_score_adj" % sleeper("--oom-score-adj", "900", name="more"))) == 900
    for score in ("499", "0", "-1000"):
        casemate.fails("run", "--oom-score-adj", score, HELLO, status=125, says=r"practice 4")
    casemate.policy('[practice "limits"]\noom-score-adj = 100\n')
    assert int(host.read("/proc/%d/oom_score_adj" % sleeper("--oom-score-adj", "200", name="less"))) == 200
    casemate.fails("run", "--oom-kill-disable", HELLO, status=125, says=r"practice 4")
    assert casemate.run("run", "--rm", "--oom-kill-disable=false", HELLO, "true").status == 0


def test_device_that_is_granted_can_be_used(casemate, busybox):
    out = casemate.ok("run", "--rm", "--device", "/dev/zero:/dev/deep/down:r", busybox, "sh", "-c",
                      "head -c 4 /dev/deep/down | od -An -tx1; ls -l /dev/deep/down; mknod /dev/again c 1 5 2>&1; true")
    assert "00 00 00 00" in out and "1,   5" in out
    assert "mknod" in out and ("not permitted" in out or "denied" in out)


def test_device_that_may_only_be_read(casemate, busybox):
    if not os.path.exists("/dev/fuse") or "devices" not in host.cgroup_of(os.getpid()):
        pytest.skip("no /dev/fuse, or no control group of devices")
    script = "(exec 3</dev/fuse) && echo read; (exec 3<>/dev/fuse) 2>&1; true"
    out = casemate.ok("run", "--rm", "--device", "/dev/fuse:r", busybox, "sh", "-c", script)
    assert out.startswith("read\n") and "Operation not permitted" in out


def test_device_of_the_host_that_other_programs_use(casemate, busybox):
    for path in ("/dev/fuse", "/dev/net/tun"):
        if not os.path.exists(path):
            pytest.skip("this machine has no %s" % path)
        out = casemate.ok("run", "--rm", "--device", path, busybox, "sh", "-c", "exec 3<>%s && echo opened" % path)
        assert out == "opened\n"
    grants = casemate.ok("create", "--name", "cc", "--device", "/dev/fuse", HELLO) and json.loads(
        casemate.ok("inspect", "cc"))[0]
    assert {"Practice": 5, "What": "device /dev/fuse (rw)", "Source": "--device"} in grants["Casemate"]["Grants"]
    assert grants["HostConfig"]["Devices"] == [
        {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}]
    assert '"device /dev/fuse (rw)"' in host.read(casemate.root + "/audit/log")


def test_devices_that_reach_beyond_the_container_are_refused(casemate):
    tried = 0
    for path, why in (("/dev/loop-control", "makes disks"), ("/dev/mem", "memory of the machine"),
                      ("/dev/kmsg", "log of the kernel"), ("/dev/kvm", "virtual machines"), ("/dev/tty1", "console"),
                      ("/dev/console", "console"), ((block_device() or ("/absent", ""))[0], "disk of the machine")):
        if not os.path.exists(path):
            continue
        tried += 1
        err = casemate.fails("run", "--rm", "--device", path, HELLO, status=125, says="practice 5")
        assert "allow-device = %s" % path in err and '[practice "isolation"]' in err and why in err, err
    assert tried >= 2
    casemate.fails("run", "--rm", "--device", "/etc/passwd:/dev/x", HELLO, status=125, says="not a device")
    casemate.fails("run", "--rm", "--device", "/dev:/dev/x", HELLO, status=125, says="allow-device|more than 64")
    casemate.fails("run", "--rm", "--device", "/etc:/dev/x", HELLO, status=125, says="a directory without a device in it")
    casemate.fails("run", "--rm", "--device", "/dev/null:/etc/x", HELLO, status=125, says="below /dev")
    casemate.fails("run", "--rm", "--device", "/dev/null:/dev/../x", HELLO, status=125, says="below /dev")
    casemate.fails("run", "--rm", "--device-cgroup-rule", "c 1:3 rw", HELLO, status=125, says="--device PATH")


def test_devices_of_a_directory(casemate, busybox, tmp_path):
    """Each device below it, no link, nothing else; one that is refused refuses them all."""
    os.mkdir(tmp_path / "sub")
    for name, minor in (("b", 5), ("a", 3), ("sub/c", 7)):
        os.mknod(tmp_path / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        os.chmod(tmp_path / name, 0o666)
    os.symlink("/dev/mem", tmp_path / "link")
    (tmp_path / "file").write_text("x")
    out = casemate.ok("run", "--name", "cc", "--device", "%s:/dev/set:r" % tmp_path, busybox, "sh", "-c",
                      "cd /dev/set && find . -type c | sort && head -c 2 b | od -An -tx1")
    assert out.split() == ["./a", "./b", "./sub/c", "00", "00"]
    whole = json.loads(casemate.ok("inspect", "cc"))[0]
    assert [d["PathInContainer"] for d in whole["HostConfig"]["Devices"]] == ["/dev/set/a", "/dev/set/b", "/dev/set/sub/c"]
    assert sum(g["What"].startswith("device %s/" % tmp_path) for g in whole["Casemate"]["Grants"]) == 3
    os.mknod(tmp_path / "z", 0o666 | stat.S_IFCHR, os.makedev(1, 1))
    casemate.fails("run", "--rm", "--device", "%s:/dev/set" % tmp_path, HELLO, status=125, says="allow-device = %s/z" % tmp_path)


def test_device_by_policy(casemate, busybox, tmp_path):
    if not os.path.exists("/dev/loop-control"):
        pytest.skip("this machine has no /dev/loop-control")
    casemate.policy('[practice "isolation"]\nallow-device = /dev/loop-control\n')
    out = casemate.ok("run", "--name", "cc", "--device", "/dev/loop-control", busybox, "sh", "-c",
                      "exec 3<>/dev/loop-control && echo opened")
    assert out == "opened\n"
    grants = json.loads(casemate.ok("inspect", "cc"))[0]["Casemate"]["Grants"]
    assert any(g["Source"].endswith("casemate.conf:2") for g in grants), grants
    node = "/dev/casemate-test-%d" % os.getpid()
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    try:
        casemate.ok("create", "--name", "dd", "--device", node, HELLO, "true")
        os.unlink(node)
        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 8))
        casemate.fails("start", "dd", says="another device than when the container was made")
    finally:
        os.unlink(node)


def test_names_in_etc(casemate, busybox):
    out = casemate.ok("run", "--rm", "--add-host", "db:10.1.2.3", "--add-host", "six=[::5]", "--dns", "192.0.2.1", "--dns",
                      "2001:db8::1", "--dns-search", "example.org", "--dns-option", "ndots:2", "--dns-opt", "rotate",
                      "--domainname", "dom.example", busybox, "sh", "-c",
                      "cat /etc/hosts /etc/resolv.conf /proc/sys/kernel/domainname")
    assert "10.1.2.3\tdb\n" in out and "::5\tsix\n" in out
    assert "nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example.org\noptions ndots:2 rotate\n" in out
    assert out.endswith("dom.example\n")
    casemate.fails("run", "--add-host", "db", HELLO, status=125, says="NAME:ADDRESS")
    casemate.fails("run", "--add-host", "db:1.2.3", HELLO, status=125, says="no address")
    casemate.fails("run", "--add-host", "d\nb:1.2.3.4", HELLO, status=125)
    casemate.fails("run", "--dns", "one.example", HELLO, status=125, says="no address")
    casemate.fails("run", "--add-host", "x:host-gateway", HELLO, status=125, says="--network none")


def test_descriptions_change_nothing(casemate):
    casemate.ok("create", "--name", "cc", "--annotation", "io.casemate.memory=0", "--annotation", "bare", "--expose", "80",
                "--expose", "5000-5001/udp", HELLO)
    whole = json.loads(casemate.ok("inspect", "cc"))[0]
    assert whole["HostConfig"]["Annotations"] == {"io.casemate.memory": "0", "bare": ""}
    assert whole["Config"]["ExposedPorts"] == {"80/tcp": {}, "5000/udp": {}, "5001/udp": {}}
    casemate.fails("run", "-p", "80:80", HELLO, status=125, says="no port would be reachable")
    casemate.fails("run", "-P", HELLO, status=125, says="no port would be reachable")


def test_a_variable_that_is_not_set_takes_the_images_away(casemate, busybox):
    out = casemate.ok("run", "--rm", "-e", "PATH", "-e", "CASEMATE_TEST_P*", "--unsetenv", "HOME", busybox, "/bin/env",
                      env={"CASEMATE_TEST_PA": "1", "CASEMATE_TEST_PB": "2", "CASEMATE_TEST_Q": "3"})
    assert "CASEMATE_TEST_PA=1\nCASEMATE_TEST_PB=2\n" in out and "CASEMATE_TEST_Q" not in out
    del_env = casemate.ok("run", "--rm", "-e", "CASEMATE_ABSENT", "-e", "A=1", "-e", "A", busybox, "/bin/env")
    assert "CASEMATE_ABSENT" not in del_env and "A=1" not in del_env.split("\n")
    casemate.fails("run", "--env-host", HELLO, status=125, says="secrets")


@pytest.mark.parametrize("words, says", [
    (("--userns", "host"), "practice 5"), (("--uts", "host"), "practice 5"), (("--cgroupns", "host"), "practice 5"),
    (("--pid", "host"), "practice 5"), (("--ipc", "host"), "practice 5"), (("--userns", "keep-id"), "owner's files"),
    (("--isolation", "hyperv"), "other systems"), (("--gpus", "all"), "--device"), (("--link", "x"), "networks"),
    (("--runtime", "runc"), "is the runtime"), (("--kernel-memory", "1m"), "--memory"), (("--cpu-rt-runtime", "1"), "real-time"),
    (("--cpu-count", "1"), "other systems"), (("--cgroup-parent", "/x"), "one control group"), (("--use-api-socket",), "socket"),
])
def test_what_there_is_not_says_why(casemate, words, says):
    casemate.fails("run", *words, HELLO, status=125, says=says)


def test_ipc_none_has_no_dev_shm(casemate, busybox):
    out = casemate.ok("run", "--rm", "--ipc", "none", busybox, "sh", "-c", "grep -c /dev/shm /proc/self/mounts; echo x > /dev/shm/x "
                      "|| true", text=True)
    assert out.split()[0] == "0"
    casemate.ok("run", "-d", "--name", "web", "--ipc", "none", HELLO, "sleep", "1000")
    assert "broken" not in casemate.ok("explain", "web")


def test_words_that_change_nothing(casemate):
    casemate.ok("run", "--rm", "--userns", "private", "--uts", "", "--cgroupns", "private", "--pid", "", "--ipc", "shareable",
                "--isolation", "default", "--oom-kill-disable=false", "--memory-swappiness", "-1", "--cpu-shares", "0",
                "--blkio-weight", "0", HELLO, "true")
