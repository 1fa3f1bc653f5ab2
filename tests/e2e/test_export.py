# SPDX-License-Identifier: Apache-2.0
"""export and diff: the files of a container without what is mounted in it, and what it has changed in those of its image."""
import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from lib import images
from lib.images import Layer

ELF = "/bin/busybox"


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        return {m.name: m for m in t.getmembers()}


def changes(casemate, *words):
    return casemate.ok("diff", *words).splitlines()


@pytest.fixture
def layered(casemate):
    """An image with a second layer that deletes and changes."""
    second = Layer().dir("srv").file("srv/kept", "k").file("srv/gone", "g").dir("opt/deep").file("opt/deep/f", "f")
    third = Layer().whiteout("srv/gone").file("etc/motd", "hello\n")
    casemate.load(images.busybox_image([second, third], media=images.DOCKER), "layered:1")
    return casemate


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_export(casemate, busybox, tmp_path, state):
    casemate.ok("create", "--name", "box", "-v", "data:/data", "--user", "0", busybox, "sh", "-c",
                "echo secret > /data/inside; echo made > /srv-file; chown 1000:50 /srv-file; ln -s /bin /srv-link; exec sleep 1000")
    casemate.ok("start", "box") if state == "running" else None
    if state == "running":
        casemate.ok("exec", "box", "sh", "-c", "until [ -L /srv-link ]; do :; done")
    found = members(casemate.run("export", "box", text=False).out)
    assert {"bin/busybox", "etc/passwd", "tmp", "proc", "sys", "dev", "data"} <= set(found)
    assert not [n for n in found if n.startswith(("proc/", "sys/", "dev/", "data/"))]
    assert found["bin/sh"].islnk() and found["etc/passwd"].uid == 0
    if state == "running":
        assert (found["srv-file"].uid, found["srv-file"].gid) in ((0, 0), (1000, 50))
        assert found["srv-link"].linkname == "/bin"
    casemate.ok("export", "-o", tmp_path / "out.tar", "box")
    assert set(members((tmp_path / "out.tar").read_bytes())) == set(found)
    assert os.listdir(tmp_path) == ["out.tar"]


def test_export_refuses_a_terminal_and_nonsense(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    with casemate.pty("export", "box") as t:
        t.expect("cowardly refusing to save to a terminal. Use the -o flag or redirect")
        assert t.wait() == 1
    casemate.fails("export", "-o", tmp_path / "no" / "out.tar", "box", says="invalid output path: directory .* does not exist")
    casemate.fails("export", "nobody", says="No such container: nobody")
    casemate.ok("export", "-o", "/dev/null", "box")


def test_an_exported_root_is_what_tar_and_docker_read(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    casemate.ok("export", "-o", tmp_path / "out.tar", "box")
    with tarfile.open(tmp_path / "out.tar") as t:
        with open(ELF, "rb") as f:
            assert t.extractfile("bin/busybox").read() == f.read()


def test_diff_of_a_fresh_container_is_empty(layered):
    layered.ok("create", "--name", "box", "layered:1", "sleep", "1000")
    assert changes(layered, "box") == []
    layered.ok("start", "box")
    assert changes(layered, "box") == []


def test_diff(layered):
    layered.ok("run", "-d", "--name", "box", "-v", "data:/data", "layered:1", "sleep", "1000")
    layered.ok("exec", "box", "sh", "-c",
               "echo new > /srv/new; rm /srv/kept; echo x >> /etc/motd; mkdir -p /opt/made/deep; echo v > /data/v; "
               "chmod 700 /home; echo again > /srv/gone; rm -r /opt/deep; rm /etc/group && echo x > /etc/group")
    assert changes(layered, "box") == ["A /data", "C /etc", "C /etc/group", "C /etc/motd", "C /home", "C /opt", "D /opt/deep",
                                       "A /opt/made", "A /opt/made/deep", "C /srv", "A /srv/gone", "D /srv/kept", "A /srv/new"]
    layered.ok("stop", "-t", "0", "box")
    assert "D /srv/kept" in changes(layered, "box")


def test_diff_shows_names_harmless(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "1000")
    casemate.ok("exec", "box", "sh", "-c", "touch \"/tmp/$(printf 'a\\nA x\\033[2J')\"")
    assert changes(casemate, "box") == ["C /tmp", "A /tmp/a?A x?[2J"]


@pytest.mark.row(78)
def test_row_78_drift_is_reported(casemate, busybox, tmp_path):
    """A new program, also one that was made not executable or put over one of the image, is named; a copy of attributes is no drift."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "1000")
    assert changes(casemate, "--executables", "box") == []
    casemate.ok("exec", "box", "sh", "-c", "echo text > /tmp/text; chmod 711 /bin/busybox; echo '#!/bin/sh' > /tmp/script")
    assert changes(casemate, "--executables", "box") == []
    shutil.copy(ELF, tmp_path / "miner")
    with open(tmp_path / "miner", "ab") as f:
        f.write(b"changed")
    casemate.ok("cp", tmp_path / "miner", "box:/tmp/.hidden")
    casemate.ok("exec", "box", "sh", "-c", "cp /tmp/.hidden /sbin/lib.so; chmod 600 /sbin/lib.so; mkdir -p /var/a/b; cp /bin/busybox /var/a/b/x")
    assert changes(casemate, "--executables", "box") == ["A /sbin/lib.so", "A /tmp/.hidden", "A /var/a/b/x"]
    casemate.ok("cp", tmp_path / "miner", "box:/bin/busybox")
    assert "C /bin/busybox" in changes(casemate, "--executables", "box")


@pytest.mark.row(99)
def test_row_99_export_and_diff_are_recorded(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    casemate.ok("export", "-o", tmp_path / "out.tar", "box")
    casemate.ok("diff", "box")
    records = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    assert [(r["event"], r["name"], r.get("what")) for r in records[-2:]] == [
        ("container.export", "box", str(tmp_path / "out.tar")), ("container.diff", "box", None)]


def test_killed_export_leaves_nothing(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    for delay in (0.005, 0.02, 0.04):
        process = casemate.popen("export", "-o", tmp_path / "out.tar", "box")
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert [n for n in os.listdir(tmp_path) if n != "out.tar"] == []
