# SPDX-License-Identifier: Apache-2.0
"""Machines on which it cannot work: one line says why, and what to do. Made in mount namespaces of their own."""
import os
import subprocess

import pytest

from lib import wait

MASKED = "a container cannot have its own /proc here"
ON_OVERLAY = "is on an overlay"


def typed(casemate, setup, *words):
    """A command in a mount namespace where the shell line `setup` has been run; $1 is the base of the data root."""
    line = "base=$1; shift; %s && exec \"$@\"" % setup
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", line, "sh", casemate.base,
               casemate.installation.binary, *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=casemate.env, timeout=wait.seconds(60))
    return done.returncode, done.stderr.strip()


def test_covered_proc(casemate):
    casemate.ok("run", "--rm", "casemate/hello", "true")
    status, said = typed(casemate, "mount -t tmpfs none /proc/tty", "run", "--rm", "casemate/hello", "true")
    assert status == 125 and MASKED in said and len(said.splitlines()) == 1, said
    assert "systempaths=unconfined" in said


def test_data_root_on_an_overlay(casemate):
    places = [os.path.join(casemate.base, name) for name in ("lower", "upper", "work", "merged")]
    for place in places:
        os.mkdir(place)
    setup = "mount -t overlay o -o lowerdir=$base/lower,upperdir=$base/upper,workdir=$base/work $base/merged"
    casemate.env["CASEMATE_ROOT"] = places[-1] + "/root"
    status, said = typed(casemate, setup, "run", "--rm", "casemate/hello", "true")
    casemate.env["CASEMATE_ROOT"] = casemate.root
    if status == 0:
        pytest.skip("this kernel puts an overlay on an overlay")
    assert status == 125 and ON_OVERLAY in said and "CASEMATE_ROOT" in said and len(said.splitlines()) == 1, said
