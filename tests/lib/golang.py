# SPDX-License-Identifier: Apache-2.0
"""Builds tools/go/server.go with Debian's Go, which is unpacked rather than installed where the machine does not have it; the program is kept."""
import glob
import hashlib
import os
import subprocess
import tempfile

from .casemate import CACHE, REPOSITORY

SOURCE = os.path.join(REPOSITORY, "tests/tools/go/server.go")
VERSION = "1.19"
PACKAGES = ("golang-%s-go" % VERSION, "golang-%s-src" % VERSION)


def fetch(work):
    """Root of Debian's Go below `work`, and None; or None, and why not."""
    done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *PACKAGES], cwd=work, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        return None, "Debian's Go: " + (done.stderr.strip().splitlines() or ["apt-get failed"])[-1]
    for package in glob.glob(work + "/*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, work], check=True)
    return work + "/usr/lib/go-" + VERSION, None


def program():
    """Path of the program, and None; or None, and why there is none."""
    with open(SOURCE, "rb") as f:
        path = os.path.join(CACHE, "go-server-" + hashlib.sha256(f.read()).hexdigest()[:16])
    if os.path.exists(path):
        return path, None
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="casemate-go-", dir="/var/tmp") as work:
        goroot, why = "/usr/lib/go-" + VERSION, None
        if not os.path.exists(goroot + "/bin/go"):
            goroot, why = fetch(work)
        if why:
            return None, why
        env = {"PATH": "/usr/bin:/bin", "HOME": work, "GOROOT": goroot, "GOCACHE": work + "/cache", "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run([goroot + "/bin/go", "build", "-ldflags=-s -w", "-o", path + ".part", SOURCE], check=True, env=env, cwd=work)
        os.rename(path + ".part", path)
    return path, None
