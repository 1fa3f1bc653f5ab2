# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 5: rows 41-46. Namespaces, paths of the host, binds, /proc and /sys, what is visible of the host."""
import json
import os
import re
import socket
import stat

import pytest

from attack import probe_expect
from lib import host

HELLO = "casemate/hello"


@pytest.fixture
def probe(casemate):
    return json.loads(casemate.ok("run", "--rm", HELLO, "probe", "--json"))


@pytest.mark.row(41)
def test_row_41_all_namespaces_are_own(casemate, probe):
    ours = probe_expect.namespaces()
    assert set(probe["namespaces"]) >= set(ours)
    for name, inode in ours.items():
        assert probe["namespaces"][name] not in (0, inode), name


@pytest.mark.row(41)
def test_row_41_two_containers_share_nothing(casemate):
    seen = []
    for name in ("one", "two"):
        casemate.ok("run", "-d", "--name", name, HELLO, "sleep", "1000")
        seen.append(probe_expect.namespaces(casemate.pid(name)))
    for name in seen[0]:
        assert seen[0][name] != seen[1][name], name


@pytest.mark.row(42)
@pytest.mark.parametrize("flag", ["--network", "--pid", "--ipc", "--uts", "--userns", "--cgroupns"])
def test_row_42_host_namespaces_are_refused(casemate, flag):
    said = casemate.fails("run", "--rm", flag, "host", HELLO, "true", status=125)
    assert "host" in said


@pytest.mark.row(42)
def test_row_42_refusal_names_the_policy_line(casemate):
    said = casemate.fails("run", "--rm", "--network", "host", HELLO, "true", status=125)
    assert "allow-host-namespace = network" in said, said


HOST_NETWORK = '[practice "isolation"]\nallow-host-namespace = network\n'


@pytest.mark.row(42)
def test_row_42_the_hosts_network_by_policy_only(casemate, busybox):
    said = casemate.fails("run", "--rm", "--network", "host", busybox, "true", status=125)
    assert "practice 5" in said and "allow-host-namespace = network" in said and casemate.conf in said
    casemate.policy(HOST_NETWORK)
    casemate.ok("run", "-d", "--name", "web", "--network", "host", busybox, "sleep", "1000")
    seen, ours = probe_expect.namespaces(casemate.pid("web")), probe_expect.namespaces("self")
    assert {name for name in ours if seen[name] == ours[name]} == {"net"}
    shown = casemate.ok("explain", "web")
    assert re.search(r"host isolation +granted +namespaces +7 of 8 its own", shown), shown
    assert re.search(r"API and network +granted +interfaces +the host's: ", shown), shown
    assert casemate.ok("exec", "web", "hostname").strip() == os.uname().nodename
    assert casemate.ok("exec", "web", "cat", "/etc/resolv.conf") == host.read("/etc/resolv.conf")


@pytest.mark.row(42)
def test_row_42_the_hosts_network_gives_no_power_over_it(casemate):
    casemate.policy(HOST_NETWORK)
    probe = json.loads(casemate.ok("run", "--rm", "--network", "host", HELLO, "probe", "--json"))
    for power in ("raw_socket", "packet_socket", "net_admin", "mount", "setns"):
        assert probe["powers"][power] == 0, power
    assert not probe["sys_writable"] and probe["cap_bnd"] == 0
    said = casemate.fails("run", "--rm", "--network", "host", "--sysctl", "net.ipv4.ip_forward=1", HELLO, "true", status=125)
    assert "practice 5" in said


@pytest.mark.row(42)
def test_row_42_abstract_sockets_of_the_host_are_out_of_reach(casemate):
    """CVE-2020-15257: what listens under an abstract name has no file whose owner could be checked."""
    if json.loads(casemate.ok("info", "--format", "json"))["Landlock"] < 6:
        pytest.skip("this kernel's Landlock does not know sockets")
    casemate.policy(HOST_NETWORK)
    name = "casemate-test-" + os.path.basename(casemate.base)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0" + name)
        listening.listen()
        result = casemate.run("run", "--rm", "--network", "host", HELLO, "connect", "@" + name)
        assert result.status == 1 and "not permitted" in result.err, result
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


REFUSED = ["/", "/etc", "/etc/shadow", "/etc/passwd", "/proc", "/proc/sys", "/sys", "/sys/fs/cgroup", "/dev", "/dev/sda", "/boot",
           "/var", "/root", "/run", "/var/run"]


