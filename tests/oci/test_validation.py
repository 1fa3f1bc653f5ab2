# SPDX-License-Identifier: Apache-2.0
"""The public conformance suite of the specification (opencontainers/runtime-tools, `validation`): what runc or crun passes, casemate-runtime passes.

What fails with ours is run with the other two as well, and may be passed by neither. The exceptions are named, with the reason. With CASEMATE_VALIDATION=all
everything runs with all three, and the figures are printed (pytest -s)."""
import concurrent.futures
import fcntl
import os
import re
import shutil
import subprocess

import pytest

from lib import casemate as casemate_module
from lib import golang, host

from . import compare

MODULE = "github.com/opencontainers/runtime-tools"
PACKAGES = (MODULE + "/validation/...", MODULE + "/cmd/runtimetest")
ROOTS = ("rootfs-amd64.tar.gz", "rootfs-386.tar.gz")
ALL = os.environ.get("CASEMATE_VALIDATION") == "all"
# They use one name for their control group, so one after the other; the rest waits most of its time.
ALONE = re.compile(r"cgroups|resources")
AT_ONCE = 6
LEAST = 50

# Fails with ours, and is passed by one of the others.
OURS = {
    "hooks_stdin": "expects `created` in the state that prestart gets: `creating` since 1.0.2, as runc has it",
    "linux_ns_itype": "no mount namespace at all: the container's mounts would be made on the host, and stay there, as they do with runc and crun; refused",
    "poststart_fail": "expects a start that succeeds though a poststart hook fails: an error since 1.2.1, and runc's answer before",
    "mounts": "takes the kernel's list for the order of the mounts: since Linux 6.8 that is the order of their ages, and a bind is as old as the copy of its source",
}

# Passed by no runtime on a machine without the controllers and capabilities that some of them take for granted: what is the matter, so that nobody looks again.
NOBODY = {
    "delete": "expects that a container which is `created` cannot be deleted: it can, with runc and crun too",
    "hooks": "compares with words that its hooks do not write",
    "linux_cgroups_blkio": "weights of CFQ, which Linux 5.0 has no more",
    "linux_cgroups_hugetlb": "a controller that the machine does not have",
    "linux_cgroups_memory": "a limit of kernel memory, which newer kernels ignore",
    "linux_cgroups_network": "controllers that the machine does not have",
    "linux_process_apparmor_profile": "a profile that is not loaded",
    "misc_props": "does not copy its program into the first container's root",
    "pidfile": "kills a program that has ended",
    "prestart": "expects that prestart hooks run at `start`: at `create` since 1.0.2",
    "process_capabilities": "asks for every capability that the kernel knows; the machine has fewer",
    "process_capabilities_fail": "expects that a capability with an unknown name is an error: a warning since 1.1",
    "process_rlimits": "its program is Go's, which raises its soft limit of open files itself",
    "start": "expects that what has no process can be created and not started: runc and crun create none",
}
NOBODY.update({name.replace("cgroups", "cgroups_relative"): "the same" for name in list(NOBODY) if "cgroups" in name})


def passed(status, output):
    """Its plan may be empty: then it says only what is wrong."""
    return status == 0 and "not ok" not in output and (re.search(r"^\s*ok ", output, re.M) is not None or '"error"' not in output)


