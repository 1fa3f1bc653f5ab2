# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practices 6, 7, 10 and 11: rows 49-54, 56-59, 63, 64, 82-84, 87. Capabilities, system calls, users."""
import json
import os
import platform
import re

import pytest

from attack import probe_expect
from lib import host, images

HELLO = "casemate/hello"
CAPABILITY_LINES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
SHOW_STATUS = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status"


def probe_of(casemate, *words):
    return json.loads(casemate.ok(*words))


@pytest.fixture
def probe(casemate):
    return probe_of(casemate, "run", "--rm", HELLO, "probe", "--json")


def capabilities(text):
    return {name: int(value, 16) for name, value in re.findall(r"^(Cap\w+):\s*([0-9a-f]+)", text, re.M)}


@pytest.mark.row(49)
@pytest.mark.parametrize("user", ["0", "app"])
def test_row_49_no_capability_in_run_and_exec(casemate, busybox, user):
    casemate.ok("run", "-d", "--name", "web", "-u", user, busybox, "sleep", "1000")
    inside = [casemate.ok("run", "--rm", "-u", user, busybox, "sh", "-c", SHOW_STATUS),
              casemate.ok("exec", "web", "sh", "-c", SHOW_STATUS), host.read("/proc/%d/status" % casemate.pid("web"))]
    for text in inside:
        found = capabilities(text)
        assert set(found) == set(CAPABILITY_LINES) and not any(found.values()), text