@pytest.mark.row(43)
@pytest.mark.parametrize("mode", ["", ":ro"])
@pytest.mark.parametrize("path", REFUSED)
def test_row_43_sensitive_paths(casemate, path, mode):
    if not os.path.exists(path):
        pytest.skip(path + " is not on this machine")
    said = casemate.fails("run", "--rm", "-v", path + ":/x" + mode, HELLO, "true", status=125)
    assert "practice 5" in said, said


@pytest.mark.row(43)
def test_row_43_sensitive_paths_by_other_names(casemate, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/etc")
    deep = tmp_path / "deep"
    deep.symlink_to(str(link) + "/../etc/ssh/..")
    for path in (str(link), str(deep), "/var/../etc", "//etc", "/etc/", "/proc/self/root/etc", "/proc/%d/root" % os.getpid(),
                 "/proc/self/cwd/../../../../../../../../etc", "/./proc"):
        said = casemate.fails("run", "--rm", "-v", path + ":/x:ro", HELLO, "true", status=125)
        assert "practice 5" in said, (path, said)


@pytest.mark.row(43)
def test_row_43_programs_of_the_host_are_for_reading_only(casemate):
    for path in ("/usr", "/usr/bin", "/usr/share"):
        said = casemate.fails("run", "--rm", "-v", path + ":/x", HELLO, "true", status=125)
        assert "practice 5" in said and ":ro" in said, said
        casemate.ok("run", "--rm", "-v", path + ":/x:ro", HELLO, "true")


@pytest.mark.row(43)
def test_row_43_own_state_and_engine_sockets(casemate, tmp_path):
    """CVE-2021-43816."""
    for path in (casemate.root, os.path.dirname(casemate.root), casemate.rundir):
        said = casemate.fails("run", "--rm", "-v", path + ":/x:ro", HELLO, "true", status=125)
        assert "practice 5" in said, (path, said)


@pytest.mark.row(43)
@pytest.mark.parametrize("path", ["/etc/localtime", "/etc/timezone", "/etc/ssl/certs", "/usr/share/zoneinfo"])
def test_row_43_harmless_paths_mount_read_only(casemate, path):
    if not os.path.exists(path):
        pytest.skip(path + " is not on this machine")
    casemate.ok("run", "--rm", "-v", "%s:%s:ro" % (path, path), HELLO, "true")
    casemate.fails("run", "--rm", "-v", "%s:%s" % (path, path), HELLO, "true", status=125)


def make_source(casemate, uid, mode=0o755):
    path = os.path.join(casemate.base, "source-%d" % uid)
    os.mkdir(path)
    os.chown(path, uid, uid)
    os.chmod(path, mode)
    return path


def mounted(casemate, name, target):
    found = [m for m in host.mounts(casemate.pid(name)) if m[0] == target]
    assert len(found) == 1, found
    return found[0][3].split(",")


@pytest.mark.row(44)
def test_row_44_flags_of_binds(casemate, busybox):
    source = make_source(casemate, 1234)
    for name, flags, wanted in (("rw", ("-v", source + ":/x"), {"rw"}), ("ro", ("-v", source + ":/x:ro"), {"ro"}),
                                ("noexec", ("--tmpfs", "/x"), {"noexec"})):
        casemate.ok("run", "-d", "--name", name, *flags, busybox, "sleep", "1000")
        assert {"nosuid", "nodev"} | wanted <= set(mounted(casemate, name, "/x")), name


@pytest.mark.row(44)
def test_row_44_mounts_are_private(casemate, busybox):
    source = make_source(casemate, 1234)
    casemate.ok("run", "-d", "--name", "web", "-v", source + ":/x", busybox, "sleep", "1000")
    for line in host.read("/proc/%d/mountinfo" % casemate.pid("web")).splitlines():
        optional = line.partition(" - ")[0].split()[6:]
        assert not [word for word in optional if word.startswith(("shared", "master"))], line


@pytest.mark.row(44)
def test_row_44_files_land_as_the_sources_owner(casemate, busybox):
    source = make_source(casemate, 1234)
    for number, user in enumerate(("0", "app", "4000:4000")):
        casemate.ok("run", "--rm", "-u", user, "-v", source + ":/x", busybox, "sh", "-c",
                    "touch /x/f%d && stat -c %%u /x" % number)
        made = os.stat(os.path.join(source, "f%d" % number))
        assert (made.st_uid, made.st_gid) == (1234, 1234), user


@pytest.mark.row(44)
def test_row_44_other_owners_are_nobody(casemate, busybox):
    source = make_source(casemate, 1234)
    secret = os.path.join(source, "secret")
    with open(secret, "w", encoding="utf-8") as f:
        f.write("x")
    os.chown(secret, 1300, 1300)
    os.chmod(secret, 0o600)
    result = casemate.run("run", "--rm", "-v", source + ":/x", busybox, "cat", "/x/secret")
    assert result.status != 0 and "Permission denied" in result.err


@pytest.mark.row(44)
def test_row_44_no_setuid_file_on_the_host(casemate, busybox):
    """A writable bind of a root-owned directory: files are the host's root's, and stay without set-id bits."""
    source = make_source(casemate, 0)
    script = ("cp /bin/busybox /x/plant; chmod 4755 /x/plant; chmod u+s,g+s /x/plant; mkdir -m 2755 /x/d; "
              "touch /x/t; chmod 6777 /x/t; ls -ln /x; true")
    casemate.ok("run", "--rm", "-v", source + ":/x", busybox, "sh", "-c", script)
    made = [os.path.join(source, name) for name in os.listdir(source)]
    assert made, "nothing was written: the test shows nothing"
    for path in made:
        assert not os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID), path


