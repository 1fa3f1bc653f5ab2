# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practices 1 and 2: rows 4 and 7. An upgrade in place, and what expires."""
import json
import os
import shutil

import pytest

from lib import casemate as casemate_module
from lib import host, wait

OLD, NEW = b"0.1.0", b"0.1.9"


class Upgradable:
    """A copy of the installation that can be replaced as an upgrade does it: new files under the old names."""

    def __init__(self, installation, base):
        self.stage = os.path.join(base, "stage")
        (stage,) = installation.programs
        shutil.copytree(stage, self.stage, symlinks=True)
        self.programs = [self.stage]
        self.binary, self.libexec, self.data = (path.replace(stage, self.stage, 1)
                                                for path in (installation.binary, installation.libexec, installation.data))

    def upgrade(self):
        """Another version of the same length in each program that names its version."""
        changed = 0
        programs = [self.binary] + [os.path.join(self.libexec, name) for name in os.listdir(self.libexec)]
        for path in programs:
            with open(path, "rb") as f:
                program = f.read()
            changed += OLD in program
            with open(path + ".new", "wb") as f:
                f.write(program.replace(OLD, NEW))
            os.chmod(path + ".new", 0o755)
            os.rename(path + ".new", path)
        assert changed, "no program names its version"


@pytest.fixture
def upgradable(installation):
    if len(installation.programs) != 1:
        pytest.skip("the programs are not an installation of the test's own")
    base = casemate_module.make_base()
    made = casemate_module.Casemate(Upgradable(installation, base), base)
    yield made
    made.destroy()


def facts(pid):
    """What must not change: the process itself, its namespaces, filters, capabilities, control groups and their limits."""
    namespaces = {name: os.readlink("/proc/%d/ns/%s" % (pid, name)) for name in os.listdir("/proc/%d/ns" % pid)}
    fields = {name: host.status_field(pid, name) for name in ("Seccomp", "Seccomp_filters", "NoNewPrivs", "CapBnd", "Uid")}
    limits = [host.cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max"),
              host.cgroup_file(pid, "pids", "pids.max", "pids.max")]
    started = host.read("/proc/%d/stat" % pid).rpartition(")")[2].split()[19]
    return started, namespaces, fields, limits, host.cgroup_of(pid)


def tender_version(casemate):
    return host.read(os.path.join(casemate.rundir, "tend")).split()[4:5]


@pytest.mark.row(4)
def test_row_04_upgrade_in_place(upgradable, busybox_made):
    casemate = upgradable
    casemate.load(busybox_made, "busybox:latest")
    loop = "n=0; while sleep 0.1; do n=$((n + 1)); echo line $n; done"
    casemate.ok("run", "-d", "--name", "plain", "-m", "64m", "--pids-limit", "33", "busybox:latest", "sh", "-c", loop)
    casemate.ok("run", "-d", "--name", "tended", "--restart", "always", "--health-cmd", "true", "--health-interval", "100ms",
                "busybox:latest", "sleep", "1000")
    wait.until(lambda: tender_version(casemate) == [OLD.decode()], what="a tender of the old version")
    names = ("plain", "tended")
    before = {name: facts(casemate.pid(name)) for name in names}
    shims = {name: int(host.status_field(casemate.pid(name), "PPid")) for name in names}
    assert OLD.decode() in casemate.ok("--version")

    casemate.installation.upgrade()

    assert NEW.decode() in casemate.ok("--version")
    casemate.ok("ps")
    wait.until(lambda: tender_version(casemate) == [NEW.decode()], what="the tender to be replaced")
    assert {name: facts(casemate.pid(name)) for name in names} == before
    for name, shim in shims.items():
        assert host.status_field(casemate.pid(name), "PPid") == str(shim), "the shim is the old one"
        assert host.exe(shim).endswith(" (deleted)"), "of the old build"

    # The new build operates what the old one left running.
    assert casemate.ok("exec", "plain", "cat", "/proc/1/comm") == "sh\n"
    seen = casemate.ok("logs", "plain").splitlines()[-1]
    wait.until(lambda: casemate.ok("logs", "--tail", "1", "plain").strip() not in (seen, ""), what="the log to go on")
    attached = casemate.popen("attach", "--no-stdin", "plain")
    assert attached.stdout.readline().startswith(b"line ")
    attached.kill()
    attached.communicate()
    wait.until(lambda: "(healthy)" in casemate.ok("ps", "--filter", "name=tended"), what="checks by the new tender")
    assert json.loads(casemate.ok("inspect", "plain"))[0]["HostConfig"]["Memory"] == 64 << 20
    casemate.ok("explain", "plain")
    casemate.ok("stop", "-t", "0", "plain")
    casemate.ok("start", "plain")
    assert facts(casemate.pid("plain"))[3] == before["plain"][3], "the same limits in the new run"
    os.kill(casemate.pid("tended"), 9)
    wait.until(lambda: json.loads(casemate.ok("inspect", "tended"))[0]["RestartCount"] == 1, what="its policy to hold")
    casemate.ok("restart", "-t", "0", "plain", "tended")


