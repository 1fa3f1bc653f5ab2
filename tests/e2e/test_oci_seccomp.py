# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp of config.json: actions, older ways into the kernel, flags, and an agent that is asked; beside what runc makes of the same."""
import array
import ctypes
import errno
import fcntl
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import threading

import pytest

from lib import bundle, host, wait
from lib.bundle import BOX

GETPPID = 110 if platform.machine() == "x86_64" else 173
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_*
NOTIF_SIZE = 80

# Makes the calls it is given, each in a process of its own: n through the machine's way, i through 32-bit x86's, x through x32's.
PROBE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long call(char abi, long n, long a, long b)
{
#ifdef __x86_64__
    long r;
    if (abi == 'i') {
        __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(0) : "memory", "r8", "r9", "r10", "r11");
        return (int)r;
    }
    if (abi == 'x')
        n |= 0x40000000;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(0) : "memory", "rcx", "r11");
    return r;
#else
    return syscall(n, a, b, 0) < 0 ? -1 : 0;
#endif
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char abi;
        long n, a = 0, b = 0;
        int status;
        sscanf(argv[i], "%c%li,%li,%li", &abi, &n, &a, &b);
        pid_t pid = fork();
        if (pid == 0) {
            long r = call(abi, n, a, b);
            printf("%s=%ld\n", argv[i], r < 0 ? r : 0);
            fflush(stdout);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        if (WIFSIGNALED(status))
            printf("%s=signal %d\n", argv[i], WTERMSIG(status)), fflush(stdout);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    where = tmp_path_factory.mktemp("probe")
    (where / "probe.c").write_text(PROBE)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler: the program that makes the calls cannot be built")
    subprocess.run([compiler, "-O1", "-static", "-o", str(where / "probe"), str(where / "probe.c")], check=True)
    return str(where / "probe")


@pytest.fixture
def oci(casemate, probe):
    runtime = bundle.ours(casemate)
    shutil.copy(probe, os.path.join(runtime.bundle, "rootfs", "bin", "probe"))
    yield runtime
    runtime.clean()


def under(profile, args):
    document = bundle.config()
    document["linux"]["seccomp"] = profile
    document["process"]["args"] = args
    return document


def rule(names, action, **more):
    return dict({"names": names, "action": "SCMP_ACT_" + action}, **more)


def arg(index, value, op, **more):
    return dict({"index": index, "value": value, "op": "SCMP_CMP_" + op}, **more)


X86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
CALLS = ("n110 n110,1 n110,2 n110,3 n95,1 n447 n448 n500 i20 i64 i60,1 i500 i102,1 i102,2 i359,1 i117,23 i395 x39 x1000").split()
DENY = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1}
NEEDED = ["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlinkat", "getrandom", "mprotect", "clone", "wait4",
          "newfstatat", "write", "exit_group", "rt_sigprocmask", "rt_sigaction", "sigreturn", "rt_sigreturn", "gettid", "readlink", "mmap", "munmap", "futex",
          # what runc itself needs after it has put the filter on
          "epoll_ctl", "epoll_pwait", "epoll_create1", "eventfd2", "nanosleep", "close", "openat", "fcntl", "getpid", "read", "fstat", "sched_yield", "tgkill",
          "sigaltstack", "madvise", "fstatfs", "chdir", "getcwd", "faccessat", "faccessat2", "stat", "lstat", "getuid", "geteuid", "accept4", "unlinkat",
          "close_range", "prctl", "capget", "capset", "getdents64", "setgid", "setuid", "setgroups", "statx", "exit"]

