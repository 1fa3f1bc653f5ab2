# SPDX-License-Identifier: Apache-2.0
"""A container that attacks the engine at the moments when they meet (ATTACKS.md, groups runtime, mount, kernel, store, config):
what a joining process holds open, names that change under a mount, settings of the kernel, the supervisor and its socket."""
import contextlib
import os
import re
import socket
import subprocess
import threading

import pytest

from lib import host, wait

EXECS = 25
RACES = 40

# Writes down every descriptor and program of every process it can see, as fast as it can.
WATCH = "while :; do for l in /proc/[0-9]*/fd/* /proc/[0-9]*/exe /proc/[0-9]*/cwd; do readlink $l; done >>/tmp/seen 2>/dev/null; done"
ALLOWED = re.compile(r"^(/|/tmp/seen|/bin/\w+|/dev/(null|pts/\d+|console)|pipe:\[\d+\]|/proc|/proc/\d+(/fd)?)$")


@pytest.fixture
def watcher(casemate, busybox):
    casemate.ok("run", "-d", "--name", "watcher", "--tmpfs", "/tmp", busybox, "sh", "-c", WATCH)
    wait.until(lambda: casemate.run("exec", "watcher", "test", "-s", "/tmp/seen").status == 0)
    return "watcher"


def seen(casemate, name):
    return set(casemate.ok("exec", name, "sort", "-u", "/tmp/seen").splitlines())


def test_exec_brings_nothing_of_the_host_along(casemate, watcher, canary):
    """CVE-2016-9962, CVE-2019-5736, CVE-2024-21626: no descriptor, directory or program of the host is ever seen inside."""
    for _ in range(EXECS):
        casemate.ok("exec", watcher, "true")
    found = seen(casemate, watcher)
    assert "/bin/sh" in found, found
    assert not {line for line in found if not ALLOWED.match(line)}


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_the_program_of_the_process_itself(casemate, busybox, canary, verb):
    """CVE-2019-5736: the command /proc/self/exe is never the engine's program."""
    if verb == "run":
        result = casemate.run("run", "--rm", busybox, "/proc/self/exe", "version")
    else:
        casemate.ok("run", "-d", "--name", "aa", busybox, "sleep", "1000")
        result = casemate.run("exec", "aa", "/proc/self/exe", "version")
    assert result.status != 0 and "Version" not in result.out, result


@pytest.mark.parametrize("number", range(3, 12))
def test_exec_in_a_directory_by_number(casemate, busybox, canary, number):
    casemate.ok("run", "-d", "--name", "aa", busybox, "sleep", "1000")
    for tail in ("", "/../../../.."):
        result = casemate.run("exec", "-w", "/proc/self/fd/%d%s" % (number, tail), "aa", "cat", canary.path[1:] + "/secret")
        assert result.status != 0 and canary.word not in result.out, result


def test_only_three_descriptors_are_inherited(casemate, busybox):
    words = ["sh", "-c", "for n in $(seq 3 255); do [ -e /proc/self/fd/$n ] && readlink /proc/self/fd/$n; done; echo done"]
    casemate.ok("run", "-d", "--name", "aa", busybox, "sleep", "1000")
    with open("/etc/hostname", encoding="utf-8") as extra:
        os.set_inheritable(extra.fileno(), True)
        for verb in (["run", "--rm", busybox], ["exec", "aa"]):
            out = casemate.ok(*verb, *words, close_fds=False)
            assert "hostname" not in out and out.endswith("done\n"), out


@contextlib.contextmanager
def flipping(link, *targets):
    """The symbolic link `link` leads to each of the targets in turn, changed atomically without a pause."""
    stop = threading.Event()

    def flip():
        n = 0
        while not stop.is_set():
            os.symlink(targets[n % len(targets)], link + ".next")
            os.rename(link + ".next", link)
            n += 1

    os.symlink(targets[0], link)
    thread = threading.Thread(target=flip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_source_of_a_bind_changes_after_the_check(casemate, busybox, canary):
    """What was judged is what is mounted: /etc never gets in by changing the name in between."""
    good = os.path.join(casemate.base, "good")
    os.mkdir(good)
    mounted = refused = 0
    with flipping(os.path.join(casemate.base, "source"), good, "/etc"):
        for _ in range(RACES):
            result = casemate.run("run", "--rm", "-v", os.path.join(casemate.base, "source") + ":/x:ro", busybox, "ls", "/x")
            assert result.out == "", result
            mounted += result.status == 0
            refused += result.status == 125
    assert mounted + refused == RACES, (mounted, refused)


def test_target_of_a_mount_changes_meanwhile(casemate, busybox, canary):
    """CVE-2021-30465: a container that turns the target of another's mount into a link puts nothing on the host."""
    source = os.path.join(casemate.base, "source")
    os.mkdir(source)
    climb = "../" * 12 + canary.path[1:] + "/dir"
    script = "cd /v; mkdir -p real; while :; do ln -sfn %s n && mv -T n sub; ln -sfn real n && mv -T n sub; done" % climb
    casemate.ok("run", "-d", "--name", "aa", "-v", "shared:/v", busybox, "sh", "-c", script)
    for _ in range(RACES):
        result = casemate.run("run", "--rm", "-v", "shared:/v", "-v", source + ":/v/sub/x", busybox, "true")
        assert result.status in (0, 125), result
        canary.check()


# --- settings of the kernel ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger",
                                  "/proc/sys/vm/panic_on_oom", "/proc/sys/fs/binfmt_misc/register", "/sys/kernel/uevent_helper",
                                  "/proc/1/attr/exec", "/sys/fs/cgroup/release_agent", "/proc/sys/kernel/hostname"])
