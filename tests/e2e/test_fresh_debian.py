# SPDX-License-Identifier: Apache-2.0
"""From a bare Debian (nothing but its minimum and git) to the evidence of the first container, to an upgrade, and back: by
./quickstart in Debian 12 and in Debian 13, and by the package. The root is a real one, entered by pivot_root in namespaces of its
own; its packages come from the mirror."""
import os
import re
import shlex
import shutil
import subprocess

import pytest

from conftest import debian_root
from lib import casemate as casemate_module
from lib import host, wait

RESERVED = "casemate:1879048192:268369920"
UNREACHABLE = r"Unable to fetch|Failed to fetch|Temporary failure resolving"
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy")

# /dev has the minimum; /sys is the machine's, for its cgroups. $1 is the root, $2 keeps what apt fetches.
ENTER = r"""
set -e
root=$1
mount --bind $root $root
mount -t proc proc $root/proc
mount --rbind /sys $root/sys
mount -t tmpfs -o mode=755,nosuid dev $root/dev
for name in null zero full random urandom tty; do
    touch $root/dev/$name
    mount --bind /dev/$name $root/dev/$name
done
mkdir $root/dev/pts $root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts $root/dev/pts
mount -t tmpfs -o mode=1777 shm $root/dev/shm
ln -s pts/ptmx $root/dev/ptmx
ln -s /proc/self/fd $root/dev/fd
mount -t tmpfs -o mode=755 run $root/run
mount --bind $2 $root/var/cache/apt/archives
hostname bare
mkdir $root/old
cd $root
pivot_root . old
cd /
umount -l /old
rmdir /old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 bash /var/tmp/script
"""

# Where only Casemate writes, whatever bears its name anywhere, and what it reserves: the same before and after. Packages of the
# build stay, and what they generate when they are installed.
INVENTORY = r"""
inventory() {
    find /usr/local /opt /srv /home /root /run /dev /tmp \( -path /root/casemate -o -path '/usr/local/lib/python3*' -o -path /usr/local/share/ca-certificates \) \
        -prune -o -print | LC_ALL=C sort
    find / -xdev \( -path /root/casemate -o -path /var/tmp \) -prune -o -iname '*casemate*' -print | LC_ALL=C sort
    find /etc/apparmor.d 2>/dev/null
    grep -H . /etc/subuid /etc/subgid
    grep -i casemate /etc/passwd /etc/group
    awk '{ print $5 }' /proc/self/mountinfo | LC_ALL=C sort
    find /sys/fs/cgroup -type d -name casemate
}
"""

SCRIPT = r"""
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
{ apt-get -q update && apt-get -q -y --no-install-recommends install git; } </dev/null >/var/tmp/git.log 2>&1 || { cat /var/tmp/git.log; exit 9; }
rm -rf /var/lib/apt/lists/*
inventory >/var/tmp/before
cd /root && git clone -q /srv/casemate.git casemate && cd casemate || exit 10
echo "== first"; ./quickstart || exit 11
echo "== state"; cat /etc/subuid /etc/subgid
casemate version || exit 12
sed -i "s/^  version: '[^']*'/  version: '99.1.2'/" meson.build
echo "== again"; ./quickstart || exit 13
echo "== upgraded"; casemate version || exit 14
casemate run -d --name web casemate/hello sleep 1000 || exit 15
echo "== uninstall"; ./uninstall --purge || exit 16
[ ! -e /usr/local/bin/casemate ] || exit 17
inventory >/var/tmp/after
echo "== left"
LC_ALL=C diff /var/tmp/before /var/tmp/after
echo "== done"
"""


def _proxies():
    """Lines of a shell, and of apt.conf, for the way to the mirror that this machine uses."""
    exports = ["export %s=%s" % (name, shlex.quote(os.environ[name]))
               for lower in PROXIES for name in (lower, lower.upper()) if name in os.environ]
    shown = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    settings = [line for line in shown.splitlines() if re.match(r"Acquire::https?::Proxy\b.*\"\S", line)]
    return "".join(line + "\n" for line in exports), "".join(line + "\n" for line in settings)


