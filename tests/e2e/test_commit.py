# SPDX-License-Identifier: Apache-2.0
"""commit, import, history: images that are made here, what they run and what they tell of themselves."""
import gzip
import json
import os
import signal
import subprocess

import pytest

from lib import host, images, wait
from lib.images import Layer


def inspect(casemate, image):
    return json.loads(casemate.ok("inspect", "--type", "image", image))[0]


def out(casemate, *words):
    return casemate.ok("run", "--rm", *words)


def test_commit_has_what_the_container_has_become(casemate):
    """Added, changed, deleted, replaced; owners, links; files of volumes are not in it."""
    layer = Layer().dir("srv").file("srv/gone", "g").file("srv/old", "old").dir("opt/sub").file("opt/sub/f", "f").dir("etc/keep")
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "base:1")
    casemate.ok("run", "-d", "--name", "box", "--cap-add", "CHOWN", "--cap-add", "FOWNER", "-v", "v:/data", "base:1", "sleep", "1000")
    casemate.ok("exec", "box", "sh", "-c", "rm /srv/gone; echo new > /srv/old; echo a > /srv/a; ln /srv/a /srv/b; ln -s a /srv/l; chown 1000:50 /srv/a; "
                "rm -r /opt/sub; mkdir /opt/sub; echo o > /opt/sub/other; echo v > /data/v; chmod 4755 /srv/b; mkfifo /srv/p")
    identity = casemate.ok("commit", "-a", "me", "-m", "some work", "box", "made:2").strip()
    assert inspect(casemate, "made:2")["Id"] == identity
    assert out(casemate, "made:2", "sh", "-c", "cd /srv; ls; cat old a; stat -c '%u:%g %h %a' a; readlink l; ls /opt/sub /data; ls -d /etc/keep").split() == [
        "a", "b", "l", "old", "p", "new", "a", "1000:50", "2", "4755", "a", "/data:", "/opt/sub:", "other", "/etc/keep"]
    assert out(casemate, "base:1", "cat", "/srv/old", "/srv/gone") == "oldg"
    # The same changes, committed once more on top of the first.
    casemate.ok("run", "--name", "again", "made:2", "sh", "-c", "echo g > /srv/gone; rm /srv/old")
    casemate.ok("commit", "again", "made:3")
    assert out(casemate, "made:3", "sh", "-c", "cat /srv/gone; ls /srv") == "g\na\nb\ngone\nl\np\n"


def test_commit_runs_what_the_container_ran(casemate, busybox):
    casemate.ok("create", "--name", "box", "-e", "A=b c", "-w", "/tmp", "-u", "1000", "-l", "x=y", "--stop-signal", "INT", busybox, "sh", "-c", "id -u; pwd; echo $A")
    casemate.ok("commit", "box", "made")
    assert out(casemate, "made") == "1000\n/tmp\nb c\n"
    config = inspect(casemate, "made")["Config"]
    assert (config["User"], config["WorkingDir"], config["Labels"]["x"], config["StopSignal"]) == ("1000", "/tmp", "y", "SIGINT")


def test_changes(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox)
    casemate.ok("commit", "-c", "CMD [\"echo\", \"a b\"]", "-c", "ENV X=1 Y=\"two words\"", "-c", "ENV OLD the rest", "-c", "LABEL k=v \"a b\"=c",
                "-c", "EXPOSE 80 53/udp", "-c", "USER 1000:50", "-c", "VOLUME /v1 /v2", "-c", "VOLUME [\"/v 3\"]", "-c", "WORKDIR /srv",
                "-c", "WORKDIR sub", "-c", "STOPSIGNAL 9", "-c", "HEALTHCHECK --interval=5s --retries=2 CMD test -e /x", "-c", "entrypoint env",
                "box", "made")
    config = inspect(casemate, "made")["Config"]
    assert config["Cmd"] == ["echo", "a b"] and config["Entrypoint"] == ["/bin/sh", "-c", "env"]
    assert {"X=1", "Y=two words", "OLD=the rest"} <= set(config["Env"])
    assert config["Labels"] == {"k": "v", "a b": "c"}
    assert set(config["ExposedPorts"]) == {"80/tcp", "53/udp"} and set(config["Volumes"]) == {"/v1", "/v2", "/v 3"}
    assert (config["User"], config["WorkingDir"], config["StopSignal"]) == ("1000:50", "/srv/sub", "SIGKILL")
    with open("%s/images/%s/config.json" % (casemate.root, inspect(casemate, "made")["Id"][7:]), encoding="utf-8") as f:
        assert json.load(f)["config"]["Healthcheck"] == {"Test": ["CMD-SHELL", "test -e /x"], "Interval": 5000000000, "Retries": 2}
    for wrong, says in (("FROM x", "is not one of CMD"), ("USER", "not an instruction"), ("ENV ONLY", "NAME=VALUE"), ("EXPOSE http", "port"),
                        ("VOLUME /proc/x", "/proc"), ("HEALTHCHECK MAYBE", "neither NONE"), ("ENV A=\"x", "quote"), ("STOPSIGNAL NO", "signal")):
        casemate.fails("commit", "-c", wrong, "box", says=says)


