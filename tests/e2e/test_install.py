# SPDX-License-Identifier: Apache-2.0
"""quickstart and uninstall, on an overlay over this machine's root in namespaces of their own: the machine stays as it is."""
import os
import shutil
import subprocess

import pytest

from lib import casemate as casemate_module
from lib import wait

REPOSITORY = casemate_module.REPOSITORY
RESERVED = "casemate:1879048192:268369920"

# What an installation touches: must be the same before quickstart and after uninstall.
SNAPSHOT = r"""
snapshot() {
    find /usr/local /etc/apparmor.d /etc/init.d /etc/rc?.d /etc/casemate /var/lib/casemate /run/casemate -printf '%p %y %m %u %l\n' 2>/dev/null | LC_ALL=C sort
    cat /etc/subuid /etc/subgid 2>/dev/null
    find /sys/fs/cgroup -type d -name 'casemate' | LC_ALL=C sort
}
"""

INSIDE = r"""
set -e
mount -t overlay overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work $1/root
mount -t proc proc $1/root/proc
mount --rbind /dev $1/root/dev
mount --rbind /sys $1/root/sys
mount -t tmpfs -o mode=755 run $1/root/run
mkdir -p $1/varlib && mount --bind $1/varlib $1/root/var/lib
mkdir -p $1/root/tmp && mount -t tmpfs tmp $1/root/tmp
mkdir -p $1/root/src && cd $1/tree && tar -c . | tar -x -C $1/root/src
cp $1/script $1/root/src/script
# Not chroot: the kernel makes no user namespace for what is in one.
mkdir -p $1/root/old && cd $1/root && pivot_root . old && cd / && umount -l /old && rmdir /old
exec /bin/bash -c 'cd /src && . ./script'
"""


@pytest.fixture
def overlay(request):
    """Runs a bash script in a copy of the repository on the overlay: returns (status, output)."""
    base = casemate_module.make_base("casemate-overlay-")
    for name in ("upper", "work", "root", "tree"):
        os.mkdir(os.path.join(base, name))
    for name in ("src", "data", "docs", "tests", "tools", "meson.build", "meson_options.txt", "quickstart", "uninstall"):
        source = os.path.join(REPOSITORY, name)
        target = os.path.join(base, "tree", name)
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")) \
            if os.path.isdir(source) else shutil.copy2(source, target)

    def run(script, timeout):
        with open(base + "/script", "w", encoding="utf-8") as f:
            f.write("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" + SNAPSHOT + script)
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL",
                               "bash", "-c", INSIDE, "bash", base], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=wait.seconds(timeout))
        return done.returncode, done.stdout

    yield run
    shutil.rmtree(base, ignore_errors=True)


@pytest.mark.slow
def test_install_upgrade_uninstall(overlay, machine_groups):
    status, out = overlay(r"""
    rm -rf /etc/casemate; sed -i '/^casemate:/d' /etc/subuid /etc/subgid 2>/dev/null; touch /etc/subuid /etc/subgid
    snapshot >/tmp/before
    echo "== first"; ./quickstart --no-packages || exit 10
    cat /etc/subuid
    casemate run -d --name stays casemate/hello sleep 1000 || exit 11
    pid=$(casemate inspect --format '{{.State.Pid}}' stays)
    [ ! -f /etc/casemate/casemate.conf ] || echo '# mine' >>/etc/casemate/casemate.conf
    touch /usr/local/libexec/casemate/outdated; echo /usr/local/libexec/casemate/outdated >>/usr/local/share/casemate/installed
    echo "== again"; ./quickstart --no-packages --no-run || exit 12
    [ ! -e /usr/local/libexec/casemate/outdated ] || exit 13
    [ ! -f /etc/casemate/casemate.conf ] || grep -q '# mine' /etc/casemate/casemate.conf || exit 14
    [ "$(casemate inspect --format '{{.State.Pid}} {{.State.Status}}' stays)" = "$pid running" ] || exit 15
    kill -0 $pid || exit 16
    grep -c '^casemate:' /etc/subuid
    echo "== kept"; ./uninstall || exit 17
    [ -d /var/lib/casemate ] || exit 18
    ! kill -0 $pid 2>/dev/null || exit 19
    [ ! -e /usr/local/bin/casemate ] || exit 20
    ./quickstart --no-packages --no-run || exit 21
    echo "== purge"; ./uninstall --purge || exit 22
    rm -f /tmp/outdated
    snapshot | diff /tmp/before - || exit 23
    echo "== done"
    """, 600)
    assert status == 0 and "== done" in out, "status %d:\n%s" % (status, out[-6000:])
    first = out[out.index("== first"):out.index("== again")]
    assert "capabilities" in first and RESERVED in first
    assert "\n1\n" in out[out.index("== again"):out.index("== kept")]


def test_foreign_ids_are_a_conflict(overlay):
    status, out = overlay(r"""
    . tools/common.sh; program=quickstart
    printf 'other:1900000000:65536\n' >/etc/subuid; : >/etc/subgid
    eval "$(sed -n '/^subid_conflict()/,/^}/p; /^reserve_ids()/,/^}/p' quickstart)"
    (reserve_ids); echo "status $?"
    printf 'fine:100000:65536\nother:2147418112:10\n' >/etc/subuid
    (reserve_ids); echo "status $?"
    (reserve_ids); echo "status $?"
    cat /etc/subuid
    """, 60)
    assert status == 0, out
    lines = out.splitlines()
    assert lines[0] == ("quickstart: /etc/subuid: the entry 'other:1900000000:65536' overlaps the ids of Casemate (%s): "
                        "move or remove it" % RESERVED)
    assert lines[1:] == ["status 1", "status 0", "status 0", "fine:100000:65536", "other:2147418112:10", RESERVED]


def test_unknown_words_are_refused(overlay):
    status, out = overlay("./quickstart --bogus; echo $?; ./uninstall --bogus; echo $?", 60)
    assert status == 0 and out.splitlines() == [
        "quickstart: unknown option --bogus (usage: ./quickstart [--no-packages] [--no-run])", "1",
        "uninstall: unknown option --bogus (usage: ./uninstall [--yes] [--purge])", "1"]
