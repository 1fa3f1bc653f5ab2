# SPDX-License-Identifier: Apache-2.0
"""A small soak (docs/soak.md): everything at once, while it is killed. CASEMATE_SOAK_SEED names other operations."""
import os
import shutil
import subprocess
import sys

import pytest

from lib import casemate as casemate_module
from lib import wait

SEED = os.environ.get("CASEMATE_SOAK_SEED", "check")


@pytest.mark.slow
def test_small_soak(tmp_path):
    if not os.path.exists("/bin/busybox") or not shutil.which("cc"):
        pytest.skip("needs busybox-static and a compiler")
    if "CASEMATE_BIN" in os.environ:
        pytest.skip("replaces the programs: not those that are installed")
    program = os.path.join(casemate_module.REPOSITORY, "tests", "soak", "run")
    done = subprocess.run([sys.executable, program, "--containers", "10", "--seconds", "20", "--seed", SEED,
                           "--report", str(tmp_path / "report.json")], env={**os.environ, "CASEMATE_BUILD": casemate_module.BUILD},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=wait.seconds(400))
    assert done.returncode == 0, "seed %s:\n%s%s" % (SEED, done.stdout[-20000:], done.stderr[-3000:])
