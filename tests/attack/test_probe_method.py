# SPDX-License-Identifier: Apache-2.0
"""The probe sees what it claims to see, and harms nothing: without this its figures in a container would mean little."""
import copy
import ctypes
import fcntl
import json
import os
import platform
import pty
import re
import shutil
import socket
import struct
import subprocess
import termios

import pytest

from attack import probe_expect
from lib import casemate as casemate_module
from lib import hello, host

X86_64 = platform.machine() == "x86_64"
NO_IDENTITY = ("setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "--bounding-set=-all")
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


@pytest.fixture
def base():
    made = casemate_module.make_base("casemate-probe-")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def as_root():
    return hello.probe()


@pytest.fixture(scope="module")
def as_nobody():
    return hello.probe(before=NO_IDENTITY)


def working(probe):
    return {name for name, works in probe["powers"].items() if works}


# What a container under the defaults may look like: no row fails.
GOOD = {
    "syscalls_reachable": 200, "powers": {"port_below_1024": 1, "mount": 0}, "powers_working": 1,
    "socket_families": ["UNIX", "INET", "INET6"], "int80_works": False, "x32_works": False, "metadata_route": False,
    "seccomp": 2, "cap_eff": 0, "cap_eff_hex": "0", "cap_bnd": 0, "cap_bnd_hex": "0", "cap_prm": 0, "cap_prm_hex": "0",
    "cap_inh": 0, "cap_inh_hex": "0", "cap_amb": 0, "cap_amb_hex": "0", "no_new_privs": 1, "uid0_host": 1879113728,
    "namespaces": {name: 7 for name in probe_expect.NAMESPACES}, "suid_escalates": False, "leaked_fds": [],
    "proc_writable_count": 0, "proc_writable": [], "sys_writable_count": 0, "sys_writable": [], "host_info": ["modules"],
    "mounts": ["/ overlay rw,nosuid"], "mounts_without_nosuid": [], "device_nodes": ["/dev/null"], "pids_limit": 512,
    "memory_limit": 1 << 29, "cpu_limit": 1.8,
    "rlimits": {"core": {"soft": 0}, "nofile": {"soft": 1024}, "memlock": {"soft": 65536}},
}
HOST = {name: 1 for name in probe_expect.NAMESPACES}

SPOILED = [
    ("syscalls_reachable", 221), ("syscalls_reachable", 0), ("powers_working", 6),
    ("socket_families", ["UNIX", "INET", "INET6", "ALG"]), ("int80_works", True), ("x32_works", True), ("metadata_route", True),
    ("seccomp", 0), ("cap_eff", 1), ("cap_bnd", 1), ("cap_prm", 1), ("cap_inh", 1), ("cap_amb", 1), ("cap_eff", -1),
    ("no_new_privs", 0), ("no_new_privs", -1), ("uid0_host", 0), ("suid_escalates", True), ("leaked_fds", ["3 /"]),
    ("proc_writable_count", 2), ("sys_writable_count", 1), ("host_info", list("123456")), ("mounts", []),
    ("mounts_without_nosuid", ["/"]), ("device_nodes", list("12345678")), ("pids_limit", None), ("pids_limit", 513),
    ("memory_limit", None), ("cpu_limit", None), ("namespaces", dict(GOOD["namespaces"], net=1)),
    ("namespaces", dict(GOOD["namespaces"], time=0)), ("rlimits", dict(GOOD["rlimits"], core={"soft": None})),
    ("rlimits", dict(GOOD["rlimits"], nofile={"soft": 1025})),
]


def test_expectations_accept_a_good_container():
    assert probe_expect.check(GOOD, HOST) == []


@pytest.mark.parametrize("key, value", SPOILED)
def test_expectations_notice_each_row(key, value):
    spoiled = copy.deepcopy(GOOD)
    spoiled[key] = value
    assert len(probe_expect.check(spoiled, HOST)) == 1


def test_bare_host_fails_the_table(as_root):
    failures = probe_expect.check(as_root, probe_expect.namespaces())
    for words in ("system calls reachable", "powers that work", "cap_eff", "no_new_privs", "uid0_host", "namespaces shared",
                  "writable /proc", "host information", "seccomp", "mounts without nosuid"):
        assert any(words in line for line in failures), (words, failures)


def test_root_on_the_host_reaches_nearly_everything(as_root):
    tried, reachable = as_root["syscalls_tried"], as_root["syscalls_reachable"]
    assert tried == (382 if X86_64 else 325)
    assert len(as_root["syscalls_reachable_names"]) == reachable
    assert 300 <= reachable < tried or not X86_64
    for name in ("read", "execve", "exit_group", "rt_sigreturn", "clone", "setsid", "vhangup", "sync", "wait4"):
        assert name in as_root["syscalls_reachable_names"]
    assert not {"nfsservctl", "vserver", "tuxcall"} & set(as_root["syscalls_reachable_names"])
    assert as_root["powers_tried"] == len(as_root["powers"]) == 46
    assert {"mount", "setuid_other", "chown_other", "set_hostname", "reboot", "swap", "raw_socket", "mknod_device", "net_admin",
            "ptrace"} <= working(as_root)


def test_figures_are_the_kernels(as_root):
    assert int(as_root["cap_eff_hex"], 16) == int(host.status_field(os.getpid(), "CapEff"), 16)
    assert as_root["cap_bnd"] == bin(int(host.status_field(os.getpid(), "CapBnd"), 16)).count("1")
    assert as_root["namespaces"] == probe_expect.namespaces()
    assert as_root["uid"] == 0 and as_root["groups"] == os.getgroups()
    assert as_root["environment"] == ["PATH"]
    assert as_root["uid0_host"] == 0
    assert {line.split(" ")[0] for line in as_root["mounts"]} == {m[0] for m in host.mounts()}
    assert "/dev/null" in as_root["device_nodes"]
    assert "/proc/sys/kernel/hostname" in as_root["proc_writable"] or as_root["proc_writable_count"] > 512
    assert as_root["host_info_tried"] == 30 and "cmdline" in as_root["host_info"]


def test_without_identity_and_capabilities_less_works(as_root, as_nobody):
    assert as_nobody["cap_eff"] == as_nobody["cap_bnd"] == 0 and as_nobody["uid"] == 65533
    lost = set(as_root["syscalls_reachable_names"]) - set(as_nobody["syscalls_reachable_names"])
    assert {"sethostname", "reboot", "vhangup", "pivot_root", "setgroups"} <= lost
    assert as_nobody["syscalls_reachable"] < as_root["syscalls_reachable"]
    assert not {"mount", "setuid_other", "chown_other", "dac_override", "set_hostname", "reboot", "swap", "raw_socket",
                "mknod_device", "net_admin", "open_by_handle", "raise_limit"} & working(as_nobody)
    assert as_nobody["proc_writable_count"] < as_root["proc_writable_count"]
    assert as_nobody["sys_writable_count"] == 0
    assert len(as_nobody["host_info"]) < len(as_root["host_info"])
    assert not as_nobody["suid_escalates"]


def probe_in_mapped_namespace(first_id, count):
    """The probe as uid 0 of a user namespace whose ids begin at `first_id` of the host."""
    (ready, tell), (go, let_go), (out, into) = os.pipe(), os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            assert ctypes.CDLL(None).unshare(0x10000000) == 0
            os.write(tell, b"x")
            os.read(go, 1)
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
            os.dup2(into, 1)
            os.execve(hello.hello(), ["hello", "probe", "--json"], hello.ENVIRONMENT)
        finally:
            os._exit(1)
    os.close(tell)
    os.close(into)
    assert os.read(ready, 1) == b"x"
    for name in ("uid_map", "gid_map"):
        with open("/proc/%d/%s" % (child, name), "w", encoding="ascii") as f:
            f.write("0 %d %d" % (first_id, count))
    os.write(let_go, b"x")
    with os.fdopen(out, encoding="ascii") as f:
        text = f.read()
    for fd in (ready, go, let_go):
        os.close(fd)
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(text)


def test_user_namespace_shows_the_map():
    inside = probe_in_mapped_namespace(1879113728, 1000)
    assert inside["uid"] == 0 and inside["uid0_host"] == 1879113728
    shared = {name for name, inode in probe_expect.namespaces().items() if inside["namespaces"][name] == inode}
    assert shared == set(probe_expect.NAMESPACES) - {"user"}
    assert not {"reboot", "set_time", "swap", "mknod_device"} & working(inside)
    assert {"setuid_other", "chroot"} <= working(inside)


def install_filter(rules, default=0x7fff0000):
    """A classic BPF filter on this process: {system call number: action}, everything else `default`."""
    code = [(0x20, 0, 0, 0)]
    for number, action in rules.items():
        code += [(0x15, 0, 1, number), (0x06, 0, 0, action)]
    code.append((0x06, 0, 0, default))
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, header) == 0, ctypes.get_errno()