def test_settings_are_not_writable(casemate, busybox, canary, path):
    result = casemate.run("run", "--rm", busybox, "sh", "-c", "echo '|/x' >%s && echo written" % path)
    assert result.status != 0 and "written" not in result.out, result


def test_no_new_control_group_tree(casemate, busybox, canary):
    """CVE-2022-0492: neither a mount nor a namespace gives a release_agent that can be written."""
    script = ("mkdir -p /tmp/c; for t in cgroup cgroup2 proc sysfs; do mount -t $t x /tmp/c && echo mounted $t; done;"
              "unshare -U true && echo unshared; unshare -m true && echo unshared;"
              "for f in $(find / -name release_agent 2>/dev/null); do [ -w $f ] && echo writable $f; done; echo done")
    assert casemate.ok("run", "--rm", "--tmpfs", "/tmp", busybox, "sh", "-c", script) == "done\n"


@pytest.mark.parametrize("setting", ["kernel.core_pattern=|/x", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/x",
                                     "kernel.shm_rmid_forced=1\nkernel.core_pattern=|/x", "net.../../kernel/core_pattern=x",
                                     "kernel/core_pattern=|/x", "net.ipv4.ip_forward=1\n", "vm.panic_on_oom=1", "=1", "kernel.msgmax"])
def test_settings_by_injection(casemate, busybox, canary, setting):
    """CVE-2022-0811."""
    result = casemate.run("run", "--rm", "--sysctl", setting, busybox, "true")
    assert result.status == 125 and len(result.err.strip().splitlines()) == 1, result


# --- the supervisor -----------------------------------------------------------------------------------------------------------------

def test_signals_do_not_reach_the_supervisor(casemate, busybox):
    script = "for s in 1 2 15 9; do kill -$s -1; kill -$s -- -0; done 2>/dev/null; sleep 1000 & kill -9 $!; exit 7"
    assert casemate.run("run", "--name", "aa", busybox, "sh", "-c", "trap '' HUP INT TERM; " + script).status == 7
    assert "Exited (7)" in casemate.ok("ps", "-a", "--format", "{{.Status}}")


def reaches(path, uid):
    """Whether a process of another user gets as far as the file (a socket's path is too long here to connect by it)."""
    code = ("import os,sys\nos.setgroups([])\nos.setgid(%d)\nos.setuid(%d)\n"
            "try:\n os.stat(sys.argv[1])\nexcept PermissionError:\n sys.exit(3)\n" % (uid, uid))
    status = subprocess.run(["/usr/bin/python3", "-c", code, path], capture_output=True, cwd="/", timeout=30).returncode
    assert status in (0, 3), status
    return status == 0


def test_other_users_reach_neither_socket_nor_files(casemate, busybox):
    """CVE-2021-21284, CVE-2021-41091, CVE-2021-41103, CVE-2024-25621: data root and run directory are closed; so is each attach socket."""
    casemate.ok("run", "-d", "--name", "aa", busybox, "sleep", "1000")
    uid = int(host.status_field(casemate.pid("aa"), "Uid").split()[0])
    found = [os.path.join(where, name) for where, _, names in os.walk(casemate.root) for name in names if name == "attach.sock"]
    assert len(found) == 1, found
    assert reaches(found[0], 0)
    for other in (65534, uid):
        assert not reaches(found[0], other), other
    for path in (casemate.root, casemate.rundir):
        assert os.stat(path).st_mode & 0o077 == 0, path


def test_no_abstract_sockets(casemate, busybox):
    """CVE-2020-15257: nothing of the engine listens under a name without a file."""
    def names():
        return {line.split()[-1] for line in host.read("/proc/net/unix").splitlines() if line.split()[-1].startswith("@")}

    before = names()
    casemate.ok("run", "-d", busybox, "sleep", "1000")
    assert names() <= before
    with socket.socket(socket.AF_UNIX) as own:
        own.bind("\0casemate-test-%d" % os.getpid())
        assert names() - before, "abstract sockets are not seen at all"


def test_inside_there_is_no_capability_to_inherit(casemate, busybox):
    """CVE-2022-24769, CVE-2022-29162."""
    casemate.ok("run", "-d", "--name", "aa", busybox, "sleep", "1000")
    for words in (["run", "--rm", busybox], ["exec", "aa"]):
        out = casemate.ok(*words, "grep", "-E", "^Cap(Inh|Amb)", "/proc/self/status")
        assert re.findall(r"\t(\w+)", out) == ["0" * 16] * 2, out
