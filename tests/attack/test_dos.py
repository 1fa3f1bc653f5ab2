# SPDX-License-Identifier: Apache-2.0
"""ATTACKS.md, group dos: what a container can use up, with a neighbour that goes on and a host that does not notice. What
it costs the neighbour is measured by tests/perf, as a ratio."""
import json
import os
import tarfile
import time

import pytest

from lib import host, wait

HELLO = "casemate/hello"
MIB = 1 << 20


@pytest.fixture
def neighbour(casemate, busybox):
    """A container beside the hostile one, which must be as well afterwards as before."""
    casemate.ok("run", "-d", "--name", "neighbour", busybox, "sleep", "1000")
    pid = casemate.pid("neighbour")
    before = len(host.pids())
    yield casemate
    assert casemate.pid("neighbour") == pid
    assert casemate.ok("exec", "neighbour", "echo", "well") == "well\n"
    others = [name for name in casemate.ok("ps", "-a", "--format", "{{.Names}}").split() if name != "neighbour"]
    if others:
        casemate.ok("rm", "-f", *others)
    wait.until(lambda: len(host.pids()) <= before + 20, what="the processes of the hostile container have gone")


def figure(pid, controller, v1, v2):
    return int(host.cgroup_file(pid, controller, v1, v2).split()[0])


def used(pid):
    return figure(pid, "memory", "memory.usage_in_bytes", "memory.current")


def size_of(path):
    return sum(os.lstat(os.path.join(where, name)).st_blocks * 512 for where, _, names in os.walk(path) for name in names)


def directory(casemate, name):
    return casemate.root + "/containers/" + json.loads(casemate.ok("inspect", name))[0]["Id"]


def resident(pid):
    return int(host.status_field(pid, "VmRSS").split()[0]) << 10


def test_gen_forkbomb(neighbour, busybox):
    """GEN-forkbomb: a shell's own, which starts what it can again and again."""
    neighbour.ok("run", "-d", "--name", "bomb", "--pids-limit", "100", busybox, "sh", "-c", "f() { f | f & }; f; exec sleep 1000")
    pid = neighbour.pid("bomb")
    wait.until(lambda: figure(pid, "pids", "pids.current", "pids.current") > 50, what="the bomb is at work")
    for _ in range(20):
        assert figure(pid, "pids", "pids.current", "pids.current") <= 100
        time.sleep(0.02)
    assert neighbour.ok("exec", "neighbour", "echo", "well") == "well\n"
    begun = time.monotonic()
    neighbour.ok("rm", "-f", "bomb")
    assert time.monotonic() - begun < wait.seconds(20)


def test_gen_mem(neighbour, busybox):
    """GEN-mem: who takes more than the limit ends; the counter of the neighbour's group stands."""
    assert neighbour.run("run", "--name", "hog", "--memory", "64m", HELLO, "hog-memory", "8192").status == 137
    text = host.cgroup_file(neighbour.pid("neighbour"), "memory", "memory.oom_control", "memory.events")
    assert "oom_kill 0" in text


def test_gen_fd(neighbour):
    """GEN-fd: no process gets more than its hard limit, and what the kernel keeps for them counts as memory of the container."""
    out = neighbour.ok("run", "--rm", "--ulimit", "nofile=100:200", HELLO, "hog-files", "100000")
    assert out.startswith("opened 197 of 100000: ")
    neighbour.ok("run", "-d", "--name", "hog", "--memory", "512m", HELLO, "hog-files", "100000", "hold")
    wait.until(lambda: "opened" in neighbour.ok("logs", "hog"), what="the files are open")
    opened = int(neighbour.ok("logs", "hog").split()[1])
    if opened == 100000:  # 200 bytes and more for each
        assert used(neighbour.pid("hog")) > 100000 * 100
    with open("/dev/null", "rb"):
        pass


@pytest.mark.parametrize("where, most", [("/dev/shm", 64), ("/dev", 64), ("/tmp", 32), ("/dev/mqueue", 1)])
def test_gen_disk_memory_file_systems(neighbour, busybox, where, most):
    """GEN-tmpfs: each is capped, and charged to the container."""
    script = "dd if=/dev/zero of=%s/fill bs=1M count=300 2>/dev/null; stat -c %%s %s/fill 2>/dev/null || echo 0" % (where, where)
    flags = ("--tmpfs", "/tmp:size=32m") if where == "/tmp" else ()
    out = neighbour.ok("run", "--rm", "--memory", "256m", *flags, busybox, "sh", "-c", script)
    assert int(out.split()[-1]) <= most * MIB
    # Charged: with less memory than the file system may have, who writes ends before it is full.
    out = neighbour.ok("run", "--rm", "--memory", "16m", *flags, busybox, "sh", "-c", script)
    assert int(out.split()[-1]) < 16 * MIB


def test_gen_disk_files_without_content(neighbour, busybox):
    """GEN-tmpfs: a hundred thousand empty files: the kernel's memory for them is the container's."""
    script = "i=0; while [ $i -lt 100000 ]; do : > /dev/shm/$i || exit 3; i=$((i+1)); done; exit 4"
    assert neighbour.run("run", "--rm", "--memory", "24m", busybox, "sh", "-c", script, timeout=120).status in (137, 3)