def _clone(target):
    """The committed state, as anybody gets it; skipped where the tree is no repository."""
    environment = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    done = subprocess.run(["git", "clone", "--quiet", "--bare", "--depth", "1", "file://" + casemate_module.REPOSITORY, target],
                          env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("git clone of this tree: " + (done.stderr.strip().splitlines() or ["failed"])[-1])


@pytest.fixture
def bare_debian(request):
    """Runs a script in a minimal Debian, of the suite that the test names; returns (status, output, what apt said in quickstart)."""
    suite = getattr(request, "param", "bookworm")
    path, _ = debian_root("minbase" if suite == "bookworm" else suite, suite=suite)
    archives = os.path.join(casemate_module.CACHE, "archives" if suite == "bookworm" else "archives-" + suite)
    os.makedirs(os.path.join(archives, "partial"), exist_ok=True)
    base = casemate_module.make_base("casemate-bare-")
    root = os.path.join(base, "root")
    os.mkdir(root)
    subprocess.run(["tar", "-xzf", path, "-C", root, "--numeric-owner"], stdin=subprocess.DEVNULL, check=True)
    exports, settings = _proxies()
    shutil.copy("/etc/resolv.conf", root + "/etc/resolv.conf")
    with open(root + "/etc/apt/apt.conf.d/90proxy", "w", encoding="utf-8") as f:
        f.write(settings)
    with open(root + "/etc/dpkg/dpkg.cfg.d/unsafe-io", "w", encoding="utf-8") as f:
        f.write("force-unsafe-io\n")
    _clone(root + "/srv/casemate.git")

    def run(script, timeout, files=()):
        for path in files:
            shutil.copy(path, root + "/srv")
        with open(root + "/var/tmp/script", "w", encoding="utf-8") as f:
            f.write(exports + INVENTORY + script)
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL",
                               "bash", "-c", ENTER, "bash", root, archives], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=wait.seconds(timeout), check=False)
        log = root + "/root/casemate/build-logs/packages.log"
        return done.returncode, done.stdout, host.read(log)

    yield run
    shutil.rmtree(base, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("bare_debian", ["bookworm", "trixie"], indirect=True)
def test_from_bare_debian_and_back(bare_debian, machine_groups):
    status, out, packages_log = bare_debian(SCRIPT, 480)
    if status in (9, 11) and re.search(UNREACHABLE, packages_log or out):
        pytest.skip("no packages from the mirror: " + (packages_log or out).strip().splitlines()[-1])
    assert status == 0 and "== done" in out, "status %d:\n%s" % (status, out[-6000:])
    part = dict(section.split("\n", 1) for section in out.split("== ")[1:])
    for run in ("first", "again"):
        lines = [line for line in part[run].splitlines() if re.match(r"\[[1-4]/4\] ", line)]
        assert len(lines) == 4 and "packages (" in lines[0], part[run]
        assert "(0 to install)" in lines[0] or run == "first", part[run]
        assert "capabilities" in part[run] and "host isolation" in part[run], part[run]
    assert part["state"].count(RESERVED + "\n") == 2, part["state"]
    assert "99.1.2" not in part["state"] and "99.1.2" in part["upgraded"]
    assert part["uninstall"].splitlines()[-1] == "Casemate is removed"
    assert part["left"].strip() == "", part["left"]


PACKAGE = r"""
inventory >/var/tmp/before
[ ! -e /etc/apparmor.d ] || exit 8
export DEBIAN_FRONTEND=noninteractive
install_package() { apt-get -q -y --no-install-recommends install "$1" </dev/null; }
{ apt-get -q update && install_package /srv/casemate_1*.deb; } >/var/tmp/install.log 2>&1 || { cat /var/tmp/install.log; exit 9; }
rm -rf /var/lib/apt/lists/*
echo "== state"; cat /etc/subuid /etc/subgid
echo "== run"; casemate run --rm casemate/hello || exit 11
man_page=/usr/share/man/man1/casemate-run.1.gz
[ -s $man_page ] || exit 12
casemate run -d --name web casemate/hello sleep 1000 || exit 13
pid=$(casemate inspect --format '{{.State.Pid}}' web)
sed -i '1i # mine' /etc/casemate/casemate.conf
echo "== upgrade"; dpkg -i --force-confdef /srv/casemate_2*.deb || exit 14
[ "$pid" = "$(casemate inspect --format '{{.State.Pid}}' web)" ] && kill -0 "$pid" || exit 15
grep -q '^# mine' /etc/casemate/casemate.conf || exit 16
casemate exec web hello version >/dev/null 2>&1 || casemate exec web /hello echo || exit 17
echo "== remove"; dpkg --remove casemate || exit 18
! kill -0 "$pid" 2>/dev/null || exit 19
echo "== purge"; rm -rf /var/lib/casemate; dpkg --purge casemate || exit 20
inventory >/var/tmp/after
echo "== left"
LC_ALL=C diff /var/tmp/before /var/tmp/after | grep -v -e /etc/apparmor.d$ -e /dev/shm
echo "== done"
"""


def _pack_again(directory, version):
    """The same package with another version: what an upgrade does with containers lies in dpkg and the package's scripts."""
    made, = (name for name in os.listdir(directory) if name.endswith(".deb"))
    tree = os.path.join(directory, "again")
    subprocess.run(["dpkg-deb", "--raw-extract", os.path.join(directory, made), tree], stdin=subprocess.DEVNULL, check=True)
    control = host.read(tree + "/DEBIAN/control")
    with open(tree + "/DEBIAN/control", "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^Version: .*", "Version: " + version, control))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, os.path.join(directory, made.replace("1.0.0", version))],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def _build_packages(directory):
    """The package from the committed tree, and the next version of it."""
    for tool in ("dpkg-buildpackage", "dh", "lintian"):
        if not shutil.which(tool):
            pytest.skip(tool + " is not installed")
    source = os.path.join(directory, "casemate")
    _clone(source + ".git")
    subprocess.run(["git", "-c", "safe.directory=*", "clone", "--quiet", source + ".git", source], stdin=subprocess.DEVNULL, check=True)
    changelog = source + "/debian/changelog"
    text = host.read(changelog)
    with open(changelog, "w", encoding="utf-8") as f:
        f.write(re.sub(r"\(.*?\)", "(1.0.0)", text, count=1))
    done = subprocess.run(["dpkg-buildpackage", "--build=binary", "--no-sign"], cwd=source, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck parallel=2"})
    assert done.returncode == 0, done.stdout[-4000:]
    _pack_again(directory, "2.0.0")
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if name.endswith((".deb", ".changes"))]


@pytest.mark.slow
def test_package(bare_debian, machine_groups, tmp_path):
    made = _build_packages(str(tmp_path))
    for changes in (path for path in made if path.endswith(".changes")):
        said = subprocess.run(["lintian", "--fail-on", "error,warning", changes], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        assert said.returncode == 0, said.stdout
    status, out, _ = bare_debian(PACKAGE, 240, [path for path in made if path.endswith(".deb")])
    if status == 9 and re.search(UNREACHABLE, out):
        pytest.skip("no packages from the mirror: " + out.strip().splitlines()[-1])
    assert status == 0 and "== done" in out, "status %d:\n%s" % (status, out[-6000:])
    part = dict(section.split("\n", 1) for section in out.split("== ")[1:])
    assert part["state"].count(RESERVED + "\n") == 2, part["state"]
    assert "host isolation" in part["run"], part["run"]
    assert part["left"].strip() == "", part["left"]