PROFILES = [
    ("allowed but for some", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", errnoRet=77)]}),
    ("for the machine alone", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": X86[:1], "syscalls": [rule(["getppid"], "ERRNO")]}),
    ("for 32 bits alone", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": X86[1:2], "syscalls": [rule(["getppid"], "ERRNO", errnoRet=77)]}),
    ("for all", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": X86, "syscalls": [
        rule(["getppid"], "ERRNO", errnoRet=77), rule(["socket", "shmget"], "ERRNO", errnoRet=78),
        rule(["umask"], "ERRNO", errnoRet=79, args=[arg(0, (2 << 32) + 1, "EQ")])]}),
    ("another machine's too", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": X86[:1] + ["SCMP_ARCH_AARCH64"]}),
    ("an argument twice", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", args=[arg(0, 1, "EQ"), arg(0, 2, "EQ")])]}),
    ("a mask", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", args=[arg(0, 1, "MASKED_EQ", valueTwo=3)])]}),
    ("less, greater", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", errnoRet=5, args=[arg(0, 1, "LT")]),
                                                                     rule(["getppid"], "ERRNO", errnoRet=5, args=[arg(0, 2, "GT")])]}),
    ("names and members unknown", {"defaultAction": "SCMP_ACT_ALLOW", "more": 1, "syscalls": [rule(["no_such_call", "getppid"], "ERRNO", comment="x", x={})]}),
    ("trace without a tracer", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "TRACE")]}),
    ("trap", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "TRAP")]}),
    ("kill", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "KILL")]}),
    ("kill the process", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "KILL_PROCESS")]}),
    ("log", {"defaultAction": "SCMP_ACT_LOG"}),
    ("a listener that nobody is sent", {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/nothing", "syscalls": [rule(["getppid"], "ERRNO")]}),
    ("nothing but what is needed", dict(DENY, architectures=X86[:1], syscalls=[rule(NEEDED, "ALLOW")])),
]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls are those of x86")
@pytest.mark.parametrize("name,profile", PROFILES, ids=[p[0] for p in PROFILES])
def test_calls_end_as_under_runc(oci, name, profile):
    runc = shutil.which("runc")
    if not runc:
        pytest.skip("runc is not installed")
    document = under(profile, ["probe", *CALLS])
    theirs = bundle.Runtime([runc], oci.base).run(document, name=BOX + "-runc")
    assert theirs.returncode == 0, name + ": " + theirs.stderr
    ours = oci.run(document)
    assert (ours.returncode, ours.stdout) == (0, theirs.stdout), ours.stderr


REFUSED = [
    ("linux.seccomp.listenerPath", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "NOTIFY")]}),
    ("defaultAction", {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}),
    ("names[0]: SCMP_ACT_NOTIFY", {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x", "syscalls": [rule(["write"], "NOTIFY")]}),
    ("errnoRet", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "KILL", errnoRet=1)]}),
    ("flags[0]", {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NONE"]}),
    ("op", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", args=[{"index": 0, "value": 1}])]}),
    ("index", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["getppid"], "ERRNO", args=[arg(6, 1, "EQ")])]}),
    ("architectures[0]", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_PDP11"]}),
]


