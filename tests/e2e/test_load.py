# SPDX-License-Identifier: Apache-2.0
"""load: archives of docker save and OCI layouts, as files and as streams; what is unpacked, compared with tar; faults."""
import gzip
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tarfile
import time

import pytest

from lib import host, images, wait

NEUTRAL = 0x70000000
Layer = images.Layer


def simple(text="hello", **more):
    return images.make_image([Layer().dir("etc").file("etc/hello", text)], {"Cmd": ["/x"]}, **more)


def layer_fs(casemate, image, number=0):
    return os.path.join(casemate.root, "layers", image.layers[number].digest.split(":")[1], "fs")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def image_id(casemate, name):
    return casemate.ok("inspect", "--type", "image", "--format", "{{.Id}}", name).strip()


@pytest.fixture
def path(casemate):
    return os.path.join(casemate.base, "archive.tar")


def assert_no_staging(casemate):
    staging = os.path.join(casemate.root, "staging")
    assert not os.path.isdir(staging) or os.listdir(staging) == []


# Forms of archives

def test_docker_archive(casemate, path):
    image = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["example.org/a:1", "short:latest"])
    assert casemate.ok("load", "-i", path) == "Loaded image: example.org/a:1\nLoaded image: short:latest\n"
    assert image_id(casemate, "short") == image.id and image_id(casemate, "example.org/a:1") == image.id
    assert read(layer_fs(casemate, image) + "/etc/hello") == "hello"
    assert_no_staging(casemate)


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_oci_layout(casemate, path, compression):
    image = simple(compression=compression)
    images.write_oci_archive(path, image, "example.org/a:1")
    assert casemate.ok("load", "--input", path, "-q") == "Loaded image: example.org/a:1\n"
    assert image_id(casemate, "example.org/a:1") == image.id
    assert read(layer_fs(casemate, image) + "/etc/hello") == "hello"


def test_an_image_without_a_name(casemate, path):
    image = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, [])
    assert casemate.ok("load", "-i", path) == "Loaded image ID: %s\n" % image.id
    assert image_id(casemate, image.id[7:19]) == image.id
    layout = simple("other")
    images.write_oci_archive(path, layout, "latest")
    assert casemate.ok("load", "-i", path) == "Loaded image ID: %s\n" % layout.id


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("form", [images.DOCKER, images.OCI])
def test_from_a_pipe(casemate, path, how, form):
    image = simple(media=form, compression="none")
    if form == images.DOCKER:
        images.write_docker_archive(path, image, ["a:b"])
    else:
        images.write_oci_archive(path, image, "docker.io/library/a:b")
    with open(path, "rb") as f:
        data = images.compress(f.read(), how)
    assert casemate.ok("load", input=data) == "Loaded image: a:b\n"
    assert read(layer_fs(casemate, image) + "/etc/hello") == "hello"
    assert_no_staging(casemate)


def test_a_compressed_file(casemate, path):
    image = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"])
    with open(path, "rb") as f, gzip.open(path + ".gz", "wb") as g:
        shutil.copyfileobj(f, g)
    assert casemate.ok("load", "-i", path + ".gz") == "Loaded image: a:b\n"


def test_several_images(casemate, path):
    """One archive, two images that share a layer."""
    shared = Layer().file("shared", "s")
    one = images.make_image([shared, Layer().file("one", "1")], {"Cmd": ["/1"]}, media=images.DOCKER, compression="none")
    two = images.make_image([shared, Layer().file("two", "2")], {"Cmd": ["/2"]}, media=images.DOCKER, compression="none")
    entries, manifest = {}, []
    for number, image in enumerate((one, two)):
        config = image.id[7:] + ".json"
        entries[config] = image.config.read()
        names = ["%s/layer.tar" % blob.digest[7:] for blob in image.layers]
        entries.update(zip(names, image.tars))
        manifest.append({"Config": config, "RepoTags": ["image:%d" % number], "Layers": names})
    entries["manifest.json"] = json.dumps(manifest).encode()
    images.write_docker_archive(path, one, [], change=lambda _: list(entries.items()))
    assert casemate.ok("load", "-i", path) == "Loaded image: image:0\nLoaded image: image:1\n"
    assert len(os.listdir(os.path.join(casemate.root, "layers"))) == 3


def test_archive_of_newer_docker(casemate, path):
    """Both tables of contents; layers are blobs that may be compressed."""
    image = simple(compression="gzip")

    def change(entries):
        blob = "blobs/" + image.layers[0].digest.replace(":", "/")
        config = "blobs/" + image.id.replace(":", "/")
        return entries + [("manifest.json", json.dumps([{"Config": config, "RepoTags": ["a:b"], "Layers": [blob]}]).encode())]
    images.write_oci_archive(path, image, "b", change=change)
    assert casemate.ok("load", "-i", path) == "Loaded image: a:b\n"
    assert read(layer_fs(casemate, image) + "/etc/hello") == "hello"