def test_commit_pauses_and_goes_on(casemate, busybox):
    """A counter that is written all the time is whole in the image, and counts on afterwards, also when the command is killed."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /tmp/a; echo $i > /tmp/b; done")
    casemate.ok("commit", "box", "made")
    assert casemate.ok("inspect", "--format", "{{.State.Status}}", "box") == "running\n"
    for delay in (0.01, 0.03, 0.06):
        process = casemate.popen("commit", "box", "killed")
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        wait.until(lambda: casemate.ok("inspect", "--format", "{{.State.Status}}", "box") == "running\n", what="it goes on")
    casemate.ok("commit", "--pause=false", "box", "made")


def guard_of(process):
    """The child of a commit that will let the container go on: the one with a session of its own."""
    while process.poll() is None:
        for pid in host.children(process.pid):
            try:
                if os.getsid(pid) == pid:
                    return pid
            except ProcessLookupError:
                pass
    return None


def test_commit_whose_guard_is_killed_goes_on(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "head -c 8m /dev/urandom > /data; sleep 1000")
    wait.until(lambda: casemate.run("exec", "box", "test", "-s", "/data").status == 0, what="the file")
    hits = 0
    for _ in range(10):
        process = casemate.popen("commit", "box", "made")
        guard = guard_of(process)
        if guard:
            os.kill(guard, signal.SIGKILL)
            hits += 1
        assert process.wait() == 0
        assert casemate.ok("inspect", "--format", "{{.State.Status}}", "box") == "running\n"
    assert hits


def test_nothing_is_left_of_a_commit_that_fails(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox)
    casemate.fails("commit", "box", "Not:A:Name")
    casemate.fails("commit", "box", "x@sha256:" + "0" * 64, says="digest")
    assert len(os.listdir(casemate.root + "/layers")) == 1 and os.listdir(casemate.root + "/staging") == []


@pytest.mark.row(99)
def test_row_99_commit_and_import_are_recorded(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    casemate.ok("commit", "box", "made:1")
    casemate.ok("export", "-o", tmp_path / "x.tar", "box")
    casemate.ok("import", tmp_path / "x.tar", "flat:1")
    records = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    told = [(r["event"], r["name"], r.get("what")) for r in records if r["event"] in ("container.commit", "image.import")]
    assert told == [("container.commit", "box", "made:1"), ("image.import", "flat:1", str(tmp_path / "x.tar"))]


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_import(casemate, busybox, tmp_path, how):
    casemate.ok("create", "--name", "box", busybox)
    data = images.compress(casemate.run("export", "box", text=False).out, how)
    identity = casemate.ok("import", "-c", "CMD cat /etc/passwd", "-m", "from a test", "-", "flat:1", input=data).strip()
    assert out(casemate, "flat:1").startswith("root:x:0:0:")
    assert inspect(casemate, identity)["RepoTags"] == ["flat:1"]
    assert json.loads(casemate.ok("history", "--format", "json", "flat:1"))["Comment"] == "from a test"


def test_import_refuses(casemate, tmp_path):
    casemate.fails("import", "https://example.org/x.tar", says="import from an address is not supported")
    casemate.fails("import", tmp_path / "missing", says="No such file")
    (tmp_path / "bad").write_bytes(os.urandom(5000))
    casemate.fails("import", tmp_path / "bad", says="archive|checksum")
    (tmp_path / "cut").write_bytes(gzip.compress(Layer().file("f", os.urandom(100000)).tar())[:-2000])
    casemate.fails("import", tmp_path / "cut")
    layers = casemate.root + "/layers"
    assert os.listdir(layers) == [] and os.listdir(casemate.root + "/staging") == []


def test_import_for_another_platform(casemate, tmp_path):
    (tmp_path / "x.tar").write_bytes(Layer().file("f", "x").tar())
    casemate.ok("import", "--platform", "linux/arm64", tmp_path / "x.tar", "arm:1")
    assert inspect(casemate, "arm:1")["Architecture"] == "arm64"
    assert host.mounts()


def test_history(casemate):
    def tell(document):
        document["history"] = [{"created": "2024-01-01T00:00:00Z", "created_by": "ADD rootfs " + "x" * 100, "comment": "base"},
                               {"created": "2024-01-02T00:00:00Z", "created_by": "ENV \x1b[2Jevil\nline", "empty_layer": True},
                               {"created": "not a time", "created_by": 7}]
    casemate.load(images.busybox_image([Layer().file("big", b"x" * 5000)], media=images.DOCKER, change_config=tell), "told:1")
    identity = inspect(casemate, "told:1")["Id"]
    rows = [json.loads(line) for line in casemate.ok("history", "--no-trunc", "--human=false", "--format", "json", "told:1").splitlines()]
    assert [r["ID"] for r in rows] == [identity, "<missing>", "<missing>"]
    assert [r["CreatedBy"] for r in rows] == ["", "ENV ?[2Jevil?line", "ADD rootfs " + "x" * 100]
    assert [r["Size"] for r in rows][:2] == ["5000", "0"] and rows[2]["Comment"] == "base"
    table = casemate.ok("history", "told:1").splitlines()
    assert table[0].split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert "ADD rootfs " + "x" * 33 + "\u2026 " in table[3] and table[1].startswith(identity[7:19] + "   N/A")
    assert casemate.ok("history", "-q", "told:1") == identity[7:19] + "\n<missing>\n<missing>\n"
    casemate.fails("history", "nothing:1", says="No such image")