@pytest.mark.skipif(not X86_64, reason="numbers of x86-64")
def test_each_kind_of_filter_answer_is_noticed(as_root):
    """EPERM, ENOSYS, SIGSYS and death by filter, also of calls that are tried apart; an errno that the kernel could give too is let pass."""
    denied = {27: 0x00050001, 28: 0x00050026, 26: 0x00030000, 25: 0x80000000, 34: 0x00050001, 162: 0x00030000, 58: 0x00050001}
    names = {"mincore", "madvise", "msync", "mremap", "pause", "sync", "vfork"}
    inside = hello.probe(preexec_fn=lambda: install_filter({**denied, 149: 0x0005000c}))
    assert set(as_root["syscalls_reachable_names"]) - set(inside["syscalls_reachable_names"]) == names
    assert inside["seccomp"] == 2 and inside["no_new_privs"] == 1 and as_root["seccomp"] == 0


@pytest.mark.skipif(not X86_64, reason="numbers of x86-64")
def test_denied_exit_does_not_hang_the_probe(as_root):
    inside = hello.probe(preexec_fn=lambda: install_filter({60: 0x00050001, 15: 0x00050026}))
    assert set(as_root["syscalls_reachable_names"]) - set(inside["syscalls_reachable_names"]) == {"exit", "rt_sigreturn"}


