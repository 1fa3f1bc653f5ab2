# SPDX-License-Identifier: Apache-2.0
"""ATTACKS, group cp: containers that change their files while these are copied, archives that climb out, images with libraries that wait
to be loaded. The host's files are neither written nor shown."""
import io
import os
import subprocess
import tarfile
import time

import pytest

from lib import host, images
from lib.casemate import BUILD
from lib.images import Layer

FLIP = os.path.join(BUILD, "tests/tools/flip")
ROUNDS = 10000
COPIES = 60


@pytest.fixture
def flipping(casemate, canary, tmp_path):
    """A container in which /x is, by turns, a directory and a link to where the canary is on the host; also /etc inside it."""
    with open(FLIP, "rb") as f:
        layer = Layer().file("bin/flip", f.read(), mode=0o755).dir("real").file("real/file", "inside\n").dir("real/etc").file(
            "real/etc/passwd", "inside\n").symlink("away", canary.path).symlink("up", "../../../../../../../.." + canary.path)
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "flip:1")
    casemate.ok("run", "-d", "--name", "box", "flip:1", "sh", "-c",
                "cp -r /real /x; cp -d /away /y; while :; do flip /x /y 2000 >> /tmp/rounds; done")
    return casemate


def rounds(casemate):
    text = casemate.ok("exec", "box", "cat", "/tmp/rounds")
    return sum(int(line.split()[1]) for line in text.splitlines())


def copy_until(casemate, once):
    """Calls `once` COPIES times and more, until the container has flipped ROUNDS times."""
    done, end = 0, time.monotonic() + 120
    while done < COPIES or rounds(casemate) < ROUNDS:
        once(done)
        done += 1
        assert time.monotonic() < end
    return done


def came_out(canary, target):
    """Files of the copy that hold what only the host has. A link that was copied as a link is no content."""
    files = [] if os.path.islink(target) else [os.path.join(where, name) for where, _, names in os.walk(target) for name in names]
    return [path for path in files if not os.path.islink(path) and canary.word in host.read(path)]


def test_cve_2018_15664_out(flipping, canary, tmp_path):
    """docker cp resolved a path and used it later: what was a directory had become a link, followed on the host."""
    seen = set()

    def once(i):
        got = flipping.run("cp", "box:/x/file", "-", text=False)
        assert canary.word.encode() not in got.out
        seen.add(got.status)
        target = tmp_path / ("out%d" % i)
        flipping.run("cp", "-L", "box:/x", target)
        assert not came_out(canary, target), "content of the host came out"

    copy_until(flipping, once)
    assert seen == {0, 1}, "the race was not met: both turns must be seen"


def test_cve_2018_15664_in(flipping, canary, tmp_path):
    (tmp_path / "src" / "etc").mkdir(parents=True)
    (tmp_path / "src" / "file").write_text("from the host\n")
    (tmp_path / "src" / "etc" / "passwd").write_text("evil::0:0::/:/bin/sh\n")
    statuses = set()

    def once(i):
        statuses.add(flipping.run("cp", str(tmp_path / "src") + "/.", "box:/x").status)
        flipping.run("cp", tmp_path / "src" / "file", "box:/x/dir/program")

    copy_until(flipping, once)
    assert 0 in statuses
    canary.check()


def test_cve_2023_0778_parents_flip_below_the_copied_tree(casemate, canary, tmp_path):
    """As with volume export: a directory deep in the tree becomes a link while the tree is walked."""
    with open(FLIP, "rb") as f:
        layer = Layer().file("bin/flip", f.read(), mode=0o755).dir("tree").symlink("tree/m", canary.path).dir("tree/n")
    for i in range(40):
        layer.file("tree/n/f%02d" % i, "inside\n")
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "flip:2")
    casemate.ok("run", "-d", "--name", "box", "-v", "vol:/vol", "flip:2", "sh", "-c",
                "cp -a /tree /vol/; while :; do flip /vol/tree/m /vol/tree/n 2000 >> /tmp/rounds; done")

    def once(i):
        got = casemate.run("cp", "box:/vol/tree", "-", text=False)
        assert canary.word.encode() not in got.out
        got = casemate.run("export", "box", text=False) if i < 5 else got
        assert canary.word.encode() not in got.out

    copy_until(casemate, once)


