# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS rows 32, 95, 100 and what of ATTACKS.md is about the engine's files. Limits that need project quotas are tested by
tests/vm/guest/50-disk.sh, on a kernel that has them; here what is said where there are none."""
import json
import os
import stat
import subprocess

import pytest

from lib import host

HELLO = "casemate/hello"


def has_quota(path):
    """Whether the file system of `path` has project quotas: an ext4 or xfs that is mounted so."""
    best = max((m for m in host.read("/proc/self/mountinfo").splitlines() if path.startswith(m.split()[4])),
               key=lambda m: len(m.split()[4]))
    return "prjquota" in best or "pquota" in best


@pytest.mark.row(32)
def test_row_32_without_quotas_explain_says_so(casemate, busybox):
    if has_quota(casemate.base):
        pytest.skip("this file system has project quotas")
    casemate.ok("run", "-d", "--name", "box", "-v", "data:/d", busybox, "sleep", "1000")
    rows = [json.loads(line) for line in casemate.ok("explain", "--format", "json", "box").splitlines()]
    disk = {r["What"]: r for r in rows if r["What"].startswith("disk")}
    assert sorted(disk) == ["disk", "disk of volume data"]
    for row in disk.values():
        assert row["State"] == "not enforced yet" and row["Number"] == "4"
        assert row["Value"].startswith("not limited: ") and "quotas" in row["Value"]


@pytest.mark.row(32)
def test_row_32_a_limit_that_cannot_be_kept_is_refused(casemate, busybox):
    if has_quota(casemate.base):
        pytest.skip("this file system has project quotas")
    casemate.fails("run", "--rm", "--storage-opt", "size=10m", busybox, "true", status=125, says="quotas")
    casemate.fails("volume", "create", "-o", "size=10m", "data", status=1, says="quotas")
    casemate.fails("run", "--rm", "--mount", "source=data,target=/d,volume-opt=size=1g", busybox, "true", status=125, says="quotas")
    assert casemate.ok("volume", "ls", "-q") == "" and casemate.ok("ps", "-aq") == ""


@pytest.mark.row(32)
@pytest.mark.parametrize("option, says", [("size=", "size"), ("size=x", "size"), ("size=0", "more than 0"), ("inodes=x", "inodes"),
                                          ("colour=red", "not supported"), ("size=10k", "least"),
                                          ("size=-1", r"allow-unlimited = disk.*practice 4")])
def test_row_32_wrong_limits(casemate, busybox, option, says):
    casemate.fails("run", "--rm", "--storage-opt", option, busybox, "true", status=125, says=says)


@pytest.mark.row(32)
def test_row_32_policy_limits(casemate, busybox):
    casemate.policy('[practice "limits"]\ndisk = 3g\ndisk-inodes = 7000\nallow-unlimited = disk\n')
    casemate.ok("create", "--name", "box", busybox, "true")
    plan = json.loads(host.read(os.path.join(casemate.root, "containers", casemate.ok("ps", "-aq", "--no-trunc").strip(), "plan.json")))
    assert (plan["disk"], plan["disk_inodes"]) == (3 << 30, 7000)
    casemate.policy('[practice "limits"]\ndisk = lots\n')
    casemate.fails("create", busybox, "true", status=1, says="disk")


@pytest.mark.row(95)
@pytest.mark.parametrize("flags", [("--read-only",), ("--profile", "strict", "-u", "1000")])
def test_row_95_the_root_cannot_be_written(casemate, busybox, flags):
    out = casemate.run("run", "--rm", *flags, busybox, "sh", "-c", "for d in / /etc /bin /var /home/app; do touch $d/x; done").err
    assert out.count("Read-only file system") == 5, out


@pytest.mark.row(95)
def test_row_95_strict_has_small_places_to_write(casemate, busybox):
    script = "for d in /tmp /run /var/tmp; do dd if=/dev/zero of=$d/fill bs=1M count=40 2>&1 | grep -c 'No space'; stat -c %s $d/fill; done"
    out = casemate.ok("run", "--rm", "--profile", "strict", "-u", "1000", busybox, "sh", "-c", script).split()
    assert out[0::2] == ["1"] * 3 and all(0 < int(size) <= 16 << 20 for size in out[1::2]), out
    own = casemate.ok("run", "--rm", "--profile", "strict", "-u", "1000", "-v", "data:/tmp:nocopy", "--tmpfs", "/run:size=1m", busybox,
                      "grep", "-E", " /(tmp|run|var/tmp) ", "/proc/mounts").splitlines()
    kinds = {line.split()[1]: (line.split()[2], "size=1024k" in line) for line in own}
    assert kinds["/tmp"][0] != "tmpfs" and kinds["/run"] == ("tmpfs", True) and kinds["/var/tmp"] == ("tmpfs", False)


@pytest.mark.row(95)
def test_row_95_declared_volumes_stay_writable(casemate, busybox):
    assert casemate.ok("run", "--rm", "--profile", "strict", "-u", "1000", "--tmpfs", "/data", busybox, "sh", "-c", "echo ok > /data/f; cat /data/f") == "ok\n"


@pytest.mark.row(95)
def test_row_95_files_of_the_engine_are_the_containers_own(casemate, busybox):
    """Written by the container, /etc/hosts and the others change nothing on the host."""
    before = {name: host.read("/etc/" + name) for name in ("hosts", "hostname", "resolv.conf")}
    for flags in ((), ("--read-only",)):
        casemate.run("run", "--rm", *flags, busybox, "sh", "-c", "for f in hosts hostname resolv.conf; do echo evil > /etc/$f; done")
    assert {name: host.read("/etc/" + name) for name in before} == before


STATE = ["", "volumes", "containers", "layers", "images", "names", "staging", "cache", "format", "index.db", "audit", "audit/log",
         "audit/head"]


@pytest.fixture
def used(casemate):
    """A data root in which everything is there."""
    casemate.ok("run", "--rm", "-v", "data:/d", HELLO, "true")
    return casemate


@pytest.mark.row(100)
@pytest.mark.parametrize("part", STATE)
def test_row_100_state_that_others_can_write(used, part):
    path = os.path.join(used.root, part).rstrip("/")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    for wrong in (mode | 0o002, mode | 0o020):
        os.chmod(path, wrong)
        message = used.fails("ps", status=1, says="can be written by others")
        assert path in message and "chmod go-w " + path in message
    os.chmod(path, mode)
    used.ok("ps")


@pytest.mark.row(100)
@pytest.mark.parametrize("part", STATE)
def test_row_100_state_of_somebody_else(used, part):
    path = os.path.join(used.root, part).rstrip("/")
    os.chown(path, 1000, -1)
    assert "chown 0:0 " + path in used.fails("run", "--rm", HELLO, "true", status=125, says="belongs to another user")
    os.chown(path, 0, -1)
    used.ok("ps")


@pytest.mark.row(100)
@pytest.mark.parametrize("part", ["volumes", "audit", "audit/head"])
def test_row_100_state_that_is_a_link(used, part, tmp_path):
    path = os.path.join(used.root, part)
    os.rename(path, path + ".real")
    os.symlink(path + ".real", path)
    used.fails("ps", status=1, says="symbolic link")
    os.unlink(path)
    os.rename(path + ".real", path)
    used.ok("ps")


@pytest.mark.row(100)
def test_row_100_run_directory(used):
    for path in (used.rundir, os.path.join(used.rundir, "ids")):
        os.chmod(path, 0o777)
        used.fails("ps", status=1, says="can be written by others.*chmod go-w")
        os.chmod(path, 0o700)
        os.chown(path, 1000, -1)
        used.fails("ps", status=1, says="belongs to another user")
        os.chown(path, 0, -1)
    used.ok("ps")


@pytest.mark.row(100)
def test_row_100_policy(used):
    used.policy("[casemate]\nprofile = standard\n")
    os.chmod(used.conf, 0o666)
    used.fails("run", "--rm", HELLO, "true", status=125, says="chmod go-w")
    os.chmod(used.conf, 0o644)
    os.chown(used.conf, 1000, -1)
    used.fails("run", "--rm", HELLO, "true", status=125, says="chown root:root")
    os.chown(used.conf, 0, -1)
    os.mkdir(os.path.join(used.base, "conf.d"))
    os.chmod(os.path.join(used.base, "conf.d"), 0o777)
    used.fails("run", "--rm", HELLO, "true", status=125, says="chmod go-w")
    os.chmod(os.path.join(used.base, "conf.d"), 0o755)
    used.ok("run", "--rm", HELLO, "true")


@pytest.mark.row(100)
def test_row_100_what_may_be_read_is_closed(used):
    """Readable by others is no way to write: it is closed without a word."""
    os.chmod(used.root, 0o755)
    used.ok("ps")
    assert stat.S_IMODE(os.stat(used.root).st_mode) == 0o700


def walked_by_nobody(path):
    """What user 65534 finds below path that has a set-id bit; "" when it cannot even enter."""
    return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "find", path, "-perm", "/6000"],
                          capture_output=True, text=True, cwd="/", timeout=30).stdout


def test_other_users_do_not_reach_the_state(casemate, busybox):
    """CVE-2021-21284, CVE-2021-41091, CVE-2021-41103, CVE-2024-25621: data root, layers, volumes and run directory are closed to others, so no
    set-id program of an image or volume can be run by a user of the host, and no id of a container can change them."""
    casemate.ok("run", "--rm", "-v", "data:/d", busybox, "sh", "-c", "cp /bin/busybox /d/evil; chmod 6755 /d/evil")
    assert os.stat(os.path.join(casemate.root, "volumes/data/data/evil")).st_mode & 0o6000 == 0o6000
    casemate.ok("run", "-d", "--name", "box", "-v", "data:/d", busybox, "sleep", "1000")
    for path in (casemate.root, casemate.rundir, *[os.path.join(casemate.root, d) for d in ("layers", "volumes", "containers", "images")]):
        st = os.stat(path)
        assert (st.st_uid, st.st_mode & 0o077) == (0, 0), path
        assert walked_by_nobody(path) == ""
    uid = int(host.status_field(casemate.pid("box"), "Uid").split()[0])
    tried = subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "chown", str(uid), casemate.root + "/volumes"],
                           capture_output=True, text=True, cwd="/", timeout=30)
    assert tried.returncode != 0 and os.stat(casemate.root + "/volumes").st_uid == 0
