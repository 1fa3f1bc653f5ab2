# SPDX-License-Identifier: Apache-2.0
"""Builds Go programs, which are kept: tools/go/server.go with Debian's Go, which is unpacked rather than installed where the machine does not have it; and programs
of other projects' modules, in the versions that a directory below tools/go names, with whichever Go there is."""
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

from .casemate import CACHE, REPOSITORY

TOOLS = os.path.join(REPOSITORY, "tests/tools/go")
SOURCE = os.path.join(TOOLS, "server.go")
VERSION = "1.19"
BUILD_TIME = 1200  # seconds, with the modules that have to be fetched first
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


def find(work):
    """The command of Go that the machine has, or Debian's below `work`, and None; or None, and why not."""
    usual = [shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go-%s/bin/go" % VERSION]
    for path in usual:
        if path and os.path.exists(path):
            return path, None
    goroot, why = fetch(work)
    return (goroot + "/bin/go" if goroot else None), why


def modules(name, packages, data=None):
    """A directory with the programs of `packages`, as tools/go/NAME/go.mod and go.sum fix their versions, and None; or None, and why there is none.
    `data`: (module, file names): files of the module's own that are put beside the programs, where it has them."""
    digest = hashlib.sha256(repr((packages, data)).encode())
    for file in ("go.mod", "go.sum"):
        with open(os.path.join(TOOLS, name, file), "rb") as f:
            digest.update(f.read())
    path = os.path.join(CACHE, "go-%s-%s" % (name, digest.hexdigest()[:16]))
    if os.path.isdir(path):
        return path, None
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="casemate-go-", dir="/var/tmp") as work:
        go, why = find(work)
        if why:
            return None, why
        env = {**os.environ, "GOCACHE": work + "/cache", "GOMODCACHE": work + "/modules", "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        part = tempfile.mkdtemp(prefix="go-part-", dir=CACHE)
        try:
            try:
                done = subprocess.run([go, "build", "-ldflags=-s -w", "-o", part + "/", *packages], env=env, cwd=os.path.join(TOOLS, name), stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=BUILD_TIME, check=False)
            except subprocess.TimeoutExpired:
                return None, "go build does not end"
            if done.returncode != 0:
                return None, "go build: " + (done.stderr.strip().splitlines() or ["it failed"])[-1]
            if data:
                where = subprocess.run([go, "list", "-m", "-f", "{{.Dir}}", data[0]], env=env, cwd=os.path.join(TOOLS, name), check=True, capture_output=True, text=True)
                for file in data[1]:
                    if os.path.exists(os.path.join(where.stdout.strip(), file)):
                        shutil.copy(os.path.join(where.stdout.strip(), file), part)
            os.chmod(part, 0o755)
            os.rename(part, path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return path, None


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
