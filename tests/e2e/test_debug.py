# SPDX-License-Identifier: Apache-2.0
"""casemate debug: what it shows in every state, and that nothing is started in the container for it. REQUIREMENTS, row 101."""
import io
import json
import os
import signal
import tarfile
import threading

import pytest

from lib import host, wait

HELLO = "casemate/hello"
SECTIONS = {"Summary", "Practices", "Processes", "Limits", "Descriptors", "Mounts", "Network", "Health", "Denials", "Log", "Events"}


def debug(casemate, name, *flags):
    return json.loads(casemate.ok("debug", "--format", "json", *flags, name))[0]


@pytest.fixture
def web(casemate, busybox):
    """Something that listens, logs and is refused something."""
    casemate.ok("run", "-d", "--name", "web", "-e", "PLAIN=visible", busybox, "sh", "-c",
                "httpd -f -p 127.0.0.1:8080 & syslogd -n & echo one; echo token=hunter2222; printf 'a\\033[31mb\\n' >&2; "
                "exec sleep 1000 3>/tmp/open")
    wait.until(lambda: all(word in casemate.ok("debug", "-s", "network", "web") for word in ("8080", "/dev/log"))
               and casemate.ok("logs", "web").count("\n") >= 2 and "sleep" in casemate.ok("top", "web", "-o", "comm"), what="it to listen")
    return casemate


class Watch:
    """Which processes there ever are in a pid namespace or a control group, while something is done."""

    def __init__(self, pid):
        self.namespace = os.readlink("/proc/%d/ns/pid" % pid)
        self.groups = host.cgroup_of(pid)
        self.seen, self.rounds, self.stop = set(), 0, False
        self.thread = threading.Thread(target=self._look)

    def inside(self, pid):
        try:
            return os.readlink("/proc/%d/ns/pid" % pid) == self.namespace
        except OSError:
            return False

    def _look(self):
        while not self.stop:
            self.seen |= {pid for pid in host.pids() if self.inside(pid) or host.cgroup_of(pid) == self.groups}
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


@pytest.mark.row(101)
@pytest.mark.parametrize("image", ["busybox:latest", HELLO])
def test_row_101_nothing_is_started_inside(casemate, busybox, image):
    """The pid namespace and the control group hold the same processes before, meanwhile and afterwards; process ids are counted on by none."""
    casemate.ok("run", "-d", "--name", "web", image, "sleep", "1000")
    loadavg = ("exec", "web", *(["/hello"] if image == HELLO else []), "cat", "/proc/loadavg")
    pid = casemate.pid("web")
    first = int(casemate.ok(*loadavg).split()[-1])
    with Watch(pid) as watch:
        for words in ((), ("--ls", "/"), ("--cat", "/etc/hosts"), ("--bundle", "-"), ("--format", "json")):
            assert casemate.run("debug", *words, "web", text=False).status == 0, words
    assert watch.seen == {pid} and watch.rounds > 3
    last = int(casemate.ok(*loadavg).split()[-1])
    assert last - first == 1, "process ids of the namespace were used"


@pytest.mark.row(101)
def test_row_101_what_is_shown_of_one_that_runs(web):
    seen = debug(web, "web")
    assert set(seen) == SECTIONS
    assert seen["Summary"]["State"] == "running" and seen["Summary"]["Pid"] == web.pid("web")
    processes = seen["Processes"]["Processes"]
    assert len(processes) == 3 and {row["User"] for row in processes} == {"0"} and {row["From"] for row in processes} == {"image"}
    assert all(row["HostUser"] == os.stat("/proc/%d" % row["Pid"]).st_uid for row in processes)
    sleeper = [row for row in seen["Descriptors"]["Descriptors"] if row["Pid"] == web.pid("web")][0]
    assert sleeper["Files"] >= 1 and sleeper["Pipes"] >= 2 and sleeper["Limit"] == 1024
    assert sleeper["Open"] == len(os.listdir("/proc/%d/fd" % web.pid("web")))
    assert any(row["Point"] == "/" and row["Type"] == "overlay" for row in seen["Mounts"]["Mounts"])
    network = seen["Network"]
    assert [row["Name"] for row in network["Interfaces"]] == ["lo"]
    sockets = {(row["Kind"], row["State"], row["Local"]) for row in network["Sockets"]}
    assert ("tcp", "LISTEN", "127.0.0.1:8080") in sockets and ("unix", "UNCONNECTED", "/dev/log") in sockets
    assert seen["Limits"]["ProcessesInUse"] == 3 and seen["Limits"]["MemoryInUse"]
    assert [row["Text"] for row in seen["Log"]["Lines"] if row["Stream"] == "stdout"] == ["one", "token=(hidden)"]
    assert "a?[31mb" in [row["Text"] for row in seen["Log"]["Lines"] if row["Stream"] == "stderr"]
    assert {"create", "start"} <= {row["Action"] for row in seen["Events"]["Recent"]}
    assert "PLAIN=(hidden)" in seen["Summary"]["Environment"]
    assert "PLAIN=visible" in debug(web, "web", "--show-values")["Summary"]["Environment"]
    text = web.ok("debug", "web")
    assert "\x1b" not in text and all("== " + section in text for section in SECTIONS)
    assert set(debug(web, "web", "-s", "log", "-s", "events")) == {"Log", "Events"}
    assert web.ok("debug", "--format", "{{.Summary.State}}", "web") == "running\n"