@pytest.mark.skipif(not X86_64, reason="numbers of x86-64")
def test_socket_families_are_told_apart():
    def only_unix_and_route():
        # socket(): family in the low word of the first argument, protocol in the third.
        code = [(0x20, 0, 0, 0), (0x15, 0, 6, 41), (0x20, 0, 0, 16), (0x15, 5, 0, 1), (0x15, 0, 2, 16), (0x20, 0, 0, 32),
                (0x15, 2, 0, 0), (0x06, 0, 0, 0x00050061), (0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x7fff0000)]
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
        header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, header) == 0

    inside = hello.probe(preexec_fn=only_unix_and_route)
    assert inside["socket_families"] == ["UNIX"]
    assert inside["netlink_protocols"] == ["ROUTE"]


def test_leaked_descriptor_is_noticed(base, as_root):
    assert as_root["leaked_fds"] == []
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert hello.probe(pass_fds=(fd,))["leaked_fds"] == ["%d %s" % (fd, base)]
    finally:
        os.close(fd)


def test_setuid_bit_means_something_only_where_it_does():
    free = hello.probe()
    assert free["suid_tried"] and free["suid_escalates"]
    bound = hello.probe(before=("setpriv", "--no-new-privs"))
    assert bound["suid_tried"] and not bound["suid_escalates"] and bound["no_new_privs"] == 1


def test_setuid_copy_only_reports(base):
    """The copy that the probe makes for a moment gives nothing to who would catch it."""
    secret, copied = os.path.join(base, "secret"), os.path.join(base, "copy")
    with open(secret, "w", encoding="ascii") as f:
        f.write("secret\n")
    os.chmod(secret, 0o600)
    shutil.copy(hello.hello(), copied)
    os.chmod(copied, 0o4755)
    done = hello.run("cat", secret, before=NO_IDENTITY, program=copied)
    assert (done.returncode, done.stdout, done.stderr) == (42, "", "")


