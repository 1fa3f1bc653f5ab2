# SPDX-License-Identifier: Apache-2.0
"""Hostile layers and image archives: nothing outside the layer's own directory is read, written or linked, what is refused
leaves nothing, and no archive costs more than the limits say (ATTACKS.md, group tar and dos: GEN-tar-traversal, GEN-tar-symlink-write,
GEN-tar-whiteout, GEN-tar-devnode, GEN-tar-suid+xattr, CVE-2025-47290)."""
import gzip
import json
import os
import resource
import stat
import struct
import tarfile
import zlib

import pytest

from lib import images

NEUTRAL = 0x70000000
Layer = images.Layer


def archive(casemate, *layers, compression="none", **more):
    """Path of a docker archive with these layers, and the image."""
    image = images.make_image(list(layers), {"Cmd": ["/x"]}, media=images.DOCKER, compression=compression, **more)
    path = os.path.join(casemate.base, "attack.tar")
    if compression == "none":
        images.write_docker_archive(path, image, ["attack:latest"])
    else:
        images.write_oci_archive(path, image, "example.org/attack:latest")
    return path, image


def load(casemate, *layers, **more):
    """Loads it; the directories of its layers."""
    path, image = archive(casemate, *layers, **more)
    casemate.ok("load", "-i", path, timeout=120)
    return [os.path.join(casemate.root, "layers", blob.digest.split(":")[1], "fs") for blob in image.layers]


def info(fs):
    with open(os.path.join(os.path.dirname(fs), "layer.json"), encoding="utf-8") as f:
        return json.load(f)


def assert_nothing_left(casemate):
    for name in ("layers", "staging", "images"):
        directory = os.path.join(casemate.root, name)
        assert not os.path.isdir(directory) or os.listdir(directory) == [], name


def refused(casemate, says, *layers, **more):
    path, _ = archive(casemate, *layers, **more)
    casemate.fails("load", "-i", path, status=1, says=says, timeout=120)
    assert_nothing_left(casemate)


def raw(casemate, says, data, compression="none"):
    refused(casemate, says, images.RawLayer(data), compression=compression)