class Suite:
    def __init__(self, programs, base, installation):
        self.programs, self.base = programs, base
        ours = installation.binary.replace("bin/casemate", "bin/casemate-runtime")
        self.runtimes = {compare.OURS: ours, **{name: shutil.which(name) for name in compare.NOTED if shutil.which(name)}}
        self.libexec = installation.libexec
        self.names = sorted(n for n in os.listdir(programs) if n != "runtimetest" and n not in ROOTS)

    def wrapper(self, runtime, directory):
        """The runtime as a command without options. Before a signal it lets some time pass: the suite sends it as soon as the program runs, whose shell has yet to set its trap."""
        path = os.path.join(directory, "runtime")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexport CASEMATE_LIBEXEC=%s CASEMATE_ROOT=%s/cache\n[ \"$1\" != kill ] || sleep 0.2\nexec %s --root %s/state \"$@\"\n" % (
                self.libexec, directory, self.runtimes[runtime], directory))
        os.chmod(path, 0o755)
        return path

    def run(self, runtime, name):
        """(passed, what it said); nothing of it is left."""
        directory = os.path.join(self.base, runtime, name)
        os.makedirs(directory)
        command = self.wrapper(runtime, directory)
        hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c", compare.PRIVATE % "", "sh"]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RUNTIME": command, "TMPDIR": directory}
        try:
            done = subprocess.run([*hidden, os.path.join(self.programs, name)], cwd=self.programs, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=300, check=False)
        finally:
            state = os.path.join(directory, "state")
            for container in os.listdir(state) if os.path.isdir(state) else []:
                subprocess.run([*hidden, command, "delete", "--force", container], env=env, capture_output=True, check=False)
            shutil.rmtree(directory, ignore_errors=True)
        return passed(done.returncode, done.stdout), done.stdout[-3000:] + done.stderr[-1000:]

    def run_alone(self, runtime, names):
        with open(self.programs + "/runtimetest", "rb") as lock:  # several runs may share the machine
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return {name: self.run(runtime, name) for name in names}
            finally:
                remove_groups()

    def answers(self, runtime, names):
        alone = [n for n in names if ALONE.search(n)]
        rest = [n for n in names if n not in alone]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            first = pool.submit(self.run_alone, runtime, alone)
            found = dict(zip(rest, pool.map(lambda n: self.run(runtime, n), rest)))
            return {**found, **first.result()}


def remove_groups():
    """What is above a group that a container is in stays, whoever has made it."""
    for where in os.listdir(host.CGROUP_ROOT):
        for path in ("testdir/cgrouptest", "testdir", "cgrouptest"):
            if os.path.isdir(os.path.join(host.CGROUP_ROOT, where, path)):
                os.rmdir(os.path.join(host.CGROUP_ROOT, where, path))


@pytest.fixture(scope="module")
def suite(installation):
    programs, why = golang.modules("validation", PACKAGES, (MODULE, ROOTS))
    if why:
        pytest.skip("the conformance suite cannot be built: " + why)
    if os.uname().machine != "x86_64":
        pytest.skip("the conformance suite has no root for this machine")
    base = casemate_module.make_base("casemate-validation-")
    yield Suite(programs, base, installation)
    shutil.rmtree(base, ignore_errors=True)


@pytest.mark.slow
def test_what_runc_or_crun_passes(suite):
    skipped = [] if ALL else list(NOBODY)
    names = [n for n in suite.names if n not in skipped]
    assert len(suite.names) >= LEAST and set(OURS) | set(NOBODY) <= set(suite.names)
    ours = suite.answers(compare.OURS, names)
    again = [n for n in names if ALL or not ours[n][0] and n not in OURS]
    theirs = {name: suite.answers(name, again) for name in suite.runtimes if name != compare.OURS}
    if ALL:
        for name, answers in {compare.OURS: ours, **theirs}.items():
            print("%s: %d of %d; not %s" % (name, sum(a[0] for a in answers.values()), len(answers), " ".join(n for n in names if not answers[n][0])))
    for name in again:
        better = [runtime for runtime, answers in theirs.items() if answers[name][0]]
        assert ours[name][0] or name in OURS or not better, "%s: passed by %s\n%s" % (name, better, ours[name][1])
        assert not (ours[name][0] or better) or name not in NOBODY, name + ": the note is wrong"
    assert sum(answer[0] for answer in ours.values()) >= len(names) - len(OURS) - len(NOBODY if ALL else ()), {n: a[1] for n, a in ours.items() if not a[0] and n not in OURS}
