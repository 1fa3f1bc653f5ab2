# SPDX-License-Identifier: Apache-2.0
"""A dockerd of a test's own, without a network: what Docker does with the same words."""
import contextlib
import shutil
import subprocess

import pytest

from . import casemate as casemates
from . import wait


class Docker:
    def __init__(self, socket):
        self.socket = "unix://" + socket

    def run(self, *words):
        """A Result, as of Casemate.run."""
        done = subprocess.run(["docker", "-H", self.socket, *[str(w) for w in words]], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=wait.seconds(60), check=False)
        return casemates.Result(done.returncode, done.stdout, done.stderr)

    def ok(self, *words):
        result = self.run(*words)
        assert result.status == 0, "docker %s: %s" % (" ".join(map(str, words)), result.err)
        return result.out


@contextlib.contextmanager
def started():
    """A Docker; skips where there is none, or where its daemon does not start."""
    if not shutil.which("dockerd"):
        pytest.skip("docker.io is not installed")
    base = casemates.make_base("casemate-docker-")
    docker = Docker(base + "/docker.sock")
    with open(base + "/log", "wb") as log:
        daemon = subprocess.Popen(["dockerd", "--data-root", base + "/root", "--exec-root", base + "/exec", "-H", docker.socket,
                                   "--pidfile", base + "/pid", "--bridge", "none", "--iptables=false", "--ip6tables=false",
                                   "--storage-driver", "vfs"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with contextlib.suppress(AssertionError):
            wait.until(lambda: daemon.poll() is not None or docker.run("version").status == 0, limit=30, what="dockerd answers")
        if docker.run("version").status != 0:
            with open(base + "/log", encoding="utf-8", errors="replace") as f:
                pytest.skip("dockerd does not start here: " + f.read()[-300:])
        yield docker
    finally:
        daemon.terminate()
        daemon.wait(wait.seconds(30))
        shutil.rmtree(base, ignore_errors=True)
