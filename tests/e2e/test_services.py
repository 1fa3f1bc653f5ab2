# SPDX-License-Identifier: Apache-2.0
"""What is shipped for init systems: the units, held against systemd's own reading of them, and the init script, run."""
import os
import shutil
import subprocess

import pytest

from lib import wait

UNITS = ("casemate-boot.service", "casemate-once.service", "casemate-tend.service", "casemate-tend.timer")
USER_UNITS = ("casemate-boot.service", "casemate-tend.service")


def find(installation, name, below=""):
    (stage,) = installation.programs
    for where, _, files in os.walk(stage):
        if name in files and where.endswith(below):
            return os.path.join(where, name)
    return None


@pytest.fixture
def staged(installation):
    if len(installation.programs) != 1:
        pytest.skip("the programs are not an installation of the test's own")
    return installation


KINDS = pytest.mark.parametrize("kind, units", [("system", UNITS), ("user", USER_UNITS)])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@KINDS
def test_units_are_accepted_by_systemd(staged, tmp_path, kind, units):
    for name in units:
        path = find(staged, name, "/lib/systemd/" + kind)
        assert path, "%s is not installed" % name
        with open(path, encoding="utf-8") as f:
            text = f.read()
        # The program stands elsewhere in this installation.
        text = "\n".join(line.replace(line.split("=", 1)[1].lstrip("-").split()[0], staged.binary, 1)
                         if line.startswith("Exec") else line for line in text.splitlines())
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--" + kind, *(str(tmp_path / name) for name in units)],
                          env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=wait.seconds(60), check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "casemate" in line]
    assert done.returncode == 0 and not said, done.stdout + done.stderr


@KINDS
def test_units_leave_containers_alone(staged, kind, units):
    """A service that ends takes its control group with it unless it says otherwise: shims would be in it."""
    for name in units:
        if name.endswith(".service"):
            with open(find(staged, name, "/lib/systemd/" + kind), encoding="utf-8") as f:
                assert "KillMode=process\n" in f.read(), name


def test_init_script(staged, casemate, busybox):
    script = find(staged, "casemate-boot")
    assert script and os.access(script, os.X_OK)

    def call(word):
        done = subprocess.run([script, word], env={**casemate.env, "CASEMATE_PROGRAM": staged.binary}, timeout=wait.seconds(60),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout
    assert call("status") == (3, "0 containers run\n")
    casemate.ok("run", "-d", "--restart", "unless-stopped", "--name", "web", busybox, "sh", "-c",
                "trap 'exit 0' TERM; sleep 1000 & wait")
    assert call("status") == (0, "1 containers run\n")
    assert call("stop")[0] == 0
    assert call("status")[0] == 3
    assert call("start")[0] == 0
    assert casemate.ok("ps", "--format", "{{.Names}}") == "web\n"
    first = casemate.pid("web")
    assert call("restart")[0] == 0 and casemate.pid("web") != first
    assert call("nonsense")[0] == 2


def test_init_script_without_casemate(staged):
    assert subprocess.run([find(staged, "casemate-boot"), "start"], env={"CASEMATE_PROGRAM": "/no/such/program"},
                          stdin=subprocess.DEVNULL, timeout=wait.seconds(10)).returncode == 0