@pytest.mark.row(101)
@pytest.mark.parametrize("state", ["created", "paused", "exited", "dead"])
def test_row_101_in_every_state(casemate, busybox, state):
    casemate.ok("create", "--name", "web", busybox, "sh", "-c", "echo said; echo here > /left; exec sleep 1000")
    if state != "created":
        casemate.ok("start", "web")
        wait.until(lambda: "sleep" in casemate.ok("top", "web", "-o", "comm"), what="it to run")
        pid = casemate.pid("web")
    if state == "paused":
        casemate.ok("pause", "web")
    elif state == "exited":
        casemate.ok("stop", "-t", "0", "web")
    elif state == "dead":
        os.kill(int(host.status_field(pid, "PPid")), signal.SIGKILL)
        wait.until(lambda: pid not in host.pids(), what="its processes to be gone")
    seen = debug(casemate, "web")
    assert set(seen) == SECTIONS and seen["Summary"]["State"] == state
    assert ("Unavailable" in seen["Processes"]) == (state != "paused")
    if state == "dead":
        assert "lost" in seen["Summary"]["Supervisor"]
    if state == "created":
        assert not seen["Log"]["Lines"]
        casemate.fails("debug", "--cat", "/left", "web", says="No such file")
    else:
        assert [row["Text"] for row in seen["Log"]["Lines"]] == ["said"]
        assert casemate.ok("debug", "--cat", "/left", "web") == "here\n"
    assert "busybox" in casemate.ok("debug", "--ls", "/bin", "web")
    if state == "paused":
        casemate.ok("unpause", "web")


@pytest.mark.row(101)
def test_row_101_files_are_read_only_and_make_nothing_of_themselves(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c",
                "mkdir /d; echo x > \"/d/$(printf 'e\\033[1m')\"; ln -s /etc/passwd /d/link; mkfifo /d/pipe; ln -s /../../../etc/shadow /d/out; "
                "chmod 4755 /d/e*; echo ready; exec sleep 1000")
    wait.until(lambda: "ready" in casemate.ok("logs", "web"), what="the files")
    before = casemate.ok("diff", "web")
    rows = [json.loads(line) for line in casemate.ok("debug", "--ls", "/d", "--format", "json", "web").splitlines()]
    assert [(row["Mode"], row["Name"], row["Target"]) for row in rows] == [
        ("-rwsr-xr-x", "e?[1m", ""), ("lrwxrwxrwx", "link", "/etc/passwd"), ("lrwxrwxrwx", "out", "/../../../etc/shadow"),
        ("prw-r--r--", "pipe", "")]
    assert "\x1b" not in casemate.ok("debug", "--ls", "/d", "web")
    casemate.fails("debug", "--cat", "/d/pipe", "web", says="not a regular file")
    casemate.fails("debug", "--cat", "/dev/zero", "web", says="not a regular file")
    casemate.fails("debug", "--cat", "/d/out", "web", says="No such file")  # the host's is not the container's
    assert casemate.ok("debug", "--cat", "/d/link", "web") == casemate.ok("exec", "web", "cat", "/etc/passwd")
    cut = casemate.run("debug", "--max-bytes", "5", "--cat", "/d/link", "web")
    assert cut.out == casemate.ok("exec", "web", "cat", "/etc/passwd")[:5] and "only the first 5" in cut.err
    assert casemate.ok("diff", "web") == before
    terminal = casemate.pty("debug", "--cat", "/proc/1/cmdline", "web")
    terminal.expect(r"\^@")
    assert terminal.wait() == 0


@pytest.mark.row(101)
def test_row_101_every_access_is_recorded(web):
    web.ok("debug", "web")
    web.ok("debug", "--ls", "/etc", "web")
    web.ok("debug", "--cat", "etc/../etc/passwd", "web")
    web.ok("debug", "--show-values", "--bundle", os.path.join(web.base, "b.tar"), "web")
    records = [json.loads(line) for line in web.ok("log", "show", "--format", "json").splitlines()]
    found = [record for record in records if record["event"] == "container.debug"]
    assert [record["what"] for record in found][-4:] == ["look", "list /etc", "read /etc/passwd",
                                                       "bundle %s/b.tar with values" % web.base]
    assert {record["uid"] for record in found} == {web.user.uid if web.user else os.getuid()}


@pytest.mark.row(101)
def test_row_101_the_policy_holds(web):
    web.policy('[practice "files"]\ncopy-out = no\n')
    for flag in ("--ls", "--cat"):
        web.fails("debug", flag, "/etc/passwd", "web", says="practice 13")
    web.ok("debug", "web")


@pytest.mark.row(101)
def test_row_101_bundle(web):
    path = os.path.join(web.base, "bundle.tar")
    web.ok("debug", "--bundle", path, "web")
    with tarfile.open(path) as archive:
        content = {member.name: archive.extractfile(member).read().decode() for member in archive}
    assert set(content) == {"README.txt", "debug.txt", "debug.json", "host.txt", "inspect.json"}
    assert set(json.loads(content["debug.json"])) == SECTIONS
    assert json.loads(content["inspect.json"])["Name"] == "/web"
    everything = "".join(content.values())
    assert "hunter2222" not in everything and "PLAIN=visible" not in everything and "\x1b" not in everything
    with tarfile.open(fileobj=io.BytesIO(web.run("debug", "--show-values", "--bundle", "-", "web", text=False).out)) as archive:
        assert "PLAIN=visible" in archive.extractfile("inspect.json").read().decode()


def test_what_makes_no_sense(casemate):
    casemate.ok("create", "--name", "web", HELLO)
    casemate.fails("debug", "--section", "colour", "web", says="there are summary practices")
    casemate.fails("debug", "--ls", "/", "--cat", "/x", "web", says="one at a time")
    casemate.fails("debug", "nobody", says="No such container")
    casemate.fails("debug", "--cat", "/nothing", "web", says="No such file")