@pytest.mark.row(44)
def test_row_44_bind_of_a_file(casemate, busybox):
    source = make_source(casemate, 1234)
    path = os.path.join(source, "file")
    with open(path, "w", encoding="utf-8") as f:
        f.write("from the host\n")
    os.chown(path, 1234, 1234)
    assert casemate.ok("run", "--rm", "-v", path + ":/x/y:ro", busybox, "cat", "/x/y") == "from the host\n"
    result = casemate.run("run", "--rm", "-v", path + ":/x/y:ro", busybox, "sh", "-c", "echo no > /x/y")
    assert result.status != 0 and "Read-only" in result.err
    casemate.ok("run", "--rm", "-v", path + ":/x/y", busybox, "sh", "-c", "echo yes > /x/y")
    assert host.read(path) == "yes\n"


@pytest.mark.row(45)
def test_row_45_proc_and_sys_are_not_writable(probe):
    assert probe["proc_writable_count"] <= 1, probe["proc_writable"]
    assert probe["sys_writable_count"] == 0, probe["sys_writable"]


MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/proc/scsi",
          "/proc/sysrq-trigger", "/sys/firmware", "/sys/devices/virtual/powercap", "/proc/kallsyms", "/proc/cmdline",
          "/proc/config.gz", "/proc/kmsg", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/module", "/sys/class/dmi"]


@pytest.mark.row(45)
def test_row_45_masked_paths_show_nothing(casemate, busybox):
    script = "; ".join("echo %s $(cat %s 2>/dev/null | head -c 100 | wc -c) $(ls %s/ 2>/dev/null | wc -l)" % (p, p, p)
                       for p in MASKED)
    for line in casemate.ok("run", "--rm", busybox, "sh", "-c", script).splitlines():
        path, size, names = line.split()
        assert (int(size), int(names)) == (0, 0), line


@pytest.mark.row(45)
def test_row_45_own_control_group_is_visible_read_only(casemate, busybox):
    script = ("cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max; "
              "for f in $(find /sys/fs/cgroup -type f); do echo 1 > $f && echo written $f; done 2>/dev/null; true")
    lines = casemate.ok("run", "--rm", "--memory", "100m", busybox, "sh", "-c", script).splitlines()
    assert lines == [str(100 << 20)], lines


@pytest.mark.row(46)
def test_row_46_little_of_the_host_is_visible(probe):
    assert len(probe["host_info"]) <= 5, probe["host_info"]


HOST_PATHS = ("lowerdir=/", "upperdir=/", "workdir=/", "/var/lib/casemate", "containers/", "/layers/", "sha256")


@pytest.mark.row(46)
def test_row_46_no_path_of_the_host_in_the_mount_table(casemate, busybox):
    out = casemate.ok("run", "--rm", "--tmpfs", "/t", busybox, "cat", "/proc/self/mountinfo")
    assert " /t " in out and " /etc/hosts " in out and " /etc/resolv.conf " in out
    for secret in (casemate.base, os.path.basename(casemate.base)) + HOST_PATHS:
        assert secret not in out, (secret, out)


@pytest.mark.row(46)
def test_row_46_a_bind_shows_its_own_source_and_nothing_else(casemate, busybox):
    """The kernel prints the source's place in its file system: what the bind gives away is the path that was asked for."""
    source = make_source(casemate, 1234)
    out = casemate.ok("run", "--rm", "-v", source + ":/x", "-v", "data:/data", busybox, "cat", "/proc/self/mountinfo")
    lines = out.splitlines()
    own = [line for line in lines if line.split()[4] in ("/x", "/data")]
    assert len(own) == 2
    for line in lines:
        for secret in HOST_PATHS if line in own else (casemate.base,) + HOST_PATHS:
            assert secret not in line, (secret, line)