def test_gen_log(neighbour, busybox):
    """GEN-log: 200 MiB of output leave no more than the cap on the disk, and the shim stays small."""
    neighbour.ok("run", "-d", "--name", "flood", busybox, "sh", "-c",
                 "dd if=/dev/zero bs=64k count=3200 2>/dev/null | tr '\\000' 'x' | fold -w 200; echo; echo done; exec sleep 1000")
    shim = int(host.status_field(neighbour.pid("flood"), "PPid"))
    logs = directory(neighbour, "flood") + "/shim/log"
    most = 0

    def ended():
        nonlocal most
        most = max(most, size_of(logs))
        return "done" in neighbour.ok("logs", "--tail", "1", "flood")
    wait.until(ended, limit=90, what="all output is logged")
    assert most <= 3 * 10 * MIB + 4 * MIB
    assert resident(shim) < 64 * MIB


def test_cve_2022_1708_exec_and_resize_floods(neighbour, busybox):
    """CVE-2022-1708: output of exec that nobody reads presses back; 100,000 sizes of a terminal are one size."""
    neighbour.ok("run", "-d", "--name", "web", busybox, "sleep", "1000")
    floods = [neighbour.popen("exec", "web", "yes", "x" * 1000) for _ in range(3)]
    terminal = neighbour.pty("exec", "-it", "web", "sh", "-c", "echo up; sleep 1000")
    try:
        terminal.expect("up")
        for number in range(100000):
            terminal.resize(10 + number % 50, 20 + number % 100)
        for pid in [f.pid for f in floods] + [terminal.pid, int(host.status_field(neighbour.pid("web"), "PPid"))]:
            assert resident(pid) < 64 * MIB
        assert neighbour.ok("exec", "web", "echo", "alive") == "alive\n"
    finally:
        for flood in floods:
            flood.kill()
            flood.communicate()
        neighbour.ok("kill", "web")
        terminal.wait()


@pytest.mark.parametrize("name", ["passwd", "group"])
def test_cve_2026_47262_a_user_file_of_four_gibibytes(neighbour, busybox, name):
    """CVE-2026-47262, CVE-2025-4437: sparse, made in the container; exec and start do not read it into memory."""
    neighbour.ok("run", "-d", "--name", "web", busybox, "sh", "-c",
                 "mkdir -p /etc; truncate -s 4G /etc/%s && echo made; exec sleep 1000" % name)
    wait.until(lambda: "made" in neighbour.ok("logs", "web"), what="the file is there")
    begun = time.monotonic()
    process = neighbour.popen("exec", "-u", "somebody:staff", "web", "/bin/true")
    most = 0
    while process.poll() is None:
        most = max(most, resident(process.pid) if host.status_field(process.pid, "VmRSS") else 0)
        time.sleep(0.005)
    process.communicate()
    assert process.returncode != 0
    assert time.monotonic() - begun < wait.seconds(5)
    assert most < 64 * MIB
    begun = time.monotonic()
    neighbour.run("exec", "web", "/bin/true")  # by number: whatever it says, it says it soon
    neighbour.ok("stop", "-t", "0", "web")
    neighbour.run("start", "web")
    assert time.monotonic() - begun < wait.seconds(10)


def family(pid):
    """A process and what it has started, as they are now."""
    found, parents = [pid], {}
    for other in host.pids():
        parents.setdefault(host.status_field(other, "PPid"), []).append(other)
    for one in found:
        found += parents.get(str(one), [])
    return found


@pytest.mark.parametrize("name", ["index.json", "manifest.json", "oci-layout", "blobs/sha256/" + "0" * 64])
def test_cve_2023_25153_an_archive_with_a_document_of_four_gibibytes(neighbour, tmp_path, name):
    """Sparse: refused, before it is in the memory of anything."""
    size, path = 4 << 30, str(tmp_path / "huge.tar")
    with open(path, "wb") as f:
        def add(member, data=None):
            info = tarfile.TarInfo(member)
            info.size = size if data is None else len(data)
            f.write(info.tobuf(tarfile.GNU_FORMAT))
            if data is None:
                f.seek(size, os.SEEK_CUR)
            else:
                f.write(data + bytes(-len(data) % 512))
        if name.startswith("blobs"):
            add("index.json", json.dumps({"schemaVersion": 2, "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": size}]}).encode())
            add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add(name)
        f.write(bytes(1024))
    process, most = neighbour.popen("load", "-i", path), 0
    while process.poll() is None:
        for pid in family(process.pid):
            most = max(most, resident(pid) if host.status_field(pid, "VmRSS") else 0)
        time.sleep(0.005)
    _, err = process.communicate()
    assert process.returncode == 1 and len(err.decode().strip().splitlines()) == 1, err
    assert 0 < most < 64 * MIB, most
    assert not [entry for entry in os.listdir(neighbour.root + "/staging")]
