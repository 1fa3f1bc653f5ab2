# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the e2e and attack suites.

casemate       the binary under test with a data root of its own; fails the test if anything is left behind
busybox        reference of a busybox image, loaded into `casemate`
registry       docker-registry on loopback, plain HTTP      registry_tls    with a CA of its own (.ca)
registry_auth  TLS, and a password                          lying_registry  serves what it is told, lies included
canary         host files, kernel settings, programs and the mount table; checked when the test ends
debian_tar     a real Debian 12 root as (path of a .tar.gz, diff id); skipped when no mirror is reachable
"""
import gzip
import hashlib
import os
import shutil
import signal
import subprocess

import pytest

from lib import canary as canary_module
from lib import casemate as casemate_module
from lib import images, leftovers
from lib import registry as registry_module
from lib import user


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        skip = pytest.mark.skip(reason="needs root")
        for item in items:
            item.add_marker(skip)


# What the whole suite leaves on the machine fails it. By hooks: the fixtures of a session do not end in the reverse of their order.
SUITE = {}


def pytest_sessionstart():
    # A shell's background jobs ignore it, and what the tests start would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    SUITE["before"] = leftovers.Before()


def pytest_sessionfinish(session):
    SUITE["left"] = SUITE["before"].left()
    if SUITE["left"] and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for line in SUITE["left"]:
        terminalreporter.write_line("FAILED the suite left behind: " + line)


@pytest.fixture
def machine_groups():
    """For a test that installs Casemate: its cgroups are the machine's, and only one may have them at a time."""
    with leftovers.installing():
        if leftovers.installed_groups():
            pytest.skip("Casemate has containers on this machine")
        yield


def open_to_user(path):
    """Gives a directory of pytest's to the user who types, and lets that user come to it."""
    who = user.chosen()
    if who:
        os.chown(path, who.uid, who.uid)
        for parent in path.parents:
            if str(parent) in ("/", "/tmp", "/var/tmp", os.environ.get("CASEMATE_TEST_DIR")):
                break
            os.chmod(parent, 0o711)
    return path


@pytest.fixture
def tmp_path(tmp_path):
    """pytest's own, open to the user who types (lib/user.py)."""
    return open_to_user(tmp_path)


@pytest.fixture(scope="session")
def installation():
    base = casemate_module.make_base("casemate-install-")
    try:
        made = casemate_module.Installation(base)
        assert made.binary, "the build has no bin/casemate"
        yield made
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def casemate(installation):
    made = casemate_module.Casemate(installation, casemate_module.make_base())
    yield made
    made.destroy()


@pytest.fixture(scope="session")
def busybox_made():
    if not os.path.exists("/bin/busybox"):
        pytest.skip("busybox-static is not installed")
    return images.busybox_image(media=images.DOCKER)


@pytest.fixture
def busybox(casemate, busybox_made):
    casemate.load(busybox_made, "busybox:latest")
    return "busybox:latest"


def _registry(tmp_path_factory, **how):
    if not registry_module.registry_binary():
        pytest.skip("docker-registry is not installed")
    return registry_module.Registry(open_to_user(tmp_path_factory.mktemp("registry")), **how)


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    made = _registry(tmp_path_factory)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def registry_tls(tmp_path_factory):
    made = _registry(tmp_path_factory, tls=True)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def registry_auth(tmp_path_factory):
    made = _registry(tmp_path_factory, tls=True, auth=True)
    yield made
    made.stop()


@pytest.fixture
def lying_registry():
    made = registry_module.LyingRegistry()
    yield made
    made.stop()


@pytest.fixture
def canary(installation):
    base = casemate_module.make_base("casemate-canary-")
    made = canary_module.Canary(os.path.join(base, "tree"), installation.programs)
    yield made
    try:
        made.check()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _make_debian(path, packages, suite):
    """mmdebstrap in a mount namespace of its own; returns why it failed, or None."""
    words = ["unshare", "-m", "--propagation", "private", "mmdebstrap", "--quiet", "--variant=minbase",
             "--aptopt=APT::Update::Error-Mode \"any\"", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    if packages:
        words.append("--include=" + ",".join(packages))
    part = path + ".part.tar.gz"
    done = subprocess.run([*words, suite, part], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        if os.path.exists(part):
            os.unlink(part)
        return "mmdebstrap: " + (done.stderr.strip().splitlines() or ["failed"])[-1]
    os.rename(part, path)
    return None


def debian_root(name, packages=(), suite="bookworm"):
    """(path, diff id) of a cached Debian root with extra packages, or skips the test with the reason."""
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap is not installed")
    os.makedirs(casemate_module.CACHE, exist_ok=True)
    path = os.path.join(casemate_module.CACHE, "debian-%s.tar.gz" % name)
    if not os.path.exists(path):
        why = _make_debian(path, packages, suite)
        if why:
            pytest.skip(why)
    sha = hashlib.sha256()
    with gzip.open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            sha.update(chunk)
    return path, "sha256:" + sha.hexdigest()


@pytest.fixture(scope="session")
def programs(installation):
    """A data root of its own with the image programs:latest, Debian 12 with common programs and run-times. One for all tests that want
    them: making and loading it takes longer than they do."""
    path, diff_id = debian_root("programs", ["git", "nginx-light", "nodejs", "openjdk-17-jre-headless", "perl", "python3",
                                             "redis-server", "sqlite3", "xz-utils"])
    made = casemate_module.Casemate(installation, casemate_module.make_base())
    try:
        made.load(images.make_image([images.FileLayer(path, "gzip", diff_id)], {"Cmd": ["bash"], "Env": [images.PATH]},
                                    media=images.DOCKER), "programs:latest")
        yield made
    finally:
        made.destroy()


@pytest.fixture(scope="session")
def debian_tar():
    return debian_root("minbase")


@pytest.fixture(scope="session")
def debian_image(debian_tar):
    """A Debian 12 minbase image of one layer, as lib.images makes it."""
    path, diff_id = debian_tar
    return images.make_image([images.FileLayer(path, "gzip", diff_id)], {"Cmd": ["bash"], "Env": [images.PATH]},
                             media=images.DOCKER)