def ended(casemate, name, *options):
    casemate.ok("run", "--name", name, *options, "busybox:latest", "true")


def names(casemate):
    return sorted(casemate.ok("ps", "-a", "--format", "{{.Names}}").split())


def volumes(casemate):
    return sorted(os.listdir(os.path.join(casemate.root, "volumes")))


@pytest.mark.row(7)
def test_row_07_dead_containers_expire_by_policy(casemate, busybox):
    for name in ("one", "two"):
        ended(casemate, name)
    ended(casemate, "kept", "--label", "casemate.keep")
    casemate.ok("create", "--name", "made", busybox, "true")
    casemate.ok("run", "-d", "--name", "runs", busybox, "sleep", "1000")
    casemate.ok("run", "--name", "returns", "--restart", "always", busybox, "true")
    casemate.ok("stop", "returns")
    everything = names(casemate)

    casemate.ok("tend", "--once")
    assert names(casemate) == everything, "nothing expires by default"
    casemate.policy("[practice \"lean\"]\nexpire-containers = 30d\n")
    casemate.ok("tend", "--once")
    assert names(casemate) == everything, "they are younger than that"
    casemate.policy("[practice \"lean\"]\nexpire-containers = 1ms\n")
    casemate.ok("tend", "--once")
    assert names(casemate) == ["kept", "made", "returns", "runs"]
    with open(os.path.join(casemate.root, "audit", "log"), encoding="utf-8") as log:
        expired = [record["name"] for record in map(json.loads, log) if record["event"] == "container.expire"]
    assert sorted(expired) == ["one", "two"]
    casemate.ok("log", "verify")


@pytest.mark.row(7)
def test_row_07_volumes_with_data_stay(casemate, busybox):
    casemate.ok("run", "--name", "full", "-v", "/data", busybox, "sh", "-c", "echo precious >/data/file")
    (full,) = volumes(casemate)
    casemate.ok("run", "--name", "empty", "-v", "/data", busybox, "true")
    casemate.ok("run", "--name", "named", "-v", "mine:/data", busybox, "true")
    assert len(volumes(casemate)) == 3
    casemate.policy("[practice \"lean\"]\nexpire-containers = 1ms\n")
    casemate.ok("tend", "--once")
    assert not names(casemate)
    assert volumes(casemate) == sorted([full, "mine"])
    assert casemate.ok("run", "--rm", "-v", full + ":/data", busybox, "cat", "/data/file") == "precious\n"


@pytest.mark.row(7)
@pytest.mark.parametrize("value", ["0", "0d", "soon", "-1d", "3 days", "99999999999d", ""])
def test_row_07_a_wrong_age_is_an_error(casemate, value):
    casemate.policy("[practice \"lean\"]\nexpire-containers = %s\n" % value)
    casemate.fails("tend", "--once", says="casemate.conf")
