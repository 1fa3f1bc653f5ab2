# SPDX-License-Identifier: Apache-2.0
"""An ordinary user's containers: row 86 and what is different from root's. Run by tests/e2e/test_rootless.py, on a machine
that has the accounts of lib/user.py."""
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import tarfile
import time

import pytest

from attack import probe_expect
from lib import host, images, wait
from lib.casemate import Casemate, make_base, uid_of
from lib.user import ALICE, BOB, FEW, NOBODYS, ROOT, SOME, give_ids

HELLO = "casemate/hello"

pytestmark = pytest.mark.skipif("CASEMATE_TEST_USER" not in os.environ, reason="run by tests/e2e/test_rootless.py")


@pytest.fixture
def alone(installation):
    """Makes a Casemate of a user; all are destroyed at the end."""
    made = []

    def make(user):
        made.append(Casemate(installation, make_base(), user))
        return made[-1]

    yield make
    for one in made:
        one.destroy()


def as_user(user, *words, **more):
    return subprocess.run(words, user=user.uid, group=user.uid, extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **more)


def processes_of(user):
    own = range(user.first, user.first + user.count)
    return [pid for pid in host.pids() if uid_of(pid) == user.uid or uid_of(pid) in own]


def delegated(casemate):
    """Whether control groups are delegated here: then limits are root's too."""
    casemate.ok("run", "-d", "--name", "asked", HELLO, "sleep", "1000")
    shown = casemate.ok("explain", "asked")
    casemate.ok("rm", "-f", "asked")
    return "no delegation" not in shown


# Of the probe: what differs by nature. Everything else must be the same.
NUMBERS = {"namespaces", "uid0_host"}
# An ordinary user's /dev has the host's nodes, each a mount.
DEVICES = {"mounts"}
# What needs a control group, or a hard limit that only root can raise.
LIMITS = {"limits_source", "pids_limit", "memory_limit", "swap_limit", "cpu_limit", "rlimits"}


@pytest.mark.row(86)
def test_row_86_the_probe_table_is_that_of_root(casemate, alone):
    mine = json.loads(casemate.ok("run", "--rm", HELLO, "probe", "--json"))
    roots = json.loads(alone(ROOT).ok("run", "--rm", HELLO, "probe", "--json"))
    assert set(mine) == set(roots)
    allowed = NUMBERS | DEVICES | (set() if delegated(casemate) else LIMITS)
    different = {key for key in mine if mine[key] != roots[key]}
    assert different <= allowed, {key: (mine[key], roots[key]) for key in different - allowed}
    without_devices = [m for m in mine["mounts"] if not re.match(r"/dev/(null|zero|full|random|urandom|tty) ", m)]
    places = [sorted(m.split()[0] for m in table if not m.startswith("/sys/fs/cgroup")) for table in (without_devices, roots["mounts"])]
    assert places[0] == places[1]
    failures = probe_expect.check(mine, probe_expect.namespaces())
    limits = ("pids_limit", "memory_limit", "cpu_limit", "rlimit ")
    assert [line for line in failures if not line.startswith(limits)] == []


@pytest.mark.row(86)
def test_row_86_every_verb_of_a_day(casemate, busybox):
    assert casemate.ok("run", "-d", "--name", "web", "--restart", "no", busybox, "sh", "-c", "echo up; exec sleep 1000")
    wait.until(lambda: casemate.ok("logs", "web") == "up\n", 10, "the log")
    assert casemate.ok("exec", "web", "id", "-u") == "0\n"
    assert casemate.ok("ps", "--format", "{{.Names}} {{.State}}") == "web running\n"
    assert casemate.ok("inspect", "-f", "{{.State.Running}}", "web") == "true\n"
    casemate.ok("stop", "-t", "0", "web")
    casemate.ok("start", "web")
    casemate.ok("kill", "web")
    assert casemate.ok("wait", "web") == "137\n"
    casemate.ok("rm", "web")
    casemate.ok("tag", busybox, "mine:1")
    casemate.ok("rmi", "mine:1", busybox)


