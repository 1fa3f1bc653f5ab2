# SPDX-License-Identifier: Apache-2.0
"""Races against the creation of a container that has no user namespace (ATTACKS.md, groups runtime and mount): another container, whose root is root of the host, has some
of its files and exchanges names among them as fast as it can. And what is written to procfs, and programs that others want to have loaded."""
import os
import shutil
import stat
import subprocess

import pytest

from attack.oci_container import given, oci, up  # oci: a fixture
from lib import bundle, host, wait
from lib.casemate import BUILD

ROUNDS = 100
FLIP = os.path.join(BUILD, "tests/tools/flip")
ATTACK = "touch /tmp/begun; while :; do flip /shared/%s /shared/%s 5000; done"

# Entered first: the names go on changing.
OPEN = """for d in /proc /other /tmp; do
    (cd $d; [ ! -e keys ] || [ -c keys ] || echo open $d; [ -e sys/kernel/domainname ] && echo probe 2>/dev/null >sys/kernel/domainname && echo written $d)
done
echo as it shall be"""
UNHARMED = {(0, "as it shall be\n"), (1, "")}


@pytest.fixture
def race(oci, canary):
    """race(shared, name, other, victim): a container exchanges two names in `shared` while the victim is run ROUNDS times. What they said and returned."""
    def run(shared, name, other, victim, change=None):
        shutil.copy(FLIP, os.path.join(oci.bundle, "rootfs/bin/flip"))

        def volume(c):
            c["mounts"].append({"destination": "/shared", "type": "bind", "source": shared, "options": ["rbind"]})
        up(oci, ATTACK % (name, other), volume)
        wait.until(lambda: os.path.exists(os.path.join(oci.tmp, "begun")), what="the attacker has begun")
        os.remove(os.path.join(oci.tmp, "begun"))
        said = []
        for _ in range(ROUNDS):
            done = oci.run(given(victim, change), name=oci.name + "-victim")
            assert done.returncode in (0, 1), done
            said.append((done.returncode, done.stdout))
        canary.check()
        assert (0, "as it shall be\n") in said, "none of them ran: " + done.stderr
        return said
    return run


def with_root(path):
    """The victim's files, apart from the attacker's."""
    bundle.make_rootfs(path)

    def change(c):
        c["root"]["path"] = path
    return change


def test_the_null_that_masks_is_exchanged(oci, race):
    """CVE-2025-31133: the file that covers masked paths is a link to one that nobody shall write."""
    root = os.path.join(oci.base, "victim")
    roots = with_root(root)
    os.mknod(root + "/dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.symlink("../proc/sys/kernel/core_pattern", root + "/dev/link")

    def change(c):
        roots(c)
        c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]
        c["linux"].update(maskedPaths=["/proc/keys"], readonlyPaths=[])
    said = race(root + "/dev", "null", "link", "[ -c /proc/keys ] && echo as it shall be || ls -l /proc/keys", change)
    assert set(said) <= UNHARMED


def test_proc_is_renamed_while_it_is_masked(oci, race):
    """CVE-2023-27561 and those like it: masks of /proc go to a directory that has taken its place, and procfs is open under another name."""
    root = os.path.join(oci.base, "victim")
    roots = with_root(root)
    os.mkdir(root + "/other")
    said = race(root, "proc", "other", OPEN, roots)
    assert set(said) <= UNHARMED


def test_proc_is_a_link_at_times(oci, race):
    """CVE-2019-19921, CVE-2023-27561."""
    root = os.path.join(oci.base, "victim")
    roots = with_root(root)
    os.symlink("tmp", root + "/other")
    said = race(root, "proc", "other", OPEN, roots)
    assert set(said) <= UNHARMED


