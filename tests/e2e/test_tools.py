# SPDX-License-Identifier: Apache-2.0
"""The tools of the tests themselves: a canary that cannot die or a registry that serves nothing would prove nothing."""
import glob
import io
import os
import shutil
import subprocess
import tarfile

import pytest

from lib import canary, casemate as casemates, host, images, leftovers, registry as registries


@pytest.mark.parametrize("spoil", [
    lambda tree: open(tree + "/file", "a").write("x"),
    lambda tree: os.chmod(tree + "/dir/program", 0o4755),
    lambda tree: os.chown(tree + "/secret", 1, 1),
    lambda tree: os.unlink(tree + "/dir/link"),
    lambda tree: os.mkdir(tree + "/dir/new"),
    lambda tree: os.utime(tree + "/dir/deep/open", (1, 1)),
])
def test_canary_sees_a_change(tmp_path, spoil):
    bird = canary.Canary(tmp_path / "tree")
    bird.check()
    spoil(bird.path)
    with pytest.raises(AssertionError, match="the host was changed"):
        bird.check()


def test_canary_sees_a_changed_program(tmp_path):
    program = tmp_path / "program"
    program.write_text("before")
    bird = canary.Canary(tmp_path / "tree", [program])
    program.write_text("after!")
    with pytest.raises(AssertionError, match="program"):
        bird.check()


def test_layer_holds_what_it_was_told():
    layer = (images.Layer().dir("d", uid=7).file("d/f", "text", uid=3000000000, xattrs={"user.x": "1"})
             .file("../climb", "no").symlink("s", "/etc").hardlink("h", "d/f").whiteout("d/gone").opaque("d")
             .chardev("null", 1, 3))
    with tarfile.open(fileobj=io.BytesIO(layer.tar())) as archive:
        members = {m.name: m for m in archive}
        assert archive.extractfile(members["d/f"]).read() == b"text"
    assert list(members) == ["d", "d/f", "../climb", "s", "h", "d/.wh.gone", "d/.wh..wh..opq", "null"]
    assert members["d/f"].uid == 3000000000
    assert members["d/f"].pax_headers["SCHILY.xattr.user.x"] == "1"
    assert members["null"].ischr() and members["h"].islnk() and members["s"].linkname == "/etc"


@pytest.mark.parametrize("media", [images.OCI, images.DOCKER])
def test_registry_serves_what_was_pushed(registry, media):
    one = images.make_image([images.Layer().file("a", "1"), images.Layer().file("b", "2")], media=media,
                            compression=["gzip", "zstd"])
    other = images.make_image([images.Layer().file("c", "3")], media=media, arch="arm64")
    index = images.make_index([(one, {"os": "linux", "architecture": "amd64"}),
                               (other, {"os": "linux", "architecture": "arm64"})], media=media)
    registry.push(index, "tools/%s:tag" % media)
    status, headers, body = registry.request("GET", "/v2/tools/%s/manifests/tag" % media,
                                             headers={"Accept": index.media_type})
    assert (status, headers["Docker-Content-Digest"], body) == (200, index.digest, index.manifest.read())
    status, _, body = registry.request("GET", "/v2/tools/%s/blobs/%s" % (media, one.layers[1].digest))
    assert (status, body) == (200, one.layers[1].read())
    assert ("GET", "/v2/tools/%s/manifests/tag" % media) in registry.requests()


def test_registry_with_password_refuses_strangers(registry_auth):
    registry_auth.push(images.make_image([images.Layer().file("a", "1")]), "tools/secret:1")
    registry_auth.auth = False
    try:
        status, headers, _ = registry_auth.request("GET", "/v2/tools/secret/manifests/1")
    finally:
        registry_auth.auth = True
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic")


def test_lying_registry_lies(lying_registry):
    image = images.make_image([images.Layer().file("a", "1")])
    lying_registry.put(image, "tools/lie:1")
    path = "/v2/tools/lie/blobs/" + image.layers[0].digest
    lying_registry.hooks[path] = lambda handler: lying_registry.reply(handler, 200, b"lies")
    asker = registries.Registry.__new__(registries.Registry)
    asker.ca, asker.auth, asker.port = None, False, lying_registry.port
    assert asker.request("GET", path)[2] == b"lies"
    assert asker.request("GET", "/v2/tools/lie/manifests/1")[2] == image.manifest.read()
    assert asker.request("GET", "/v2/tools/none/manifests/1")[0] == 404
    assert [m for m, _, _ in lying_registry.asked] == ["GET", "GET", "GET"]



def make_group(name):
    """A cgroup in the first hierarchy that takes one."""
    for root in sorted(glob.glob(host.CGROUP_ROOT + "/*/cgroup.procs")) + [host.CGROUP_ROOT + "/cgroup.procs"]:
        path = os.path.join(os.path.dirname(root), name)
        try:
            os.mkdir(path)
            return path
        except OSError:
            continue
    return pytest.skip("no cgroup can be made here")


def test_leftovers_are_seen():
    before = leftovers.Before()
    base = casemates.make_base("casemate-left-")
    assert "file " + base in before.left(0)
    rundir = os.path.join(base, "run")
    group = make_group(casemates.group_name(rundir))
    program = shutil.copy("/bin/sleep", os.path.join(base, "casemate-left"))
    with subprocess.Popen([program, "1000"]) as process:
        try:
            left = before.left(0)
        finally:
            process.kill()
            process.wait()
            os.rmdir(group)
            shutil.rmtree(base)
    assert "cgroup " + group in left, left
    assert any(line.startswith("process %d: %s" % (process.pid, program)) for line in left), left
    assert not [line for line in before.left() if base in line or group in line]


def test_sanitizer_reports_are_refused(monkeypatch):
    reports = ["==7==ERROR: AddressSanitizer: heap-buffer-overflow", b"../src/base/num.c:5:6: runtime error: signed integer overflow"]
    monkeypatch.setenv("ASAN_OPTIONS", "exitcode=99")
    casemates.refuse_report("casemate: a runtime error: of no file")
    for report in reports:
        with pytest.raises(AssertionError, match="a sanitizer reports"):
            casemates.refuse_report(report)
    monkeypatch.delenv("ASAN_OPTIONS")
    casemates.refuse_report(reports[0])
