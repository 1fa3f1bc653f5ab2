# SPDX-License-Identifier: Apache-2.0
"""create, start, run and delete are interrupted at each of their system calls, by a kill or by an error: `delete --force` then succeeds, and nothing is left: no process,
no control group, no directory, no mount. What is said is one line.

A sample here, another one with CASEMATE_FAULTS_SEED; all of them with CASEMATE_FAULTS=all (some minutes)."""
import json
import os
import random
import re
import shutil
import subprocess

import pytest

from lib import bundle, host, wait
from lib import casemate as casemate_module

NAME = "casemate-fault-" + os.urandom(4).hex()
SAMPLE = int(os.environ.get("CASEMATE_FAULTS_SAMPLE", "16"))
SEED = os.environ.get("CASEMATE_FAULTS_SEED", "interrupted")
# What cannot fail, and what would not be ours to handle: a failed exit_group(2) is a crash of the C library.
CALLS = "!exit,exit_group,rt_sigreturn,restart_syscall,execve,arch_prctl,set_tid_address"
# When the processes that the command makes are interrupted too: the n-th call is counted in each, so what only the loader makes is left out.
BUILD_CALLS = CALLS + ",openat,mmap,read,pread64,fstat,newfstatat,close,mprotect,munmap,brk,access,prlimit64,rseq,set_robust_list,getrandom"
WAITS = ["sh", "-c", "while :; do sleep 0.05; done"]


@pytest.fixture(scope="module")
def oci(installation):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    base = casemate_module.make_base("casemate-faults-")
    bundle.make_rootfs(os.path.join(base, "bundle", "rootfs"))
    os.makedirs(os.path.join(base, "bundle", "shared"))
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CASEMATE_LIBEXEC": installation.libexec, "CASEMATE_ROOT": os.path.join(base, "cache")}
    yield bundle.Runtime([installation.binary.replace("bin/casemate", "bin/casemate-runtime")], base, env)
    shutil.rmtree(base, ignore_errors=True)


def configure(runtime, program):
    """Something of everything that a creation makes."""
    def change(c):
        c["linux"]["cgroupsPath"] = "/" + NAME
        c["linux"]["namespaces"].append({"type": "cgroup"})
        c["linux"]["resources"].update(pids={"limit": 100}, memory={"limit": 1 << 28})
        c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mknod"], "action": "SCMP_ACT_ERRNO"}]}
        c["mounts"] += [{"destination": "/shared", "type": "bind", "source": "shared", "options": ["rbind", "nosuid"]},
                        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}]
        c["hooks"] = {"createRuntime": [{"path": "/bin/true"}], "poststop": [{"path": "/bin/true"}]}
        c["process"]["args"] = program
    runtime.write(json.dumps(bundle.config(change)))


class Traced:
    """One command under strace; `faults` are its options."""

    def __init__(self, runtime, verb, faults, children):
        self.trace = os.path.join(runtime.base, "trace")
        self.errors = os.path.join(runtime.base, "errors")
        follow = ["-f"] if children else []
        for path in (self.trace, self.errors):
            if os.path.exists(path):
                os.unlink(path)
        with open(self.errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(["strace", "-q", "-I1", *follow, "-o", self.trace, *faults, *runtime.words, "--root", runtime.root, *verb],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd=runtime.bundle, env=runtime.env)
        # With its children strace stays as long as one of them lives, and the container does.
        wait.until(lambda: self.process.poll() is not None or (children and self._command_ended()), what="the command ends")
        self.process.terminate()
        self.process.wait()
        self.said = host.read(self.errors)
        self.lines = host.read(self.trace).splitlines()

    def _command_ended(self):
        lines = host.read(self.trace).splitlines()
        first = lines[0].split()[0] if lines else ""
        return any(line.startswith(first + " ") and " +++ " in line for line in lines[1:])

    def injected(self):
        return [line for line in self.lines if "(INJECTED)" in line]


def groups():
    return [path for path in (os.path.join(host.CGROUP_ROOT, d, NAME) for d in os.listdir(host.CGROUP_ROOT)) if os.path.isdir(path)]


def of_the_container():
    """Processes whose control group or command line has the name."""
    return [pid for pid in host.pids() if NAME in host.read("/proc/%d/cgroup" % pid) or ("casemate-enter" in host.command(pid) and NAME in host.read("/proc/%d/environ" % pid))]


def make(runtime, step):
    """What must be there before a step."""
    if step in ("start", "delete"):
        configure(runtime, WAITS)
        status, error = runtime.create(host.read(os.path.join(runtime.bundle, "config.json")), NAME)
        assert status == 0, error
    if step == "delete":
        runtime.ok("start", NAME)
    if step in ("create", "run"):
        configure(runtime, WAITS if step == "create" else ["true"])


VERBS = {"create": ["create", NAME], "start": ["start", NAME], "run": ["run", NAME], "delete": ["delete", "--force", NAME]}


def count(runtime, step, children):
    """The numbers of the system calls that the command makes once it is loaded; with its children, of the process that makes most."""
    make(runtime, step)
    traced = Traced(runtime, VERBS[step], ["-e", "trace=" + (BUILD_CALLS if children else CALLS)], children)
    runtime.call("delete", "--force", NAME)
    calls = {}
    for line in traced.lines:
        process = line.split()[0] if children else ""
        calls[process] = calls.get(process, 0) + ("(" in line)
    assert traced.said == "" and max(calls.values()) > 30, traced.said
    loaded = 1 if children else next(i for i, line in enumerate(traced.lines) if line.startswith("getrandom("))
    return range(loaded, max(calls.values()) + 1)


def check(runtime, traced, mounts, where):
    forced = runtime.call("delete", "--force", NAME)
    assert forced.returncode == 0, "%s: delete --force: %s" % (where, forced.stderr)
    wait.until(lambda: not of_the_container(), what=where + ": no process is left")
    assert not os.path.isdir(runtime.root) or os.listdir(runtime.root) == [], where
    assert groups() == [], where
    assert host.read("/proc/self/mountinfo") == mounts, where
    assert traced.said.count("\n") <= 1, "%s: %s" % (where, traced.said)
    assert not re.search(r"Sanitizer|core dumped|SIGSEGV|SIGABRT", traced.said + "\n".join(line for line in traced.lines if "+++" in line)), "%s: %s" % (where, traced.said)


def points(calls, salt):
    if os.environ.get("CASEMATE_FAULTS") == "all":
        return calls
    return sorted(random.Random(SEED + salt).sample(calls, min(SAMPLE, len(calls))))


@pytest.mark.parametrize("step, children, fault", [
    ("create", False, "signal=KILL"), ("create", False, "error=EIO"), ("create", True, "error=EIO"), ("create", True, "signal=KILL"),
    ("start", False, "signal=KILL"), ("start", False, "error=EIO"), ("delete", False, "signal=KILL"), ("delete", False, "error=EIO"), ("run", True, "error=EIO")])
def test_nothing_is_left(oci, step, children, fault):
    mounts = host.read("/proc/self/mountinfo")
    calls = count(oci, step, children)
    for n in points(calls, step + fault + str(children)):
        make(oci, step)
        traced = Traced(oci, VERBS[step], ["-e", "inject=%s:%s:when=%d" % (BUILD_CALLS if children else CALLS, fault, n)], children)
        check(oci, traced, mounts, "%s, %s at call %d: %s" % (step, fault, n, (traced.injected() or traced.lines[-1:] or [""])[-1][:150]))