def test_layers_that_are_links(casemate, path):
    """Older docker save wrote a link where a layer occurs again."""
    layer = Layer().file("f", "x")
    image = images.make_image([layer, Layer().file("g", "y"), layer], {"Cmd": ["/x"]}, media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"], change=lambda es: [e for e in es if e[0] != "%064x/layer.tar" % 2])
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("%064x/layer.tar" % 2)
        link.type, link.linkname = tarfile.SYMTYPE, "../%064x/layer.tar" % 0
        tar.addfile(link)
    casemate.ok("load", "-i", path)
    assert len(os.listdir(os.path.join(casemate.root, "layers"))) == 2


def test_platforms(casemate, path):
    amd, arm = simple("amd"), simple("arm", arch="arm64", variant="v8")
    index = images.make_index([(arm, {"os": "linux", "architecture": "arm64", "variant": "v8"}),
                               (amd, {"os": "linux", "architecture": "amd64"})])
    images.write_oci_archive(path, index, "a/b:c")
    casemate.ok("load", "-i", path, "--platform", "linux/arm64")
    assert image_id(casemate, "a/b:c") == arm.id
    casemate.ok("load", "-i", path, "--platform", "linux/amd64")
    assert image_id(casemate, "a/b:c") == amd.id
    casemate.fails("load", "-i", path, "--platform", "linux/s390x", status=1)


def test_what_is_no_archive(casemate, path):
    casemate.fails("load", "-i", "/no/such/file", status=1, says="No such file")
    casemate.fails("load", "-i", "/etc", status=1)
    casemate.fails("load", input=b"", status=1)
    casemate.fails("load", input=b"x" * 5000, status=1, says="tar archive")
    with tarfile.open(path, "w") as tar:
        tar.add("/etc/hostname", "etc/hostname")
    casemate.fails("load", "-i", path, status=1, says="not an image archive")
    images.write_docker_archive(path, simple(media=images.DOCKER, compression="none"), ["a:b"],
                                change=lambda es: [(n.replace("manifest.json", "repositories"), d) for n, d in es])
    casemate.fails("load", "-i", path, status=1, says="1.10")


def test_loading_again_changes_nothing(casemate, path):
    image = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"])
    assert casemate.ok("load", "-i", path) == casemate.ok("load", "-i", path)
    before = host.tree(layer_fs(casemate, image))
    casemate.ok("load", "-i", path)
    assert host.tree(layer_fs(casemate, image)) == before


def test_sixty_layers(casemate, path, busybox_made):
    """Many layers, each hides what the one before had; the image runs."""
    layers = []
    for number in range(60):
        layer = Layer().file("count", str(number)).file("layer/%d" % number, "")
        if number:
            layer.whiteout("layer/%d" % (number - 1))
        layers.append(layer)
    image = images.busybox_image(layers, media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["many:latest"])
    casemate.ok("load", "-i", path)
    assert casemate.ok("run", "--rm", "many", "sh", "-c", "cat /count; ls /layer") == "5959\n"


# What a layer becomes

def is_whiteout(path):
    found = os.lstat(path)
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def is_opaque(path):
    return "user.overlay.opaque" in os.listxattr(path) and os.getxattr(path, "user.overlay.opaque") == b"y"


def test_whiteouts_and_opaque_directories(casemate, path):
    layer = Layer().dir("d").whiteout("d/gone").opaque("o").whiteout("top").whiteout("new/parent/x")
    layer.file(".wh..wh.plnk/1.2", "aufs").file(".wh..wh.aufs", "aufs")
    # A name that the layer has itself stays, in either order; a directory then hides what is below it.
    layer.file("kept1", "x").whiteout("kept1").whiteout("kept2").file("kept2", "x")
    layer.dir("dir1").file("dir1/x", "x").whiteout("dir1").whiteout("dir2").dir("dir2").whiteout("dir3").file("dir3/x", "x")
    image = images.make_image([layer], {"Cmd": ["/x"]}, media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"])
    casemate.ok("load", "-i", path)
    fs = layer_fs(casemate, image)
    assert sorted(os.listdir(fs)) == ["d", "dir1", "dir2", "dir3", "kept1", "kept2", "new", "o", "top"]
    for name in ("d/gone", "top", "new/parent/x"):
        assert is_whiteout(os.path.join(fs, name)), name
    for name in ("o", "dir1", "dir2", "dir3"):
        assert is_opaque(os.path.join(fs, name)), name
    assert not is_opaque(fs + "/d") and read(fs + "/kept1") == read(fs + "/kept2") == "x"


def test_layers_on_top_of_each_other(casemate, path, busybox_made):
    below = Layer().dir("a").file("a/1", "1").file("a/2", "2").dir("b").file("b/1", "1").file("c", "c").dir("e").file("e/1", "1")
    below.symlink("l", "a").file("t", "file")
    above = Layer().whiteout("a/1").opaque("b").file("b/2", "2").whiteout("c").whiteout("e").file("e/2", "2").whiteout("l").dir("l")
    above.dir("t").file("t/now", "dir")
    image = images.busybox_image([below, above], media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"])
    casemate.ok("load", "-i", path)
    out = casemate.ok("run", "--rm", "a:b", "sh", "-c", "echo a: $(ls a) b: $(ls b) c: $(ls -d c 2>/dev/null) e: $(ls e) l: $(ls -A l) t: $(ls t)")
    assert out == "a: 2 b: 2 c: e: 2 l: t: now\n"


def test_owners_modes_times_and_links(casemate, path):
    layer = Layer().dir("d", mode=0o1777, uid=5, gid=6, mtime=1000000000).file("d/f", "x", mode=0o4711, uid=1000, gid=100, mtime=12)
    layer.hardlink("h", "d/f").symlink("s", "/etc/passwd", uid=3, mtime=99).fifo("p", mode=0o622, uid=4)
    layer.file("n", "x", pax={"mtime": "1234567890.123456789"}).file("old", "x", mtime=-5).file("u", "x", xattrs={"user.a": "b"})
    layer.file("closed", "x", mode=0).dir("readonly", mode=0o555).file("readonly/f", "x")
    image = images.make_image([layer], {"Cmd": ["/x"]}, media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["a:b"])
    casemate.ok("load", "-i", path)
    fs = layer_fs(casemate, image)

    def facts(name):
        s = os.lstat(os.path.join(fs, name))
        return s.st_uid - NEUTRAL, s.st_gid - NEUTRAL, stat.S_IMODE(s.st_mode), s.st_mtime_ns
    assert facts("d") == (5, 6, 0o1777, 1000000000 * 10**9)
    assert facts("d/f") == (1000, 100, 0o4711, 12 * 10**9)
    assert os.lstat(fs + "/h").st_ino == os.lstat(fs + "/d/f").st_ino
    assert os.readlink(fs + "/s") == "/etc/passwd" and facts("s")[0] == 3 and facts("s")[3] == 99 * 10**9
    assert facts("p")[:3] == (4, 0, 0o622) and stat.S_ISFIFO(os.lstat(fs + "/p").st_mode)
    assert facts("n")[3] == 1234567890123456789
    assert facts("old")[3] == -5 * 10**9
    assert os.getxattr(fs + "/u", "user.a") == b"b"
    assert facts("closed")[2] == 0 and facts("readonly")[2] == 0o555


def tar_truth(tar, to):
    """What tar makes of it, without device nodes."""
    os.mkdir(to)
    subprocess.run(["tar", "-xpf", tar, "-C", to, "--numeric-owner"], check=True)
    devices = [os.path.join(where, name) for where, _, names in os.walk(to) for name in names
               if stat.S_IFMT(os.lstat(os.path.join(where, name)).st_mode) in (stat.S_IFCHR, stat.S_IFBLK)]
    times = {os.path.dirname(d): os.stat(os.path.dirname(d)) for d in devices}
    for device in devices:
        os.unlink(device)
    for directory, before in times.items():
        os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))


def described(top, shift):
    """Every name with kind, owner, mode, time, size or target, and the digest of the content; hard links by their first name."""
    found, inodes = {}, {}
    for where, dirs, files in os.walk(top):
        for name in sorted(dirs + files):
            full = os.path.join(where, name)
            short = os.path.relpath(full, top)
            s = os.lstat(full)
            what = [stat.S_IFMT(s.st_mode), stat.S_IMODE(s.st_mode), s.st_uid - shift, s.st_gid - shift, s.st_mtime_ns // 10**9]
            if stat.S_ISLNK(s.st_mode):
                what.append(os.readlink(full))
            elif stat.S_ISREG(s.st_mode):
                with open(full, "rb") as f:
                    what += [s.st_size, s.st_nlink, hashlib.sha256(f.read()).hexdigest()]
            found[short] = what
            if s.st_nlink > 1 and not stat.S_ISDIR(s.st_mode):
                inodes.setdefault(s.st_ino, set()).add(short)
    return found, sorted(sorted(names) for names in inodes.values())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_real_debian_is_what_tar_makes_of_it(casemate, path, debian_tar, how, tmp_path):
    source, diff_id = debian_tar
    layer = images.FileLayer(source, "gzip", diff_id)
    if how == "zstd":
        layer = images.FileLayer(str(tmp_path / "d.tar.zst"), "zstd", diff_id)
        subprocess.run("gzip -dc '%s' | zstd -q -o '%s'" % (source, layer.path), shell=True, check=True)
    image = images.make_image([layer], {"Cmd": ["bash"]})
    images.write_oci_archive(path, image, "debian/real:latest")
    casemate.ok("load", "-i", path, timeout=120)
    truth = os.path.join(casemate.base, "truth")
    tar_truth(source, truth)
    ours, links = described(layer_fs(casemate, image), NEUTRAL)
    theirs, their_links = described(truth, 0)
    assert len(ours) > 2000
    assert {n: (ours.get(n), theirs.get(n)) for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n)} == {}
    assert links == their_links


# Several at once, and ends

def big(megabytes=24):
    layer = Layer()
    for number in range(megabytes * 4):
        layer.file("f%d" % number, os.urandom(256 << 10))
    return images.make_image([layer], {"Cmd": ["/x"]}, media=images.DOCKER, compression="none")


def test_the_same_layer_by_several_commands_at_once(casemate, path):
    image = big(8)
    images.write_docker_archive(path, image, ["a:b"])
    running = [casemate.popen("load", "-i", path) for _ in range(5)]
    for process in running:
        out, err = process.communicate(timeout=wait.seconds(60))
        assert process.returncode == 0 and out == b"Loaded image: a:b\n", err
    assert os.listdir(os.path.join(casemate.root, "layers")) == [image.layers[0].digest[7:]]
    assert_no_staging(casemate)


def workers(casemate):
    return [p for p in host.pids() if os.path.basename(host.exe(p)) == "casemate-unpack"
            and host.exe(p).startswith(casemate.installation.libexec)]


def start_stalled(casemate, path):
    """A load that has got a part of its archive and waits for more; its worker."""
    image = big(4)
    images.write_docker_archive(path, image, ["a:b"])
    process = casemate.popen("load", stdin=subprocess.PIPE)
    with open(path, "rb") as f:
        process.stdin.write(f.read(3 << 20))
    process.stdin.flush()
    end = time.monotonic() + wait.seconds(10)
    while not workers(casemate):
        assert time.monotonic() < end, "no worker"
        time.sleep(0.01)
    return process, workers(casemate)[0]


def test_a_killed_worker_is_an_error(casemate, path):
    process, worker = start_stalled(casemate, path)
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=wait.seconds(20))
    assert process.returncode == 1 and b"signal 9" in err and len(err.splitlines()) == 1
    assert_no_staging(casemate)