@pytest.mark.parametrize("field,profile", REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_wrong_is_named(oci, field, profile):
    done = oci.run(under(profile, ["true"]))
    assert done.returncode == 1 and field in done.stderr, done.stderr


def flags_of(traced):
    return [line.split("SECCOMP_SET_MODE_FILTER, ")[1].split(", {")[0] for line in traced.splitlines() if "SECCOMP_SET_MODE_FILTER" in line]


def test_flags_reach_the_kernel(oci):
    names = ["SECCOMP_FILTER_FLAG_" + f for f in ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV")]
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "flags": names, "syscalls": [rule(["getppid"], "ERRNO")]}
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    oci.write(under(profile, ["true"]))
    trace = os.path.join(oci.base, "trace")
    done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=seccomp", *oci.words, "--root", oci.root, "run", BOX], cwd=oci.bundle, env=oci.env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    # Waiting is of listeners, and there is none.
    assert flags_of(host.read(trace))[-1] == "|".join(names[:3])


class Agent:
    """Answers what containers ask: getppid is 4242. Keeps what was said of them."""

    def __init__(self, path):
        self.states, self.asked, self.path = [], [], path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(4)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            connection, _ = self.socket.accept()
            text, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
            self.states.append(json.loads(text))
            fds = array.array("i")
            fds.frombytes(control[0][2])
            threading.Thread(target=self._answer, args=(fds[0],), daemon=True).start()

    def _answer(self, listener):
        while True:
            request = bytearray(NOTIF_SIZE)
            try:
                fcntl.ioctl(listener, NOTIF_RECV, request)
            except OSError:
                return
            number, pid, _, call = struct.unpack_from("=QIIi", request)
            self.asked.append((pid, call))
            try:
                fcntl.ioctl(listener, NOTIF_SEND, bytearray(struct.pack("=QqiI", number, 0, -errno.EXDEV, 0)))
            except OSError:
                return


@pytest.fixture
def agent(oci):
    return Agent(os.path.join(oci.base, "agent.sock"))


def asking(agent, args, names=("getppid",), **more):
    document = under(dict({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": agent.path, "syscalls": [rule(list(names), "NOTIFY")]}, **more), args)
    document["annotations"] = {"a.b": "c"}
    return document


CALL = ["probe", "n%d" % GETPPID]
ANSWER = "n%d=%d\n" % (GETPPID, -errno.EXDEV if platform.machine() == "x86_64" else -1)


def test_an_agent_answers_for_run_and_hears_of_the_container(oci, agent):
    done = oci.run(asking(agent, CALL, listenerMetadata="what it is", flags=["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]))
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr
    assert [call for _, call in agent.asked] == [GETPPID]
    [state] = agent.states
    inner = state.pop("state")
    pid = state.pop("pid")
    assert state == {"ociVersion": "1.0.2", "fds": ["seccompFd"], "metadata": "what it is"}
    assert inner == {"ociVersion": "1.0.2", "id": BOX, "status": "creating", "pid": pid, "bundle": oci.bundle, "annotations": {"a.b": "c"}}


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_an_agent_is_there_at_create_and_at_each_exec(oci, agent, no_new_privileges):
    document = asking(agent, ["sh", "-c", "trap exit TERM; while :; do sleep 0.05; done"])
    document["process"]["noNewPrivileges"] = no_new_privileges
    status, error = oci.create(document)
    assert status == 0, error
    # It was sent before create ended; the agent's thread may still be about to read it.
    wait.until(lambda: agent.states, what="the agent has the listener before the start")
    assert [s["state"]["status"] for s in agent.states] == ["creating"]
    oci.ok("start", BOX)
    assert oci.ok("exec", BOX, *CALL) == ANSWER
    first, second = agent.states
    assert second["state"]["status"] == "running" and second["state"]["pid"] == first["pid"] == oci.state()["pid"]
    assert second["pid"] not in (0, first["pid"])


def test_the_runtime_asks_nobody_before_the_agent_listens(oci, agent):
    """Every call that casemate-enter makes between the filter and the agent's first answer would hang there."""
    done = oci.run(asking(agent, CALL, names=["sendmsg", "sendto", "recvmsg", "socketpair", "getppid", "pidfd_getfd"]), timeout=20)
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr


def test_nobody_listens(oci):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": os.path.join(oci.base, "nobody"), "syscalls": [rule(["getppid"], "NOTIFY")]}
    done = oci.run(under(profile, ["true"]))
    assert done.returncode == 1 and "linux.seccomp.listenerPath" in done.stderr
    assert not os.listdir(oci.root)


def test_start_hooks_run_under_the_filter(oci):
    """As with runc, whose order this is: the filter, the hooks, the program."""
    script = "mkdir /tmp/x 2>/dev/null || echo refused > /tmp/said"
    document = under({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule(["mkdir", "mkdirat"], "ERRNO")]}, ["cat", "/tmp/said"])
    document["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    runtimes = [oci] + ([bundle.Runtime([shutil.which("runc")], oci.base)] if shutil.which("runc") else [])
    for runtime in runtimes:
        done = runtime.run(document, name=BOX + "-hooks")
        assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
        os.unlink(os.path.join(oci.bundle, "rootfs", "tmp", "said"))


def test_features_say_what_was_tested(oci):
    said = json.loads(oci.ok("features"))["linux"]["seccomp"]
    assert said["enabled"] is True and "SCMP_ACT_NOTIFY" in said["actions"]
    if platform.machine() == "x86_64":
        assert sorted(said["archs"]) == sorted(X86)
    assert said["knownFlags"] == said["supportedFlags"] and len(said["supportedFlags"]) == 4
