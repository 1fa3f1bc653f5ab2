# SPDX-License-Identifier: Apache-2.0
"""The same bundle under casemate-runtime, runc and crun: equal answers, case by case (compare.py says what a case is)."""
import os
import re
import shutil
import subprocess

import pytest

from lib import bundle, casemate as casemate_module

from . import compare, files, hooks, kernel, lifecycle, mounts, namespaces, process, resources

AREAS = (process, namespaces, mounts, files, resources, kernel, hooks, lifecycle)
CASES = [pytest.param(case, id="%s: %s" % (area.__name__.rpartition(".")[2], case.name)) for area in AREAS for case in area.CASES]
PROBE = os.path.join(casemate_module.BUILD, "tests/tools/oci-probe")
LEAST = 150


def version(program):
    """The version of runc or crun: "1.1.5"."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+\.\d+\.\d+)", said)
    return found.group(1) if found else ""


class Bench:
    """All runtimes that there are, and the files that every bundle begins with."""

    def __init__(self, base, installation):
        self.pristine = os.path.join(base, "pristine")
        bundle.make_rootfs(self.pristine)
        shutil.copy(PROBE, os.path.join(self.pristine, "bin", "probe"))
        for applet in ("cut", "cp", "mknod", "id", "uniq", "tr", "sync"):
            link = os.path.join(self.pristine, "bin", applet)
            if not os.path.lexists(link):
                os.symlink("busybox", link)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CASEMATE_LIBEXEC": installation.libexec}
        ours = installation.binary.replace("bin/casemate", "bin/casemate-runtime")
        self.ours = compare.Compared(compare.OURS, ours, base, env)
        self.references = [compare.Compared(name, shutil.which(name), base, env) for name in compare.NOTED if shutil.which(name)]
        self.noted = {r.name for r in self.references if version(r.program) == compare.NOTED[r.name]}


@pytest.fixture(scope="module")
def bench(installation):
    base = casemate_module.make_base("casemate-matrix-")
    try:
        yield Bench(base, installation)
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def nothing_left(bench):
    yield
    for runtime in [bench.ours, *bench.references]:
        assert not os.path.isdir(runtime.root) or not os.listdir(runtime.root), runtime.name


def test_there_are_enough_cases():
    cases = [c for area in AREAS for c in area.CASES]
    assert len(cases) >= LEAST and all(c.clause.split(",")[0] in ("config.md", "config-linux.md", "runtime.md") for c in cases)
    assert len({p.id for p in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_same_bundle(bench, nothing_left, case):
    ours, error = compare.answer(case, bench.ours, bench.pristine)
    if case.refused:
        assert ours is True and case.refused in error, error
        assert error.count("\n") == 1, error
    if case.expect is not None:
        assert ours == (True if case.refused else case.expect if isinstance(case.expect, dict) else (case.status or 0, case.expect)), error
        return
    compared = [r for r in bench.references if r.name not in case.differs]
    for runtime in compared:
        theirs, their_error = compare.answer(case, runtime, bench.pristine)
        assert ours == theirs, "%s: %s\nours: %s" % (runtime.name, their_error, error)
    for runtime in bench.references:
        if runtime.name in case.differs and runtime.name in bench.noted:
            assert compare.answer(case, runtime, bench.pristine)[0] != ours, "%s does the same: the note is wrong" % runtime.name
    if not compared and not case.differs:
        pytest.skip("neither runc nor crun is installed")