def test_a_killed_command_leaves_nothing(casemate, path):
    process, worker = start_stalled(casemate, path)
    process.kill()
    process.communicate()
    end = time.monotonic() + wait.seconds(10)
    while worker in workers(casemate):
        assert time.monotonic() < end, "the worker lives on"
        time.sleep(0.01)
    assert os.listdir(os.path.join(casemate.root, "layers")) == []
    image = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path, image, ["c:d"])
    casemate.ok("load", "-i", path)
    assert image_id(casemate, "c:d") == image.id
    assert casemate.run("inspect", "--type", "image", "a:b").status == 1


def test_a_full_disk(casemate, path):
    """In a mount namespace of its own, with a data root of 16 MiB: one line, and what was there before is still right."""
    image = big(24)
    images.write_docker_archive(path, image, ["a:b"])
    small = simple(media=images.DOCKER, compression="none")
    images.write_docker_archive(path + ".small", small, ["c:d"])
    os.mkdir(casemate.root, 0o700)
    script = 'mount -t tmpfs -o size=16m,mode=0700 none "$1" && "$2" load -q -i "$4" && ! "$2" load -i "$3" && ls "$1/layers" "$1/staging"'
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", casemate.root,
                           casemate.installation.binary, path, path + ".small"], env=casemate.env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1 and "No space left" in done.stderr
    assert done.stdout.splitlines()[1:] == [casemate.root + "/layers:", small.layers[0].digest[7:], "", casemate.root + "/staging:"]


# The worker's own sandbox

def test_the_worker_sees_nothing(casemate, path):
    """Row 85: no host root, no capabilities over the host, a filter, an empty root, no network."""
    process, worker = start_stalled(casemate, path)
    try:
        status = dict(line.split(":\t", 1) for line in host.read("/proc/%d/status" % worker).splitlines() if ":\t" in line)
        assert {int(u) for u in status["Uid"].split()} == {NEUTRAL}
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
        assert int(status["CapBnd"], 16) == 0 and int(status["CapEff"], 16) == 0
        assert os.readlink("/proc/%d/ns/user" % worker) != os.readlink("/proc/self/ns/user")
        assert os.readlink("/proc/%d/ns/net" % worker) != os.readlink("/proc/self/ns/net")
        mounts = [line.split()[4:6] for line in host.read("/proc/%d/mountinfo" % worker).splitlines()]
        assert [m[0] for m in mounts] == ["/"] and "ro" in mounts[0][1].split(",")
    finally:
        process.kill()
        process.communicate()