@pytest.mark.row(84)
def test_row_84_two_containers_share_one_map_and_say_so(casemate):
    maps = []
    for name in ("one", "two"):
        casemate.ok("run", "-d", "--name", name, HELLO, "sleep", "1000")
        maps.append(host.read("/proc/%d/uid_map" % casemate.pid(name)))
        assert uid_of(casemate.pid(name)) == ALICE.first
    assert maps[0] == maps[1]
    users = {os.readlink("/proc/%d/ns/user" % casemate.pid(name)) for name in ("one", "two")}
    assert len(users) == 2
    shown = casemate.ok("explain", "one")
    assert re.search(r"uid 0 in the container +host id %d \(\d+ ids, which all containers of this user share\)" % ALICE.first, shown), shown


def test_nothing_runs_as_the_user_or_as_root(casemate):
    """Neither the container nor its shim: both have ids of the user's range, and not the same one."""
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    shim = int(host.status_field(casemate.pid("web"), "PPid"))
    assert uid_of(shim) in range(ALICE.first, ALICE.first + ALICE.count) and uid_of(shim) != uid_of(casemate.pid("web"))
    assert host.status_field(shim, "CapEff") == "0000000000000000"


def test_nothing_is_left_running(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    casemate.ok("rm", "-f", "web")
    wait.until(lambda: not processes_of(ALICE), 10, "the end of every process")


def test_starts_again_when_all_has_ended(casemate):
    """After a logout that ends everything the user namespace is gone too; the next command makes another."""
    casemate.ok("run", "-d", "--name", "web", "-v", "data:/data", HELLO, "sleep", "1000")
    casemate.ok("exec", "web", "/hello", "write", "/data/kept", "yes")
    for pid in processes_of(ALICE):
        with contextlib.suppress(ProcessLookupError):  # the end of one may be that of another
            os.kill(pid, signal.SIGKILL)
    wait.until(lambda: not processes_of(ALICE), 10, "the end of every process")
    assert casemate.ok("ps", "-a", "--format", "{{.State}}").strip() in ("dead", "exited")
    casemate.ok("start", "web")
    assert casemate.ok("exec", "web", "/hello", "cat", "/data/kept") == "yes\n"


def test_commands_at_once_share_one_namespace(casemate):
    """Of commands that start together one makes the namespace; a container that another had could not be ended."""
    casemate.ok("load", "-i", os.path.join(casemate.env["CASEMATE_DATADIR"], "hello.tar"))
    wait.until(lambda: not processes_of(ALICE), 10, "the end of every process")
    started = [casemate.popen("run", "-d", HELLO, "sleep", "1000") for _ in range(6)]
    for process in started:
        _, err = process.communicate(timeout=wait.seconds(60))
        assert process.returncode == 0, err
    ids = casemate.ok("ps", "-q", "--no-trunc").split()
    assert len(ids) == 6
    shims = {int(host.status_field(casemate.pid(one), "PPid")) for one in ids}
    assert len({os.readlink("/proc/%d/ns/user" % pid) for pid in shims}) == 1
    for one in ids:
        assert casemate.ok("exec", one, "/hello", "id").startswith("uid=0 ")
    casemate.ok("rm", "-f", *ids)


def test_a_lost_command_does_not_split_the_namespace(casemate):
    """Killed after its fork: the supervisor has noted itself before it does anything, or gives up."""
    casemate.ok("load", "-i", os.path.join(casemate.env["CASEMATE_DATADIR"], "hello.tar"))
    for delay in (0.002, 0.01, 0.02, 0.03, 0.05):
        lost = casemate.popen("run", "-d", HELLO, "sleep", "1000")
        time.sleep(delay)
        lost.kill()
        lost.communicate()
        casemate.ok("run", "-d", HELLO, "sleep", "1000")
        running = casemate.ok("ps", "-q", "--no-trunc").split()
        casemate.ok("rm", "-f", *running)


def test_two_users_cannot_reach_each_other(casemate, alone):
    other = alone(BOB)
    for who in (casemate, other):
        who.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    assert casemate.ok("ps", "-q") != other.ok("ps", "-q")
    mine, theirs = casemate.pid("web"), other.pid("web")
    assert uid_of(theirs) == BOB.first and uid_of(mine) == ALICE.first
    for words in (("kill", str(mine)), ("cat", "/proc/%d/environ" % mine), ("ls", "/proc/%d/root/" % mine),
                  ("ls", casemate.root), ("nsenter", "-t", str(mine), "-U", "-m", "true")):
        assert as_user(BOB, *words).returncode != 0, words
    assert uid_of(mine) == ALICE.first
    said = other.fails("ps", env={"CASEMATE_ROOT": casemate.root})
    assert "Permission denied" in said or "belong" in said


def test_a_container_cannot_reach_the_users_files(casemate, busybox, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("canary")
    os.chown(secret, ALICE.uid, ALICE.uid)
    secret.chmod(0o600)
    result = casemate.run("run", "--rm", "-v", "%s:/mine" % tmp_path, busybox, "cat", "/mine/secret")
    assert result.status == 1 and "canary" not in result.out
    assert "--user 1000" in result.err, result.err


def test_a_bind_belongs_to_a_user_with_a_number(casemate, busybox, tmp_path):
    """As root's binds do, by other means: the kernel lets no ordinary user map the ids of a mount."""
    words = ["--user", "1000:1000", "-v", "%s:/mine" % tmp_path, busybox]
    assert casemate.ok("run", "--rm", *words, "stat", "-c", "%u:%g", "/mine") == "1000:1000\n"
    casemate.ok("run", "--rm", *words, "sh", "-c", "umask 077; echo made >/mine/new")
    status = os.stat(tmp_path / "new")
    assert (status.st_uid, status.st_gid) == (ALICE.uid, ALICE.uid)
    casemate.fails("run", "--rm", *words, "chmod", "u+s", "/mine/new")
    casemate.ok("run", "-d", "--name", "web", *words, "sleep", "1000")
    shown = casemate.ok("explain", "web")
    assert re.search(r"granted +grant +uid 1000 in the container is you on the host", shown), shown
    assert re.search(r"granted +user +uid 1000, host id %d, yours" % ALICE.uid, shown), shown
    assert "you on the host" in casemate.ok("inspect", "web")


@pytest.mark.parametrize("path", ["~/.ssh", "~", "~/.docker", "/etc"])
def test_what_is_not_bound(casemate, busybox, path):
    real = path.replace("~", casemate.base)
    os.makedirs(real, exist_ok=True)
    assert "practice 5" in casemate.fails("run", "--rm", "-v", real + ":/x", busybox, "true", status=125)


def test_own_policy(casemate):
    """Read after the administrator's, which need not be there; the refusal names the file to write to."""
    path = os.path.join(casemate.base, ".config/casemate/casemate.conf")
    env = {"CASEMATE_CONF": ""}
    said = casemate.fails("run", "--rm", "--network", "host", HELLO, "true", env=env, status=125)
    assert said.rstrip().endswith("in %s (practice 5)" % path), said
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as f:
        f.write('[practice "user"]\nallow-root = no\n')
    os.chown(path, ALICE.uid, ALICE.uid)
    assert "--user 1000" in casemate.fails("run", "--rm", HELLO, "true", status=125)
    os.chown(path, BOB.uid, BOB.uid)
    os.chmod(path, 0o666)
    casemate.fails("run", "--rm", "--user", "5", HELLO, "true", status=125, says="may be written by others")


def test_the_hosts_network_by_policy(casemate, busybox):
    """Without /sys, which an ordinary user cannot mount for a network that is not his."""
    casemate.policy('[practice "isolation"]\nallow-host-namespace = network\n')
    words = ["run", "--rm", "--network", "host", busybox, "sh", "-c"]
    assert casemate.ok(*words, "readlink /proc/self/ns/net").strip() == os.readlink("/proc/self/ns/net")
    assert casemate.ok(*words, "ls /sys /sys/fs/cgroup; touch /sys/x 2>&1; true").split()[:3] == ["/sys:", "class", "fs"]


def test_devices_are_roots_to_give(casemate, busybox):
    casemate.policy('[practice "isolation"]\nallow-device = /dev/zero\n')
    casemate.fails("run", "--rm", "--device", "/dev/zero:/dev/mine", busybox, "true", status=125, says="only root's containers can be given devices")


def test_copies_and_volumes(casemate, busybox, tmp_path):
    (tmp_path / "in").write_text("mine\n")
    casemate.ok("run", "-d", "--name", "web", "-v", "data:/data", busybox, "sleep", "1000")
    casemate.ok("cp", tmp_path / "in", "web:/data/in")
    assert casemate.ok("exec", "web", "stat", "-c", "%u", "/data/in").strip() in ("0", "64101")
    casemate.ok("cp", "web:/data/in", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine\n" and os.stat(tmp_path / "out").st_uid == ALICE.uid
    assert "data" in casemate.ok("volume", "ls", "-q").split()
    casemate.ok("rm", "-f", "web")
    casemate.ok("volume", "rm", "data")


def test_restart_policy(casemate, busybox):
    """The tender starts it again when no command runs any more, in the namespace where it was."""
    casemate.ok("run", "-d", "--name", "web", "--restart", "always", busybox, "sleep", "1000")
    first = casemate.pid("web")
    os.kill(first, signal.SIGKILL)
    wait.until(lambda: casemate.pid("web") not in (0, first), 20, "the next start")
    casemate.ok("exec", "web", "true")
    casemate.ok("rm", "-f", "web")


@pytest.mark.row(86)
def test_row_86_verbs_that_want_control_groups(casemate, busybox):
    """Without delegation what cannot be done is refused with the way to it; with it all is as for root (tests/vm/guest/71-user.sh)."""
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", "echo up; exec sleep 1000")
    assert casemate.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "web") == "web 1\n"
    assert not casemate.ok("stats", "--no-stream", "--format", "{{.MemUsage}}", "web").startswith("0B")
    assert "sleep 1000" in casemate.ok("top", "web")
    casemate.ok("update", "--restart", "always", "web")
    assert json.loads(casemate.ok("inspect", "web"))[0]["HostConfig"]["RestartPolicy"]["Name"] == "always"
    if delegated(casemate):
        casemate.ok("pause", "web")
        casemate.ok("unpause", "web")
        casemate.ok("update", "--memory", "100m", "web")
    else:
        shown = casemate.ok("explain", "--no-trunc", "web")
        assert shown.count("no delegation of control groups (systemd-run --user --scope") == 5, shown
        for words in (("pause", "web"), ("update", "--memory", "100m", "web"), ("update", "--pids-limit", "40", "web")):
            casemate.fails(*words, status=1, says="no control group: none was delegated .*systemd-run --user --scope")
        assert casemate.ok("ps", "--format", "{{.State}}") == "running\n"


@pytest.mark.row(86)
def test_row_86_files_and_images(casemate, busybox, tmp_path):
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", "echo made >/made; exec sleep 1000")
    wait.until(lambda: "A /made" in casemate.ok("diff", "web"), 10, "the file")
    casemate.ok("commit", "web", "mine:1")
    assert casemate.ok("run", "--rm", "mine:1", "cat", "/made") == "made\n"
    casemate.ok("export", "-o", tmp_path / "tree.tar", "web")
    casemate.ok("import", tmp_path / "tree.tar", "flat:1")
    casemate.ok("save", "-o", tmp_path / "saved.tar", "mine:1")
    assert os.stat(tmp_path / "saved.tar").st_uid == ALICE.uid
    casemate.ok("rmi", "mine:1", "flat:1")
    casemate.ok("load", "-i", tmp_path / "saved.tar")
    casemate.ok("rename", "web", "other")
    casemate.ok("restart", "-t", "0", "other")
    assert casemate.ok("logs", "other") == ""
    casemate.ok("rm", "-f", "other")
    casemate.ok("system", "df")


def test_terminal(casemate, busybox):
    with casemate.pty("run", "--rm", "-it", busybox, "sh") as terminal:
        terminal.send("tty; id -u\n")
        terminal.expect(r"/dev/pts/\d+\s+0\s")
        terminal.send("exit 4\n")
        assert terminal.wait() == 4


def test_owners_of_an_image_beyond_the_range(casemate, busybox):
    """65,536 ids are shared by containers, shims and workers: what is not there is said."""
    assert casemate.ok("run", "--rm", "--user", "64000", busybox, "id", "-u") == "64000\n"
    casemate.fails("run", "--rm", "--user", "65000", busybox, "true", status=125, says="65000:0 is not among the ids")


def test_info_says_so(casemate, alone):
    assert casemate.ok("info", "--format", "{{.Rootless}}") == "true\n"
    assert alone(ROOT).ok("info", "--format", "{{.Rootless}}") == "false\n"


def test_the_audit_log_names_the_user(casemate):
    casemate.ok("run", "--rm", HELLO, "true")
    with open(os.path.join(casemate.root, "audit/log"), encoding="utf-8") as f:
        assert '"uid":%d' % ALICE.uid in f.read()


def test_usual_places(casemate):
    """Without a word about places: below the home, all of it closed to others."""
    env = {"CASEMATE_ROOT": "", "CASEMATE_RUN": ""}
    assert casemate.ok("info", "--format", "{{.DockerRootDir}}", env=env).strip() == casemate.base + "/.local/share/casemate"
    status = os.stat(casemate.base + "/.local/share/casemate")
    assert (status.st_uid, status.st_mode & 0o777) == (ALICE.uid, 0o700)
    env["XDG_DATA_HOME"] = casemate.base + "/elsewhere"
    assert casemate.ok("info", "--format", "{{.DockerRootDir}}", env=env).strip() == casemate.base + "/elsewhere/casemate"


def test_user_without_subordinate_ids(alone):
    said = alone(NOBODYS).fails("ps")
    assert "usermod --add-subuids" in said and "/etc/subuid" in said and NOBODYS.name in said


def test_user_with_too_few(alone):
    assert "only 100 subordinate ids" in alone(FEW).fails("ps")


def owners(names, archive):
    """(uid, gid) of files of an archive, by name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {os.path.basename(m.name): (m.uid, m.gid) for m in tar.getmembers()}
    return [found[name] for name in names]


def test_files_of_owners_that_a_small_range_does_not_have(alone):
    """Of an owner and a group the one that the container has stays; the other is nobody's, as for the kernel. In an image, in what is
    copied, exported and committed."""
    who = alone(SOME)
    names = ("both", "uid", "gid", "none")
    given = ((10, 20), (10, 30000), (30000, 20), (30000, 40000))
    kept = [(10, 20), (10, 65534), (65534, 20), (65534, 65534)]
    layer = images.Layer()
    for name, (uid, gid) in zip(names, given):
        layer.file("image/" + name, name, uid=uid, gid=gid)
    who.load(images.busybox_image([layer], media=images.DOCKER), "owned:latest")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, (uid, gid) in zip(names, given):
            info = tarfile.TarInfo(name)
            info.uid, info.gid = uid, gid
            tar.addfile(info, io.BytesIO())
    listing = "cd /%s && stat -c '%%u %%g' " + " ".join(names)
    shown = ["%d %d" % owner for owner in kept]
    who.ok("run", "-d", "--name", "box", "owned", "sh", "-c", "mkdir /copied; sleep 1000")
    who.ok("exec", "box", "sh", "-c", "until [ -d /copied ]; do sleep 0.05; done")
    assert who.ok("exec", "box", "sh", "-c", listing % "image").splitlines() == shown
    who.ok("cp", "-a", "-", "box:/copied", input=archive.getvalue())
    assert who.ok("exec", "box", "sh", "-c", listing % "copied").splitlines() == shown
    assert owners(names, who.ok("cp", "box:/copied", "-", text=False)) == kept
    assert owners(names, who.ok("export", "box", text=False)) == kept
    who.ok("commit", "--pause=false", "box", "again")
    assert who.ok("run", "--rm", "again", "sh", "-c", listing % "copied").splitlines() == shown


def test_without_newuidmap(casemate, tmp_path):
    assert "apt install uidmap" in casemate.fails("ps", env={"PATH": str(tmp_path)})


def test_help_needs_none_of_it(alone):
    who = alone(NOBODYS)
    for words in (("--help",), ("version",), ("run", "--help"), ("completion", "bash")):
        who.ok(*words)


def test_other_ids_than_those_of_the_store(alone):
    who = alone(BOB)
    who.ok("run", "--rm", HELLO, "true")
    wait.until(lambda: not processes_of(BOB), 10, "the end of every process")
    give_ids(BOB, BOB.first + 70000, BOB.count)
    try:
        said = who.fails("ps")
        assert str(BOB.first) in said and "/etc/subuid" in said
    finally:
        give_ids(BOB, BOB.first, BOB.count)
    who.ok("ps")