def test_masks_and_flags_are_noticed():
    """A mask hides host information, a read-only /sys has nothing writable, nosuid counts."""
    script = ("mount --bind /dev/null /proc/cmdline && mount -o remount,bind,ro,nosuid /sys && "
              "for m in $(awk '$5 ~ \"^/sys/\" {print $5}' /proc/self/mountinfo | sort -r); do umount -l $m || :; done && "
              "mount -o remount,bind,ro /proc && exec \"$0\" probe --json")
    done = subprocess.run([*OWN_MOUNTS, script, hello.hello()], capture_output=True, text=True, timeout=60, check=True,
                          env=hello.ENVIRONMENT)
    masked = json.loads(done.stdout)
    assert "cmdline" not in masked["host_info"]
    assert masked["sys_writable_count"] == 0 and masked["proc_writable_count"] == 0
    assert "/sys" not in masked["mounts_without_nosuid"]


def test_writable_files_are_found_below_a_read_only_mount(base):
    """A writable mount below a read-only one is not forgotten."""
    script = "mount -o remount,bind,ro /proc && mount --bind /proc/sys/vm /proc/sys/vm && mount -o remount,bind,rw /proc/sys/vm && exec \"$0\" probe --json"
    done = subprocess.run([*OWN_MOUNTS, script, hello.hello()], capture_output=True, text=True, timeout=60,
                          env=hello.ENVIRONMENT, check=True)
    found = json.loads(done.stdout)["proc_writable"]
    assert "/proc/sys/vm/swappiness" in found and all(path.startswith("/proc/sys/vm/") for path in found)


def test_network_namespace_has_no_metadata_route():
    inside = hello.probe(before=("unshare", "--net"))
    assert not inside["metadata_route"] and inside["interfaces"][0] == "lo" and inside["listeners"] == []


def test_metadata_route_and_listeners_are_found():
    script = "ip link set lo up && ip route add 169.254.169.254/32 dev lo && exec \"$0\" probe --json"
    if not shutil.which("ip"):
        pytest.skip("iproute2 is not installed")
    done = subprocess.run(["unshare", "--net", "sh", "-c", script, hello.hello()], capture_output=True, text=True,
                          timeout=60, check=True, env=hello.ENVIRONMENT)
    assert json.loads(done.stdout)["metadata_route"]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert "tcp %d" % listener.getsockname()[1] in hello.probe()["listeners"]


def cgroup_with_limits():
    """A new group with limits as (directories, value of pids, value of memory), or a reason to skip."""
    made, name = [], "casemate-probe-%d" % os.getpid()
    root = host.CGROUP_ROOT
    if os.path.exists(root + "/cgroup.controllers"):
        files = {root + "/" + name: {"pids.max": "77", "memory.max": str(128 << 20), "cpu.max": "50000 100000"}}
    else:
        files = {root + "/pids/" + name: {"pids.max": "77"}, root + "/memory/" + name: {"memory.limit_in_bytes": str(128 << 20)},
                 root + "/cpu/" + name: {"cpu.cfs_quota_us": "50000"}}
    try:
        for directory, values in files.items():
            os.mkdir(directory)
            made.append(directory)
            for file, value in values.items():
                with open(os.path.join(directory, file), "w", encoding="ascii") as f:
                    f.write(value)
    except OSError as e:
        for directory in made:
            os.rmdir(directory)
        pytest.skip("no control group can be made here: %s" % e)
    return made


# A tmpfs first: the kernel mounts no file system twice at one place.
REMOUNT_CGROUPS = """
exec unshare --cgroup --mount sh -ec '
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        mount -t tmpfs none /sys/fs/cgroup
        mount -t cgroup2 none /sys/fs/cgroup
    else
        mount -t tmpfs none /sys/fs/cgroup
        for name in pids memory cpu; do mkdir /sys/fs/cgroup/$name; mount -t cgroup -o $name none /sys/fs/cgroup/$name; done
    fi
    exec "$0" probe --json' "$0"
"""