def test_the_console_is_exchanged(oci, race):
    """CVE-2025-52565: the terminal is mounted on a file of procfs, or something else on the console."""
    root = os.path.join(oci.base, "victim")
    roots = with_root(root)
    os.mkdir(root + "/dev/pts")
    os.mknod(root + "/dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(root + "/dev/console", stat.S_IFREG | 0o666)
    os.symlink("../proc/sys/kernel/core_pattern", root + "/dev/link")

    def change(c):
        roots(c)
        c["process"]["terminal"] = True
        c["mounts"] = [m for m in c["mounts"] if m["destination"] not in ("/dev", "/dev/shm")]
    said = race(root + "/dev", "console", "link", "grep devpts /proc/self/mountinfo | grep -q ' /proc' && echo mounted in proc || echo as it shall be", change)
    assert {(code, text.replace("\r", "")) for code, text in said} <= UNHARMED


@pytest.mark.parametrize("kind", ["tmpfs", "bind of a directory", "bind of a file"])
def test_a_directory_on_the_way_is_exchanged(oci, race, canary, kind):
    """CVE-2021-30465 and Kubernetes' subPath: mounts on, and from, a path in a shared volume whose directories become links to the host's."""
    shared = os.path.join(oci.base, "shared")
    os.makedirs(shared + "/sub/x")
    os.mknod(shared + "/sub/file", stat.S_IFREG | 0o666)
    os.symlink("../" * 12 + canary.path[1:] + "/dir", shared + "/link")
    what = {"tmpfs": {"destination": "/data/sub/x", "type": "tmpfs", "source": "tmpfs"},
            "bind of a directory": {"destination": "/data/sub/x", "type": "bind", "source": os.path.join(oci.bundle, "rootfs/data"), "options": ["bind"]},
            "bind of a file": {"destination": "/data/sub/file", "type": "bind", "source": os.path.join(oci.bundle, "rootfs/etc/passwd"), "options": ["bind"]}}[kind]

    def change(c):
        c["mounts"] += [{"destination": "/data", "type": "bind", "source": shared, "options": ["rbind"]}, what]
    said = race(shared, "sub", "link", "grep -rqs %s /data/ && echo seen; echo as it shall be" % canary.word, change)
    assert set(said) <= UNHARMED


def test_a_label_goes_to_no_other_file_of_procfs(oci):
    """CVE-2025-52881: the file for the label of an exec is a link to a setting, which is procfs too."""
    fake = "mkdir /real && mount -t proc proc /real && mount -t tmpfs tmpfs /proc && mkdir -p /proc/thread-self/attr && ln -s /real/sys/kernel/domainname /proc/thread-self/attr/exec && " \
           "touch /tmp/ready; sleep 1000"

    def change(c):
        c["linux"].update(maskedPaths=[], readonlyPaths=[])
    document = given(fake, change)
    for s in document["process"]["capabilities"].values():
        s.append("CAP_SYS_ADMIN")
    status, error = oci.create(document, oci.name)
    assert status == 0, error
    oci.ok("start", oci.name)
    wait.until(lambda: os.path.exists(os.path.join(oci.tmp, "ready")), what="the attacker is ready")
    before = oci.ok("exec", oci.name, "cat", "/real/sys/kernel/domainname")
    done = oci.call("exec", "--apparmor", "hostile", oci.name, "true")
    assert done.returncode != 0 and "/proc of the container is not procfs" in done.stderr, done.stderr
    assert oci.ok("exec", oci.name, "cat", "/real/sys/kernel/domainname") == before
    oci.ok("exec", oci.name, "sh", "-c", "umount /proc; mount -t proc proc /proc")


@pytest.mark.parametrize("how", ["a link", "a mount"])
def test_a_setting_goes_to_no_other_file_of_procfs(oci, how):
    """CVE-2025-52881: linux.sysctl through a /proc that somebody has prepared."""
    def change(c):
        c["linux"]["sysctl"] = {"kernel.shmmax": "4242"}
        c["linux"].update(maskedPaths=[], readonlyPaths=[])
        if how == "a mount":
            script = "mount --bind %s/rootfs/proc/sys/kernel/shmall %s/rootfs/proc/sys/kernel/shmmax" % (oci.bundle, oci.bundle)
            c["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}
        else:
            fake = os.path.join(oci.base, "fake")
            os.makedirs(fake + "/sys/kernel")
            os.symlink("/real/sys/kernel/shmall", fake + "/sys/kernel/shmmax")
            c["mounts"] = [dict(m, destination="/real") if m["destination"] == "/proc" else m for m in c["mounts"]]
            c["mounts"].append({"destination": "/proc", "type": "bind", "source": fake, "options": ["bind"]})
    done = oci.run(given("true", change), name=oci.name)
    says = {"a link": "/proc of the container is not procfs", "a mount": "something is mounted in /proc"}[how]
    assert done.returncode == 1 and "linux.sysctl" in done.stderr and says in done.stderr, done.stderr


LIBRARY = """#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void)
{
    int fd = open(getenv("LOADED"), O_CREAT | O_WRONLY, 0666);
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    if (n > 0)
        (void)!write(fd, path, (size_t)n);
    close(fd);
}
"""


def test_no_library_is_loaded_into_what_enters(oci, canary):
    """CVE-2019-5736, its second way: /proc/self/exe as the program, with a library of the container's waiting to be loaded into it."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    library = os.path.join(oci.tmp, "hostile.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, "-xc", "-"], input=LIBRARY, text=True, check=True)
    environment = ["LD_PRELOAD=/tmp/hostile.so", "LD_LIBRARY_PATH=/tmp", "LD_AUDIT=/tmp/hostile.so", "LOADED=/tmp/loaded", "PATH=/bin"]

    def change(c):
        c["process"]["env"] = environment
    up(oci, "while :; do sleep 1; done", change)
    document = given("true", change)
    document["process"]["args"] = ["/proc/self/exe"]
    oci.run(document, name=oci.name + "-b")
    oci.call("exec", *[w for e in environment for w in ("--env", e)], oci.name, "/proc/self/exe")
    assert not os.path.exists(os.path.join(oci.tmp, "loaded")), host.read(os.path.join(oci.tmp, "loaded"))
    subprocess.run([os.path.realpath("/bin/true")], env={"LD_PRELOAD": library, "LOADED": os.path.join(oci.base, "loaded")}, check=True)
    assert os.path.exists(os.path.join(oci.base, "loaded")), "the library does what it shall, where something loads it"