def test_cve_2026_41568_mount_points_flip(casemate, canary, tmp_path):
    """A volume's mount point is put in place during a copy to a stopped container: its parent is a link to the host's files."""
    layer = Layer().symlink("mnt", canary.path).symlink("var/data", "../../../../../.." + canary.path)
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "links:1")
    (tmp_path / "f").write_text("from the host\n")
    casemate.ok("create", "--name", "box", "-v", "a:/mnt/dir", "-v", "b:/var/data", "links:1", "true")
    table = host.mounts()
    casemate.run("cp", tmp_path / "f", "box:/mnt/dir/f")
    casemate.run("cp", tmp_path / "f", "box:/var/data/f")
    casemate.run("cp", "box:/mnt", tmp_path / "out")
    assert host.mounts() == table
    canary.check()
    assert not came_out(canary, tmp_path / "out")


def test_cve_2019_14271_no_library_of_the_container_is_loaded(casemate, tmp_path):
    """docker-tar called getpwuid in the container's root, which loaded its libnss. Here: a library that would leave a mark, under every
    name that a C library could ask for, for owners that no file knows."""
    source = tmp_path / "evil.c"
    source.write_text("#include <fcntl.h>\n__attribute__((constructor)) static void mark(void) { open(\"/tmp/loaded\", O_CREAT | O_WRONLY, 0666); }\n")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "evil.so", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    evil = (tmp_path / "evil.so").read_bytes()
    layer = Layer().dir("lib").dir("lib64").dir("usr/lib")
    for name in ("libnss_files.so.2", "libnss_compat.so.2", "libnss_dns.so.2", "libnss_systemd.so.2", "libc.so.6", "libgcc_s.so.1",
                 "libisal.so.2", "libzstd.so.1", "ld-linux-x86-64.so.2"):
        for where in ("lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
            layer.file("%s/%s" % (where, name), evil, mode=0o755)
    layer.file("etc/nsswitch.conf", "passwd: files evil\ngroup: files evil\n").file("etc/ld.so.preload", "/lib/libnss_files.so.2\n")
    casemate.load(images.busybox_image([layer], media=images.DOCKER), "evil:1")
    casemate.ok("run", "-d", "--name", "box", "evil:1", "sleep", "1000")
    (tmp_path / "f").write_text("x")
    os.chown(tmp_path / "f", 4321, 4321)
    for words in (("cp", "-a", tmp_path / "f", "box:/tmp/f"), ("cp", "-a", "box:/etc", tmp_path / "etc"), ("export", "-o", tmp_path / "e.tar", "box"),
                  ("diff", "box")):
        casemate.ok(*words)
    assert casemate.ok("exec", "box", "ls", "/tmp") == "f\n"
    assert not os.path.exists("/tmp/loaded")


def test_workers_of_a_copy_have_nothing_to_lose(casemate, busybox, tmp_path):
    """While a copy stands still: ids, capabilities, filter and namespaces of both workers."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sleep", "1000")
    casemate.ok("exec", "box", "sh", "-c", "head -c 30000000 /dev/zero > /tmp/big")
    pipe = os.pipe()
    process = casemate.popen("cp", "box:/tmp/big", "-", stdout=pipe[1])
    os.close(pipe[1])
    try:
        os.read(pipe[0], 65536)
        found = [p for p in host.pids() if os.path.basename(host.exe(p)) == "casemate-files" and host.exe(p).startswith(casemate.installation.libexec)]
        assert len(found) == 1
        worker, first = found[0], casemate.pid("box")
        assert host.status_field(worker, "Uid").split() == host.status_field(first, "Uid").split() != ["0"] * 4
        assert int(host.status_field(worker, "CapEff"), 16) == 1 << 2 and host.status_field(worker, "CapBnd").strip("0 ") == ""
        assert host.status_field(worker, "Seccomp") == "2" and host.status_field(worker, "NoNewPrivs") == "1"
        for kind in ("user", "mnt"):
            assert os.readlink("/proc/%d/ns/%s" % (worker, kind)) == os.readlink("/proc/%d/ns/%s" % (first, kind))
        assert os.readlink("/proc/%d/ns/net" % worker) != os.readlink("/proc/self/ns/net")
    finally:
        os.close(pipe[0])
        process.communicate()


def archive(*entries):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as t:
        for info, content in entries:
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    return data.getvalue()


def entry(name, type=tarfile.REGTYPE, link="", mode=0o644, **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = type, link, mode
    for key, value in more.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize("name", ["../climbed", "a/../../climbed", "/../climbed", "x/.."])
def test_gen_tar_traversal(casemate, busybox, name):
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "mkdir /tmp/in; exec sleep 1000")
    casemate.fails("cp", "-", "box:/tmp/in", input=archive((entry(name), b"x")), says=r"has '\.\.' in it")
    assert casemate.ok("diff", "box").split() == ["C", "/tmp", "A", "/tmp/in"]


def test_gen_tar_symlink_write(casemate, busybox):
    """A link, then a file through it; a hard link to what the archive has not; both end in an error and touch nothing."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "mkdir /tmp/in; exec sleep 1000")
    casemate.ok("exec", "box", "true")
    through = archive((entry("l", tarfile.SYMTYPE, "/etc"), b""), (entry("l/passwd"), b"evil::0:0::/:/bin/sh\n"))
    casemate.fails("cp", "-", "box:/tmp/in", input=through, says="cannot overwrite non-directory")
    linked = archive((entry("s", tarfile.SYMTYPE, "/etc/passwd"), b""), (entry("h", tarfile.LNKTYPE, "s"), b""))
    casemate.fails("cp", "-", "box:/tmp/in", input=linked, says="hard link")
    casemate.fails("cp", "-", "box:/tmp/in", input=archive((entry("h", tarfile.LNKTYPE, "etc/passwd"), b"")), says="hard link")
    replaced = archive((entry("p", tarfile.SYMTYPE, "/etc/passwd"), b""), (entry("p"), b"a file now\n"))
    casemate.ok("cp", "-", "box:/tmp/in", input=replaced)
    assert "evil" not in casemate.ok("exec", "box", "cat", "/etc/passwd")
    assert casemate.ok("exec", "box", "cat", "/tmp/in/p") == "a file now\n"


def test_gen_tar_devices_and_set_id_bits(casemate, busybox, tmp_path):
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "mkdir /tmp/in; exec sleep 1000")
    data = archive((entry("disk", tarfile.BLKTYPE, mode=0o666, devmajor=8, devminor=0), b""), (entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
                   (entry("su", mode=0o6755), b"\177ELF"), (entry("who", uid=70000, gid=4294967295), b"w"))
    result = casemate.run("cp", "-a", "-", "box:/tmp/in", input=data)
    assert result.status == 0 and "2 device nodes and sockets were not copied" in result.err
    assert casemate.ok("exec", "box", "sh", "-c", "cd /tmp/in; stat -c '%n %u:%g %a' *") == "su 0:0 6755\nwho 65534:65534 644\n"
    casemate.ok("cp", "-a", "box:/tmp/in", tmp_path / "out")
    assert oct((tmp_path / "out" / "su").stat().st_mode & 0o7777) == "0o755"


def test_a_container_s_links_do_not_lead_the_host_side_astray(casemate, busybox, canary, tmp_path):
    """Links that the copy itself has brought are not followed by the next one."""
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c",
                "mkdir -p /one/d /two/d/dir; ln -s %s /one/d/x; mkdir /two/d/x; echo evil > /two/d/x/file; exec sleep 1000" % canary.path)
    casemate.ok("exec", "box", "sh", "-c", "until [ -f /two/d/x/file ]; do :; done")
    casemate.ok("cp", "box:/one/d", tmp_path / "d")
    casemate.fails("cp", "box:/two/d/.", tmp_path / "d", says="cannot overwrite non-directory")
    canary.check()