def test_limits_of_the_own_group_are_read():
    groups = cgroup_with_limits()

    def join():
        for directory in groups:
            with open(directory + "/cgroup.procs", "w", encoding="ascii") as f:
                f.write("0")

    try:
        inside = hello.probe(preexec_fn=join)
        # As the root of its own cgroup namespace with its own mounts, as a container sees it.
        nested = json.loads(subprocess.run([*OWN_MOUNTS, REMOUNT_CGROUPS, hello.hello()], preexec_fn=join, check=True, timeout=60,
                                           capture_output=True, text=True, env=hello.ENVIRONMENT).stdout)
    finally:
        for directory in groups:
            os.rmdir(directory)
    assert (inside["pids_limit"], inside["memory_limit"], inside["cpu_limit"]) == (77, 128 << 20, 0.5)
    assert nested["pids_limit"] == 77 and nested["memory_limit"] == 128 << 20
    assert nested["namespaces"]["cgroup"] != inside["namespaces"]["cgroup"]


def kernel_state():
    """What a probe that is not harmless would change."""
    state = {path: host.read(path) for path in (
        "/proc/self/mountinfo", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sysvipc/msg", "/proc/sysvipc/sem",
        "/proc/sysvipc/shm", "/proc/swaps", "/proc/modules", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/acct")}
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/"):
        state[place] = [name for name in os.listdir(place) if "casemate-probe-" in name and name.startswith(".")]
    state["limits"] = host.read("/proc/self/limits")
    state["children"] = host.read("/proc/self/task/%d/children" % os.getpid())
    return state


def test_probe_harms_nothing_when_run_as_root_on_the_host():
    before = kernel_state()
    hello.probe()
    hello.run()
    assert kernel_state() == before
    assert not [pid for pid in host.pids() if host.exe(pid) == hello.hello()]


@pytest.fixture
def alone(base):
    """A root file system with the program as its only file."""
    shutil.copy(hello.hello(), base + "/hello")
    return base


def test_program_works_as_the_only_file(alone):
    """No libc, no /proc, no /etc/passwd: what cannot be seen is not claimed."""
    done = hello.run("probe", "--json", before=("chroot", alone), program="/hello")
    inside = json.loads(done.stdout)
    assert inside["syscalls_reachable"] > 200 and inside["cap_eff"] == -1 and inside["no_new_privs"] == -1
    assert inside["mounts"] == [] and inside["pids_limit"] is None and inside["namespaces"]["net"] == 0
    assert inside["uid0_host"] is None
    page = hello.run(before=("chroot", alone), program="/hello")
    assert page.returncode == 0 and "no shell" in page.stdout and "cannot be read" in page.stdout
    assert sorted(os.listdir(alone)) == ["hello"]


def test_json_has_one_shape():
    long = hello.run("probe")
    short = hello.run("probe", "--json")
    assert long.stdout.isascii() and short.stdout.count("\n") == 1
    assert list(json.loads(long.stdout)) == list(json.loads(short.stdout))
    assert json.loads(short.stdout)["probe_format"] == 1


def test_hostile_names_stay_valid_json(base):
    strange = os.path.join(base, 'a"b\\c\n\x1b[31m\udcff')
    os.mkdir(strange)
    fd = os.open(strange, os.O_RDONLY)
    try:
        probe = hello.probe(pass_fds=(fd,))
    finally:
        os.close(fd)
    assert probe["leaked_fds"][0].encode("latin-1").endswith(b'a"b\\c\n\x1b[31m\xff')


def test_page_has_a_line_per_practice_and_fits():
    page = hello.run().stdout
    numbers = re.findall(r"^(?:ok|!!|--) +(\d+)  \S", page, re.M)
    assert [int(n) for n in numbers] == list(range(1, 15))
    assert max(map(len, page.splitlines())) <= 80
    assert "casemate explain" in page and "\x1b" not in page


def page_on_a_terminal(environment):
    pid, master = pty.fork()
    if pid == 0:
        os.execve(hello.hello(), ["hello"], environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
    except OSError:
        pass
    os.close(master)
    assert os.waitpid(pid, 0)[1] == 0
    return text


def test_colours_on_a_terminal_only_and_not_with_no_color():
    assert b"\x1b[3" in page_on_a_terminal({})
    assert b"\x1b" not in page_on_a_terminal({"NO_COLOR": "1"})


def test_page_names_a_secret_variable_but_not_its_value():
    page = hello.run(env={"DB_PASSWORD": "hunter2"}).stdout
    assert "DB_PASSWORD" in page and "hunter2" not in page
    assert "hunter2" not in hello.run("probe", env={"DB_PASSWORD": "hunter2"}).stdout
