# SPDX-License-Identifier: Apache-2.0
"""save: the archive is what Casemate, skopeo, Podman and Docker read, with the ids that the images have here."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from lib import casemate as casemates
from lib import docker as docker_module
from lib import images
from lib.images import Layer


def ids(casemate):
    return {line.split()[0]: line.split()[1] for line in
            casemate.ok("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()}


def blobs_are_what_they_are_called(path):
    with tarfile.open(path) as t:
        for m in t.getmembers():
            if m.isfile() and m.name.startswith("blobs/sha256/"):
                assert hashlib.sha256(t.extractfile(m).read()).hexdigest() == m.name.rpartition("/")[2]
        return json.load(t.extractfile("manifest.json")), json.load(t.extractfile("index.json"))


def odd_layer():
    """What archives of layers have: links, holes in names, times with fractions, long names, owners beyond, xattrs, devices, whiteouts."""
    layer = Layer().dir("d", mode=0o1777, mtime=1).file("d/" + "n" * 200, os.urandom(70000)).file("d/empty").hardlink("d/h", "d/" + "n" * 200)
    layer.symlink("d/l", "../" + "t" * 150).fifo("d/p").chardev("d/null", 1, 3).file("d/ids", "x", uid=70000, gid=4294967294)
    layer.file("d/x", "x", xattrs={"user.a": "b", "security.capability": "\x01\x00"}, pax={"mtime": "1700000000.123456789", "comment": "kept"})
    layer.file("./d/./dotted", "x").file("/d/absolute", "y").file("d/su", "s", mode=0o6755).file("d/big", b"\0" * 300000)
    return layer.whiteout("etc/group").opaque("home")


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("media", [images.OCI, images.DOCKER])
def test_the_same_id_after_save_and_load(installation, casemate, tmp_path, how, media):
    image = images.busybox_image([odd_layer(), RAW_GNU], {"Env": [images.PATH, "A=B"]}, media=media, compression=how)
    casemate.load(image, "odd:1")
    path = tmp_path / "saved.tar"
    before = ids(casemate)
    assert casemate.run("save", "-o", path, *before).err == ""
    manifest, index = blobs_are_what_they_are_called(path)
    assert manifest[0]["Config"] == "blobs/sha256/" + image.id[7:] and len(index["manifests"]) == len(before)
    with tarfile.open(path) as t:
        stored = [t.extractfile(name).read() for name in manifest[0]["Layers"]]
    assert stored == image.tars
    other = casemates.Casemate(installation, casemates.make_base())
    try:
        other.ok("load", "-i", path)
        assert ids(other) == before
        name = next(iter(before))
        assert other.ok("run", "--rm", name, "sh", "-c", "cat /d/x; ls -A /home; ls /etc") == casemate.ok(
            "run", "--rm", name, "sh", "-c", "cat /d/x; ls -A /home; ls /etc")
    finally:
        other.destroy()


def _gnu():
    """A layer in GNU's form with long names, as old builders write them, and garbage behind its end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name in ("g/" + "a" * 180, "g/b"):
            info = tarfile.TarInfo(name)
            info.size = 700
            t.addfile(info, io.BytesIO(b"g" * 700))
    return images.RawLayer(out.getvalue() + b"behind the end")


RAW_GNU = _gnu()


def test_several_images_share_their_layers(casemate, busybox, tmp_path):
    casemate.ok("create", "--name", "box", busybox)
    casemate.ok("commit", "box", "made:1")
    casemate.ok("tag", busybox, "other/name:2")
    path = tmp_path / "all.tar"
    casemate.ok("save", "-o", path, busybox, "other/name:2", "made:1")
    manifest, index = blobs_are_what_they_are_called(path)
    assert [m["RepoTags"] for m in manifest] == [["busybox:latest", "other/name:2"], ["made:1"]]
    assert manifest[1]["Layers"][0] == manifest[0]["Layers"][0]
    with tarfile.open(path) as t:
        names = t.getnames()
    assert len(names) == len(set(names)) and {"oci-layout", "index.json", "manifest.json"} <= set(names)
    assert index["manifests"][1]["annotations"] == {"io.containerd.image.name": "docker.io/other/name:2", "org.opencontainers.image.ref.name": "2"}


def test_save_by_id_gives_no_name(casemate, busybox, tmp_path):
    identity = ids(casemate)[busybox]
    casemate.ok("save", "-o", tmp_path / "x.tar", identity)
    manifest, _ = blobs_are_what_they_are_called(tmp_path / "x.tar")
    assert manifest[0]["RepoTags"] is None
    assert casemate.ok("load", "-i", tmp_path / "x.tar") == "Loaded image ID: %s\n" % identity