def header(name, type=b"0", size=0, **fields):
    """One block, fields as bytes at their place where tarfile would not write them."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode = type, 0, 0o644
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT)[:512])
    block[124:136] = b"%011o\0" % size if isinstance(size, int) else size
    for at, value in fields.items():
        offset = int(at[1:])
        block[offset:offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pad(data):
    return data + b"\0" * (-len(data) % 512)


def pax(*records):
    body = b""
    for record in records:
        length = len(record) + 3
        while len(b"%d %s\n" % (length, record)) != length:
            length += 1
        body += b"%d %s\n" % (length, record)
    return header("pax", b"x", len(body)) + pad(body)


END = b"\0" * 1024


# Names that climb out

@pytest.mark.parametrize("name", ["../{}", "../../../../../../../../{}", "a/../../{}", "./../{}", "a/b/../../../{}", "..",
                                  "/../{}", "dir/..", "dir/../dir/x"])
def test_dot_dot_is_refused(casemate, canary, name):
    refused(casemate, "has '..' in it", Layer().dir("dir").file(name.format("pwned"), "x"))


def test_absolute_names_stay_inside(casemate, canary):
    target = canary.path + "/file"
    fs, = load(casemate, Layer().file(target, "pwned", mode=0o777).file("//etc/passwd", "pwned").dir("/tmp"))
    with open(fs + target, encoding="utf-8") as f:
        assert f.read() == "pwned"
    assert open(fs + "/etc/passwd", encoding="utf-8").read() == "pwned"


# Symbolic links as a way

@pytest.mark.parametrize("up", [False, True])
def test_write_through_a_link_stays_inside(casemate, canary, up):
    """The link leads to a directory of the host; inside the layer there is none: refused. With one, it is written inside."""
    target = ("../" * 12 + canary.path[1:]) if up else canary.path
    refused(casemate, "", Layer().symlink("out", target).file("out/file", "pwned", mode=0o777))
    fs, = load(casemate, Layer().dir(canary.path[1:]).symlink("out", target).file("out/file", "inside"))
    assert open(fs + canary.path + "/file", encoding="utf-8").read() == "inside"
    assert os.readlink(fs + "/out") == target


def test_a_file_replaces_the_link_of_its_name(casemate, canary):
    """CVE-2021-32760: content, mode and owner of what the link points to stay."""
    fs, = load(casemate, Layer().symlink("out", canary.path + "/file").file("out", "x", mode=0o4777, uid=7))
    found = os.lstat(fs + "/out")
    assert stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o4777 and found.st_uid == NEUTRAL + 7


def test_directory_entry_replaces_a_link(casemate, canary):
    fs, = load(casemate, Layer().symlink("d", canary.path + "/dir").dir("d", mode=0o777, uid=9).file("d/program", "x"))
    assert stat.S_ISDIR(os.lstat(fs + "/d").st_mode)
    assert os.listdir(fs + "/d") == ["program"]


def test_a_link_over_a_directory_takes_its_children_nowhere(casemate, canary):
    refused(casemate, "", Layer().dir("d").file("d/program", "x").symlink("d", canary.path + "/dir").file("d/program", "pwned"))


def test_links_across_layers(casemate, canary):
    """A link of a lower layer is not looked at while an upper one is unpacked."""
    lower, upper = load(casemate, Layer().symlink("etc", canary.path), Layer().file("etc/file", "upper"))
    assert os.readlink(lower + "/etc") == canary.path
    assert open(upper + "/etc/file", encoding="utf-8").read() == "upper"


def test_link_loops_end(casemate, canary):
    refused(casemate, "", Layer().symlink("a", "b").symlink("b", "a").file("a/x", "x"))
    refused(casemate, "", Layer().symlink("a", "a").hardlink("x", "a/y"))


def test_magic_links_lead_nowhere(casemate, canary):
    refused(casemate, "", Layer().symlink("p", "/proc/self/root").file("p/pwned", "x"))
    refused(casemate, "", Layer().symlink("p", "/proc/self/fd/4").file("p/../pwned", "x"))


# Hard links

@pytest.mark.parametrize("target", ["{}/secret", "../../../../../../../..{}/secret", "link/secret", "/etc/shadow"])
def test_hard_links_to_the_host(casemate, canary, target):
    refused(casemate, "hard link|'..'|used as a directory", Layer().symlink("link", canary.path).hardlink("steal", target.format(canary.path)))


def test_hard_link_to_a_link_is_the_link(casemate, canary):
    """The new name is the same symbolic link, not what it points to; a file of that name replaces it."""
    fs, = load(casemate, Layer().symlink("link", canary.path + "/file").hardlink("same", "link").file("same", "x"))
    assert os.path.islink(fs + "/link") and open(fs + "/same", encoding="utf-8").read() == "x"


def test_hard_links_that_make_no_sense(casemate):
    refused(casemate, "does not have", Layer().hardlink("a", "missing"))
    refused(casemate, "is no file", Layer().dir("d").hardlink("a", "d"))
    refused(casemate, "is no file", Layer().hardlink("a", "/"))
    refused(casemate, "is no file", Layer().whiteout("w").hardlink("a", "w"))
    refused(casemate, "hard link", Layer().dir("a").file("a/x", "x").hardlink("a", "a/x"))
    fs, = load(casemate, Layer().file("a", "x").hardlink("a", "a"))
    assert open(fs + "/a", encoding="utf-8").read() == "x"


# Whiteouts

def test_whiteouts_through_links(casemate, canary):
    refused(casemate, "", Layer().symlink("out", canary.path).whiteout("out/file"))
    refused(casemate, "", Layer().symlink("out", canary.path).opaque("out"))


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh...", ".wh.a/b", "d/.wh.a/.wh.b"])
def test_whiteouts_without_sense(casemate, canary, name):
    refused(casemate, "whiteout", Layer().dir("d").file(name))


# What is not a file

def test_device_nodes_are_dropped(casemate, canary):
    layer = Layer().file("f", "x").blockdev("disk", 8, 0).chardev("mem", 1, 1).chardev("null", 1, 3).chardev("zero", 0, 0)
    fs, = load(casemate, layer.file("disk2/x", "x"))
    assert sorted(os.listdir(fs)) == ["disk2", "f"]
    assert info(fs)["devicesDropped"] == 4


def test_set_id_files_mean_nothing_on_the_host(casemate, canary):
    fs, = load(casemate, Layer().file("su", "x", mode=0o6755).file("mine", "x", mode=0o4755, uid=1000))
    for name, uid in (("su", 0), ("mine", 1000)):
        found = os.lstat(os.path.join(fs, name))
        assert found.st_uid == NEUTRAL + uid and found.st_mode & stat.S_ISUID
    assert info(fs)["setidFiles"] == 2
    for where in (casemate.root, os.path.dirname(fs), os.path.join(casemate.root, "layers")):
        assert os.stat(where).st_mode & 0o077 == 0, where


@pytest.mark.parametrize("name", ["trusted.overlay.opaque", "trusted.overlay.redirect", "user.overlay.opaque",
                                  "user.overlay.redirect", "user.overlay.metacopy", "user.overlay.whiteout"])
@pytest.mark.parametrize("on", ["file", "dir", "symlink"])
def test_attributes_of_overlay_are_refused(casemate, canary, name, on):
    layer = Layer()
    more = {"xattrs": {name: "y"}}
    refused(casemate, "speak to overlay", layer.symlink("x", "y", **more) if on == "symlink" else getattr(layer, on)("x", **more))


def test_attributes_of_power_are_dropped(casemate):
    capability = struct.pack("<IIIII", 0x02000001, 1 << 12, 0, 0, 0)
    fs, = load(casemate, Layer().file("f", "x", xattrs={"security.capability": capability, "security.selinux": "system_u",
                                                        "trusted.x": "y", "user.note": "kept"}))
    assert os.listxattr(fs + "/f") == ["user.note"]
    said = info(fs)
    assert said["capabilitiesDropped"] == 1 and said["xattrsDropped"] == 2


# Kinds that change

def test_kinds_that_change(casemate, canary):
    layer = Layer().file("a", "x").dir("a").file("a/b", "1")
    layer.dir("c").file("c/d", "x").file("c", "now a file")
    layer.file("e", "first").file("e", "second").dir("g", mode=0o700).dir("g", mode=0o751, gid=5)
    layer.fifo("h").file("h", "no pipe").symlink("i", "a").fifo("i").dir("j").file("j/k", "x").symlink("j", "a")
    fs, = load(casemate, layer)
    assert open(fs + "/a/b", encoding="utf-8").read() == "1"
    assert open(fs + "/c", encoding="utf-8").read() == "now a file"
    assert open(fs + "/e", encoding="utf-8").read() == "second"
    assert stat.S_IMODE(os.lstat(fs + "/g").st_mode) == 0o751 and os.lstat(fs + "/g").st_gid == NEUTRAL + 5
    assert stat.S_ISREG(os.lstat(fs + "/h").st_mode) and stat.S_ISFIFO(os.lstat(fs + "/i").st_mode)
    assert os.readlink(fs + "/j") == "a"


def test_a_file_is_no_directory(casemate):
    refused(casemate, "used as a directory", Layer().file("a", "x").file("a/b", "x"))
    refused(casemate, "no directory", Layer().file(".", "x"))


def test_a_later_entry_does_not_inherit_what_an_earlier_one_had(casemate):
    """A set-group-id directory that became another one; files in it keep the owner that the archive gives."""
    layer = Layer().dir("d", mode=0o2775, gid=50).file("d/f", "x").dir("d/sub").file("d/sub/g", "x")
    layer.dir("e", mode=0o2775, gid=50).file("e", "x").dir("e", mode=0o755)
    fs, = load(casemate, layer)
    assert os.lstat(fs + "/d").st_mode & stat.S_ISGID and os.lstat(fs + "/d").st_gid == NEUTRAL + 50
    for name in ("d/f", "d/sub", "d/sub/g", "e"):
        found = os.lstat(os.path.join(fs, name))
        assert found.st_gid == NEUTRAL and not found.st_mode & stat.S_ISGID, name


# Names

def test_odd_names_are_kept_and_shown_safely(casemate):
    names = ["new\nline", "esc\x1b[31mape", "tab\t", "ümläut", " ", "-rf", "a\\b", "%s%n", "x" * 255]
    layer = Layer()
    for name in names:
        layer.file(name, name.encode())
    fs, = load(casemate, layer)
    assert sorted(os.listdir(fs)) == sorted(names)
    path, _ = archive(casemate, Layer().file("a\nb\x1b[2J/../c", "x"))
    err = casemate.fails("load", "-i", path, status=1)
    assert "\x1b" not in err


def test_bytes_that_are_no_text(casemate):
    data = pad(header("plain", size=1) + b"x")
    name = b"\xff\xfe\x80name"
    block = header("x", b"0", 0, _0=name)
    fs, = load(casemate, images.RawLayer(data + block + END))
    assert sorted(os.listdir(os.fsencode(fs))) == sorted([b"plain", name])


def test_names_that_are_too_long(casemate):
    refused(casemate, "longer than 255", Layer().file("x" * 256, "x"))
    refused(casemate, "directories deep", Layer().file("/".join(["d"] * 129), "x"))
    refused(casemate, "bytes", Layer().file("/".join(["y" * 200] * 25), "x"))
    fs, = load(casemate, Layer().file("/".join(["d"] * 128), "deep"))
    assert open(fs + "/" + "/".join(["d"] * 128), encoding="utf-8").read() == "deep"


# Numbers

@pytest.mark.parametrize("size", [b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7, b"\xff" * 12, b"\x80" + b"\xff" * 11, b"9" * 11 + b"\0",
                                  b"777777777777", b"1 2 3 4 5 6\0"])
def test_sizes_that_lie(casemate, canary, size):
    raw(casemate, "", header("f", size=size) + b"x" * 512 + END)


@pytest.mark.parametrize("record", [b"size=99999999999999999999999", b"size=-1", b"size=0x10", b"size= 1", b"uid=abc", b"mtime=1.2.3",
                                    b"path=a\0b", b"linkpath=a\0b", b"GNU.sparse.map=1", b"GNU.sparse.major=1"])
def test_pax_records_that_lie(casemate, record):
    raw(casemate, "", pax(record) + header("f") + END)


@pytest.mark.parametrize("body", [b"5 a=b\n9", b"99 a=b\n", b"0 a=b\n", b" a=b\n", b"7 a=b\nx", b"6 abcd\n", b"-5 a=b\n", b"4 =b\n"])
def test_pax_headers_that_are_none(casemate, body):
    raw(casemate, "pax", header("pax", b"x", len(body)) + pad(body) + header("f") + END)


def test_headers_that_are_too_large(casemate):
    refused(casemate, "header of", Layer().file("f", "x", pax={"comment": "x" * (2 << 20)}))
    raw(casemate, "header of", header("long", b"L", 1 << 32) + END)
    many = {"SCHILY.xattr.user.n%d" % i: "x" for i in range(65)}
    refused(casemate, "extended attributes", Layer().file("f", "x", pax=many))


def test_ids_beyond_the_block(casemate):
    layer = Layer().file("a", "x", uid=65535, gid=65534).file("b", "x", uid=65536).file("c", "x", gid=4000000000)
    layer.file("d", "x", pax={"uid": "-2"}).dir("e", uid=1 << 40).symlink("f", "a", uid=70000, gid=70000)
    fs, = load(casemate, layer)
    owners = {n: (os.lstat(os.path.join(fs, n)).st_uid - NEUTRAL, os.lstat(os.path.join(fs, n)).st_gid - NEUTRAL)
              for n in os.listdir(fs)}
    assert owners == {"a": (65535, 65534), "b": (65534, 0), "c": (0, 65534), "d": (65534, 0), "e": (65534, 0),
                      "f": (65534, 65534)}
    assert info(fs)["idsAboveBlock"] == 5


# Sparse files

def sparse_1_0(size, extents, data):
    body = b"%d\n" % len(extents) + b"".join(b"%d\n%d\n" % extent for extent in extents)
    body = pad(body) + data
    return pax(b"GNU.sparse.major=1", b"GNU.sparse.minor=0", b"GNU.sparse.name=f", b"GNU.sparse.realsize=%d" % size) + \
        header("x", size=len(body)) + pad(body) + END


def test_a_sparse_file_costs_nothing(casemate):
    size = 200 << 30
    fs, = load(casemate, images.RawLayer(sparse_1_0(size, [(1 << 30, 4)], b"data")))
    found = os.lstat(fs + "/f")
    assert found.st_size == size and found.st_blocks < 64
    with open(fs + "/f", "rb") as f:
        f.seek(1 << 30)
        assert f.read(4) == b"data"


@pytest.mark.parametrize("size, extents, data", [
    ((1 << 40) + 1, [], b""), (1 << 62, [], b""), (10, [(0, 20)], b"x" * 20), (100, [(50, 10), (40, 10)], b"x" * 20),
    (100, [(0, 10), (5, 10)], b"x" * 20), (100, [(0, 10)], b"x" * 20), (100, [(0, 20)], b"x" * 10),
    (100, [((1 << 63) - 5, 10)], b"x" * 10), (100, [(0, (1 << 63) - 1), (1, (1 << 63) - 1)], b"")])
def test_sparse_maps_that_lie(casemate, canary, size, extents, data):
    raw(casemate, "", sparse_1_0(size, extents, data))


# Bombs

@pytest.mark.row(39)
def test_row_39_too_many_entries(casemate):
    """A million headers are half a gigabyte of nearly nothing."""
    block = header("null", b"3")
    refused(casemate, "more than 1000000 entries", images.RawLayer(block * 1000001 + END), compression="zstd")


@pytest.mark.row(39)
def test_row_39_too_large_for_what_was_sent(casemate, tmp_path):
    """Gzip members of zeros, one behind the other: refused by what they cost, long before their end. Nothing reaches the disk."""
    chunk = 32 << 20
    head = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = head.compress(header(".wh..wh.bomb", size=b"%011o\0" % (100 * chunk - 512))) + head.flush()
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    member = zeros.compress(b"\0" * chunk) + zeros.flush()
    path = str(tmp_path / "bomb.gz")
    with open(path, "wb") as f:
        f.write(start + member * 100)
    refused(casemate, "decompression bomb", images.FileLayer(path, "gzip", "sha256:" + "0" * 64), compression="gzip")


@pytest.mark.row(39)
def test_row_39_a_window_that_eats_memory(casemate):
    """zstd --long=31 asks for 2 GiB."""
    frame = bytes([0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3]) + b"\x01\x00\x00"
    image = images.make_image([Layer().file("f", "x")], media=images.DOCKER, compression="zstd")
    image.layers[0] = images.Blob(frame)
    layer = images.FileLayer(os.path.join(casemate.base, "window.zst"), "zstd", "sha256:" + "0" * 64)
    with open(layer.path, "wb") as f:
        f.write(frame)
    refused(casemate, "zstd data", layer, compression="zstd")


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a sanitizer needs more memory than the test gives")
@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
def test_a_huge_table_of_contents(casemate, name):
    """CVE-2023-25153: neither read nor stored, whatever it claims; memory stays small."""
    path = os.path.join(casemate.base, "huge.tar")
    with open(path, "wb") as f:
        f.write(header(name, size=4 << 30))
        f.truncate(512 + (4 << 30))
        f.seek(0, os.SEEK_END)
        f.write(END)
    small = 64 << 20
    casemate.fails("load", "-i", path, status=1, says="at most",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (small, small)))
    with open(path, "wb") as f:
        f.write(sparse_1_0(4 << 30, [], b"").replace(b"GNU.sparse.name=f", b"GNU.sparse.name=i"))
    casemate.fails("load", "-i", path, status=1, says="sparse")
    assert_nothing_left(casemate)


# Damaged streams

def test_torn_archives(casemate):
    whole = Layer().dir("d").file("d/f", b"x" * 3000).symlink("s", "d").file("last", b"y" * 700).tar()
    end = len(whole.rstrip(b"\0")) // 512 * 512
    for cut in [1, 100, 511, 513, 1024 + 700, end - 513, end - 100, end + 300]:
        raw(casemate, "", whole[:cut])


def test_garbage(casemate):
    raw(casemate, "tar archive", b"garbage" * 200)
    raw(casemate, "checksum", header("f").replace(b"f\0", b"g\0", 1) + END)
    raw(casemate, "zero block", header("f") + b"\0" * 512 + header("g") + END)
    raw(casemate, "type", header("f", b"Z") + END)
    raw(casemate, "", pax(b"path=x"))


def damaged(data, how):
    packed = bytearray(gzip.compress(data, mtime=0))
    if how == "checksum":
        packed[-8] ^= 1
    elif how == "length":
        packed[-1] ^= 1
    elif how == "cut":
        del packed[-20:]
    elif how == "tail":
        packed += b"tail"
    elif how == "method":
        packed[2] = 9
    return bytes(packed)


@pytest.mark.parametrize("how", ["checksum", "length", "cut", "tail", "method"])
def test_damaged_gzip(casemate, how):
    tar = Layer().file("f", os.urandom(100000)).tar()
    path = os.path.join(casemate.base, "damaged.gz")
    with open(path, "wb") as f:
        f.write(damaged(tar, how))
    refused(casemate, "gzip", images.FileLayer(path, "gzip", images.Blob(tar).digest), compression="gzip")


def test_damaged_zstd(casemate):
    tar = Layer().file("f", os.urandom(100000)).tar()
    packed = images.compress(tar, "zstd")
    for data in (packed[:-5], packed[:50000], packed[:50000] + b"\0" + packed[50001:], packed + b"tail"):
        path = os.path.join(casemate.base, "damaged.zst")
        with open(path, "wb") as f:
            f.write(data)
        refused(casemate, "zstd", images.FileLayer(path, "zstd", images.Blob(tar).digest), compression="zstd")


def test_content_that_is_not_what_was_promised(casemate):
    good = Layer().file("f", "good").tar()
    other = os.path.join(casemate.base, "other.tar.gz")
    with open(other, "wb") as f:
        f.write(gzip.compress(good, mtime=0))
    refused(casemate, "not what the image configuration says", images.FileLayer(other, "gzip", "sha256:" + "1" * 64),
            compression="gzip")


# The archive around the layers

def changed_archive(casemate, change, tags=("attack:latest",)):
    image = images.make_image([Layer().file("f", "x")], media=images.DOCKER, compression="none")
    path = os.path.join(casemate.base, "attack.tar")
    images.write_docker_archive(path, image, list(tags), change=change)
    return path


@pytest.mark.parametrize("layer", ["../../../../etc/passwd", "/etc/passwd", "no/such", "", ".", "a\x1bb"])
def test_members_that_are_not_in_the_archive(casemate, canary, layer):
    def change(entries):
        return [(n, json.dumps([{**json.loads(d)[0], "Layers": [layer]}]).encode() if n == "manifest.json" else d)
                for n, d in entries]
    casemate.fails("load", "-i", changed_archive(casemate, change), status=1)
    assert_nothing_left(casemate)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../etc/passwd", "layer.tar", "../manifest.json"])
def test_members_that_are_links(casemate, canary, target):
    """A layer that is a link out of the archive, to itself, or to something else in it."""
    image = images.make_image([Layer().file("f", "x")], media=images.DOCKER, compression="none")
    path = os.path.join(casemate.base, "attack.tar")
    images.write_docker_archive(path, image, ["attack:latest"], change=lambda es: [e for e in es if "layer" not in e[0]])
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("%064x/layer.tar" % 0)
        link.type, link.linkname = tarfile.SYMTYPE, target
        tar.addfile(link)
    casemate.fails("load", "-i", path, status=1)
    assert_nothing_left(casemate)


@pytest.mark.parametrize("tag", ["../../x:latest", "UPPER:latest", "a b:latest", "x:latest\n", "x@sha256:" + "0" * 64, "", "-x:y", "x:" + "t" * 129])
def test_names_that_are_none(casemate, tag):
    casemate.fails("load", "-i", changed_archive(casemate, None, [tag]), status=1)
    assert casemate.run("inspect", "attack:latest").status != 0
