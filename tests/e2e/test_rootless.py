# SPDX-License-Identifier: Apache-2.0
"""Row 86: the suite as an ordinary user. Both tests run pytest again, as root but with every `casemate` of it typed by a user with
subordinate ids, in a mount namespace where /etc/passwd and /etc/subuid know that user (lib/user.py)."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from lib import wait

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The engine's whole way: words, images, streams, signals, terminal, exec, names, what is refused. Not here: what reads host ids of the
# pool, control groups (no delegation on a machine without a service manager), writable binds as root (tests/rootless has its own).
CHOSEN = ["e2e/test_run.py", "e2e/test_images.py", "attack/test_runtime.py"]
NOT = ["test_row83_row84_root_is_nobody_on_the_host", "test_volumes", "test_row37_limits_are_in_the_cgroup",
       "test_row27_row28_row29_row35_defaults", "test_row33_shm_and_tmpfs_count_and_are_capped",
       "test_row28_memory_limit_kills_and_names_the_flag"]


def run_as_user(*words):
    """Fails with the end of what was printed, unless some tests have passed and none has failed."""
    if not shutil.which("newuidmap"):
        pytest.skip("newuidmap is not installed (uidmap)")
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.join(TESTS, "lib/user.py"),
               sys.executable, "-m", "pytest", "-c", os.path.join(TESTS, "pytest.ini"), "--rootdir", TESTS, "-q",
               "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=TESTS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, "CASEMATE_TEST_USER": "cm-alice"}, timeout=wait.seconds(600))
    assert done.returncode == 0 and re.search(r"\d+ passed", done.stdout), done.stdout[-6000:]


@pytest.mark.row(86)
def test_row_86_what_is_different_for_a_user():
    run_as_user("rootless/test_user.py")


@pytest.mark.row(86)
def test_row_86_the_suite_as_a_user():
    chosen = [os.path.join(TESTS, path) for path in CHOSEN]
    run_as_user(*chosen, "-k", "not (%s)" % " or ".join(NOT))