def test_a_layer_that_cannot_be_written_as_it_was(installation, casemate, tmp_path):
    """The same name twice: content of the first one is lost. The image is valid, has another id, and that is said."""
    layer = Layer().file("twice", "first").file("twice", "second").file("once", "x")
    image = images.busybox_image([layer], media=images.DOCKER)
    casemate.load(image, "twice:1")
    result = casemate.run("save", "-o", tmp_path / "x.tar", "twice:1")
    assert result.status == 0 and "image %s is saved as " % image.id[7:19] in result.err
    blobs_are_what_they_are_called(tmp_path / "x.tar")
    other = casemates.Casemate(installation, casemates.make_base())
    try:
        other.ok("load", "-i", tmp_path / "x.tar")
        assert other.ok("run", "--rm", "twice:1", "cat", "/twice") == "second"
        assert other.ok("history", "--no-trunc", "-q", "twice:1").splitlines()[0][7:19] in result.err
    finally:
        other.destroy()


def test_a_spoiled_store_is_found(casemate, busybox, tmp_path):
    """A file of a layer or its skeleton has been changed: no archive comes out that calls itself the image."""
    layer = os.listdir(casemate.root + "/layers")[0]
    with open("%s/layers/%s/fs/etc/passwd" % (casemate.root, layer), "r+", encoding="utf-8") as f:
        f.write("evil")
    casemate.fails("save", "-o", tmp_path / "x.tar", busybox, says="does not give the tar that it was")
    with open("%s/layers/%s/skeleton" % (casemate.root, layer), "r+b") as f:
        f.seek(100)
        f.write(b"\xff" * 50)
    casemate.fails("save", "-o", tmp_path / "x.tar", busybox)
    assert os.listdir(tmp_path) == []


def test_save_refuses(casemate, busybox, tmp_path):
    with casemate.pty("save", busybox) as t:
        t.expect("cowardly refusing to save to a terminal. Use the -o flag or redirect")
        assert t.wait() == 1
    casemate.fails("save", "-o", tmp_path / "x", "nothing:1", says="No such image")
    assert os.listdir(tmp_path) == []


@pytest.mark.row(99)
def test_row_99_saves_are_recorded(casemate, busybox, tmp_path):
    casemate.ok("save", "-o", tmp_path / "x.tar", busybox)
    last = json.loads(casemate.ok("log", "show", "--format", "json").splitlines()[-1])
    assert (last["event"], last["name"], last["what"]) == ("image.save", busybox, str(tmp_path / "x.tar"))


def test_skopeo_reads_it(casemate, busybox, tmp_path):
    """As a Docker archive and as an OCI layout: digest of the configuration, layers."""
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    casemate.ok("save", "-o", tmp_path / "x.tar", busybox)
    identity = ids(casemate)[busybox]
    for source in ("docker-archive:%s:busybox:latest" % (tmp_path / "x.tar"), "oci-archive:%s" % (tmp_path / "x.tar")):
        target = tmp_path / ("to-" + source.split(":")[0])
        done = subprocess.run(["skopeo", "copy", "--insecure-policy", "--quiet", source, "dir:%s" % target], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads((target / "manifest.json").read_text())["config"]["digest"] == identity


def test_podman_loads_it(casemate, busybox):
    if not shutil.which("podman"):
        pytest.skip("podman is not installed")
    base = casemates.make_base("cmp-")  # Podman takes no run root of more than 50 characters
    try:
        casemate.ok("save", "-o", base + "/x.tar", busybox)
        words = ["podman", "--root", base + "/root", "--runroot", base + "/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
        done = subprocess.run([*words, "load", "-q", "-i", base + "/x.tar"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        listed = subprocess.run([*words, "images", "--no-trunc", "--format", "{{.ID}}"], capture_output=True, text=True, timeout=60).stdout.split()
        assert listed == [ids(casemate)[busybox]]
    finally:
        shutil.rmtree(base, ignore_errors=True)


def test_docker_loads_it_and_we_load_docker_s(installation, casemate, busybox, docker, tmp_path):
    """Both ways, with the same id."""
    casemate.ok("save", "-o", tmp_path / "ours.tar", busybox)
    assert "Loaded image: busybox:latest" in docker.ok("load", "-i", tmp_path / "ours.tar")
    identity = ids(casemate)[busybox]
    assert docker.ok("images", "--no-trunc", "-q").split() == [identity]
    docker.ok("save", "-o", tmp_path / "theirs.tar", "busybox:latest")
    other = casemates.Casemate(installation, casemates.make_base())
    try:
        other.ok("load", "-i", tmp_path / "theirs.tar")
        assert ids(other) == {"busybox:latest": identity}
    finally:
        other.destroy()


@pytest.fixture
def docker():
    with docker_module.started() as made:
        yield made