DANGEROUS = ["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "DAC_READ_SEARCH", "SYS_RAWIO", "BPF", "NET_ADMIN", "ALL"]


@pytest.mark.row(50)
@pytest.mark.parametrize("name", DANGEROUS)
def test_row_50_dangerous_capabilities_need_policy(casemate, name):
    said = casemate.fails("run", "--rm", "--cap-add", name, HELLO, "true", status=125)
    assert "practice 6" in said and name in said, said


@pytest.mark.row(50)
def test_row_50_one_capability_is_one_capability(casemate, busybox):
    out = casemate.ok("run", "--rm", "--cap-add", "CHOWN", busybox, "sh", "-c", SHOW_STATUS)
    found = capabilities(out)
    assert found["CapEff"] == found["CapBnd"] == 1 << 0, out
    assert found["CapInh"] == found["CapAmb"] == 0


@pytest.mark.row(50)
def test_row_50_switch_user_ends_with_none(casemate, busybox):
    """What official entrypoints do: chown as root, then become another user."""
    script = "touch /f && chown app /f && stat -c %U /f && exec su -s /bin/sh app -c \"id -u; " + SHOW_STATUS + "\""
    out = casemate.ok("run", "--rm", "--cap-add", "@switch-user", busybox, "sh", "-c", script)
    assert out.splitlines()[:2] == ["app", "1000"], out
    found = capabilities(out)
    assert found["CapEff"] == found["CapPrm"] == found["CapAmb"] == 0, out


@pytest.mark.row(50)
def test_row_50_the_grant_is_shown(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", "--cap-add", "CHOWN", busybox, "sleep", "1000")
    assert "CHOWN" in casemate.ok("explain", "web")


@pytest.mark.row(51)
def test_row_51_no_new_privileges(casemate, probe):
    assert probe["no_new_privs"] == 1
    assert not probe["suid_escalates"]


@pytest.mark.row(52)
def test_row_52_privileged_is_refused_with_what_to_grant(casemate):
    said = casemate.fails("run", "--rm", "--privileged", HELLO, "true", status=125)
    assert "--cap-add" in said, said


@pytest.mark.row(53)
def test_row_53_devices(casemate, busybox, probe):
    assert probe["powers"]["mknod"] == 0 if "mknod" in probe["powers"] else True
    assert len(probe["device_nodes"]) <= 7, probe["device_nodes"]
    result = casemate.run("run", "--rm", busybox, "sh", "-c", "mknod /d b 8 0")
    assert result.status != 0 and "not permitted" in result.err, result


@pytest.mark.row(53)
def test_row_53_nothing_in_dev_but_the_usual(casemate, busybox):
    names = casemate.ok("run", "--rm", busybox, "ls", "/dev").split()
    assert set(names) <= {"console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                          "stdout", "tty", "urandom", "zero"}, names


def stable(probe):
    """What must be the same in run and exec: everything but numbers of namespaces' objects and of the process."""
    keys = ("syscalls_reachable", "powers", "socket_families", "int80_works", "x32_works", "seccomp", "cap_eff", "cap_bnd",
            "cap_prm", "cap_inh", "cap_amb", "no_new_privs", "uid0_host", "suid_escalates", "proc_writable", "sys_writable",
            "host_info", "mounts_without_nosuid", "device_nodes", "pids_limit", "memory_limit", "cpu_limit", "rlimits", "namespaces")
    return {key: probe[key] for key in keys}


@pytest.mark.row(54)
@pytest.mark.parametrize("flags", [(), ("--cap-add", "@switch-user"), ("--read-only",), ("-u", "1000")])
def test_row_54_exec_is_no_more_than_run(casemate, flags):
    """GEN-exec-setns."""
    casemate.ok("run", "-d", "--name", "web", *flags, HELLO, "sleep", "1000")
    run = stable(probe_of(casemate, "run", "--rm", *flags, HELLO, "probe", "--json"))
    exec_ = stable(probe_of(casemate, "exec", "web", "/hello", "probe", "--json"))
    for name in ("namespaces", "uid0_host"):  # another container's
        run.pop(name), exec_.pop(name)
    assert exec_ == run


@pytest.mark.row(54)
def test_row_54_exec_joins_the_containers_namespaces(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    inside = probe_of(casemate, "exec", "web", "/hello", "probe", "--json")["namespaces"]
    first = probe_expect.namespaces(casemate.pid("web"))
    assert {name: inside[name] for name in first} == first


@pytest.mark.row(54)
def test_row_54_exec_cannot_be_privileged(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    casemate.fails("exec", "--privileged", "web", "/hello", "true", status=125)


@pytest.mark.row(56)
def test_row_56_fewer_system_calls_than_docker(probe):
    assert 0 < probe["syscalls_reachable"] <= probe_expect.SYSCALLS_MAX


@pytest.mark.row(57)
def test_row_57_powers(probe):
    working = sorted(name for name, works in probe["powers"].items() if works)
    assert len(working) <= probe_expect.POWERS_MAX, working
    for part in ("userns", "mount", "keyctl", "bpf", "perf", "io_uring", "userfaultfd", "process_vm", "ptrace", "kexec", "module"):
        assert not [name for name in working if part in name], working


@pytest.mark.row(58)
def test_row_58_socket_families(probe):
    assert set(probe["socket_families"]) <= {"UNIX", "INET", "INET6"}


@pytest.mark.row(59)
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other ABIs are x86-64's")
def test_row_59_other_abis_are_closed(probe):
    assert not probe["int80_works"] and not probe["x32_works"]


def has_landlock():
    return "landlock" in host.read("/sys/kernel/security/lsm") or os.path.exists("/sys/kernel/security/landlock")


@pytest.mark.row(63)
def test_row_63_second_layer(casemate, busybox):
    """With a read-only root nothing but the declared places can be written, and Landlock says so itself where the kernel has it."""
    script = "for p in / /etc /bin /usr /tmp /data; do touch $p/x 2>/dev/null && echo written $p; done; echo done"
    out = casemate.ok("run", "--rm", "--read-only", "--tmpfs", "/data", busybox, "sh", "-c", script)
    assert out.split("\n")[:-1] in (["written /data", "done"], ["written /tmp", "written /data", "done"]), out


WIDE = {"defaultAction": "SCMP_ACT_ALLOW"}


@pytest.mark.row(64)
def test_row_64_a_wider_profile_opens_nothing(casemate, tmp_path, probe):
    path = tmp_path / "wide.json"
    path.write_text(json.dumps(WIDE))
    result = casemate.run("run", "--rm", "--security-opt", "seccomp=%s" % path, HELLO, "probe", "--json")
    if result.status == 125:
        assert "practice 7" in result.err, result.err
        return
    wide = json.loads(result.out)
    assert wide["syscalls_reachable"] <= probe["syscalls_reachable"]
    assert wide["powers_working"] <= probe["powers_working"]


@pytest.mark.row(64)
def test_row_64_a_narrower_profile_narrows(casemate, tmp_path, busybox):
    path = tmp_path / "narrow.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}))
    result = casemate.run("run", "--rm", "--security-opt", "seccomp=%s" % path, busybox, "mkdir", "/x")
    if result.status == 125:
        pytest.fail("a profile that narrows was refused: " + result.err)
    assert result.status == 1 and "not permitted" in result.err, result


@pytest.mark.row(64)
def test_row_64_unconfined_is_refused(casemate):
    said = casemate.fails("run", "--rm", "--security-opt", "seccomp=unconfined", HELLO, "true", status=125)
    assert "practice 7" in said, said


@pytest.mark.row(82)
def test_row_82_setuid_in_a_layer_means_nothing(casemate, busybox_made):
    layer = images.busybox_layer().dir("setid").file("setid/id", open("/bin/busybox", "rb").read(), mode=0o6755)
    casemate.load(images.make_image([layer], {"Cmd": ["sh"]}), "suid:latest")
    out = casemate.ok("run", "--rm", "-u", "1000", "suid:latest", "sh", "-c", "/setid/id -u; /setid/id -g")
    assert out.split() == ["1000", "1000"], out
    for where, _, files in os.walk(os.path.join(casemate.root, "layers")):
        for name in files if "/fs" in where else ():
            assert os.lstat(os.path.join(where, name)).st_uid != 0, "a file of host root in the store: " + name


@pytest.mark.row(83)
def test_row_83_uid_0_is_nobody_on_the_host(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sleep", "1000")
    uids = host.status_field(casemate.pid("web"), "Uid").split()
    assert all(int(uid) >= 1879048192 for uid in uids), uids


TRICKS = ["4294967296", "4294967295", "-1", "0x0", " 0", "0 ", "+0", "00x", "65536", "2147483648", "18446744073709551616", "0:4294967296",
          "1000:-1", "root\n", "nosuch", ":", "a:b:c", "٠"]


@pytest.mark.row(83)
@pytest.mark.parametrize("user", TRICKS)
def test_row_83_tricks_never_reach_uid_0(casemate, busybox, user):
    result = casemate.run("run", "--rm", "-u", user, busybox, "id", "-u")
    assert result.out.strip() != "0", (user, result)
    assert result.status in (125, 126), (user, result)
    assert len(result.err.strip().splitlines()) == 1, result.err


@pytest.mark.row(83)
def test_row_83_a_name_that_looks_like_a_number(casemate):
    """CVE-2016-3697: an image whose passwd maps the name "1000" to uid 0."""
    layer = images.busybox_layer().file("etc/passwd", "1000:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n")
    casemate.load(images.make_image([layer], {"Cmd": ["sh"]}), "trick:latest")
    assert casemate.ok("run", "--rm", "-u", "1000", "trick:latest", "id", "-u") == "1000\n"


@pytest.mark.row(83)
def test_row_83_strict_refuses_uid_0(casemate, busybox):
    said = casemate.fails("run", "--rm", "--profile", "strict", busybox, "id", status=125)
    assert "practice 11" in said, said
    assert casemate.ok("run", "--rm", "--profile", "strict", "-u", "1000", busybox, "id", "-u") == "1000\n"


@pytest.mark.row(84)
def test_row_84_disjoint_ids(casemate, busybox):
    seen = []
    for name in ("one", "two", "three"):
        casemate.ok("run", "-d", "--name", name, busybox, "sleep", "1000")
        inside, outside, count = map(int, host.read("/proc/%d/uid_map" % casemate.pid(name)).split())
        assert inside == 0 and outside >= 1879048192
        seen.append(range(outside, outside + count))
    for i, one in enumerate(seen):
        for other in seen[i + 1:]:
            assert one.stop <= other.start or other.stop <= one.start, seen


@pytest.mark.row(84)
def test_row_84_no_copy_of_the_image_is_made(casemate, busybox):
    """Another block at each start, and the same files on disk: ids are mapped, not changed."""
    def state():
        return host.tree(os.path.join(casemate.root, "layers"))
    before = state()
    for _ in range(2):
        casemate.ok("run", "--rm", busybox, "sh", "-c", "chown 0 /etc/group; touch /x")
    assert state() == before


@pytest.mark.row(87)
def test_row_87_supplementary_groups_are_exact(casemate, busybox):
    """CVE-2022-2990, CVE-2022-2995, CVE-2022-36109, CVE-2023-25173."""
    cases = [((), "0"), (("-u", "app"), "1000 50 2000"), (("-u", "app:app"), "1000"), (("-u", "1000"), "1000 50 2000"),
             (("-u", "1000:50"), "50"), (("-u", "app", "--group-add", "daemon"), "1000 1 50 2000"),
             (("-u", "1000", "--group-add", "4242"), "1000 50 2000 4242")]
    for flags, wanted in cases:
        got = casemate.ok("run", "--rm", *flags, busybox, "id", "-G").split()
        assert sorted(got) == sorted(set(wanted.split()) | set()), (flags, got)


@pytest.mark.row(87)
def test_row_87_a_group_that_is_shut_out_stays_out(casemate):
    """CVE-2022-36109: others may read, the file's group may not; a lost group would let its members in."""
    layer = images.busybox_layer().file("etc/passwd", images.PASSWD).file("etc/group", images.GROUP)
    casemate.load(images.make_image([layer.file("secret", "x", mode=0o604, gid=50)], {"Cmd": ["sh"]}), "acl:latest")
    result = casemate.run("run", "--rm", "-u", "app", "acl:latest", "cat", "/secret")
    assert result.status == 1 and "Permission denied" in result.err, result
    assert casemate.ok("run", "--rm", "-u", "1001", "acl:latest", "cat", "/secret") == "x"
