# SPDX-License-Identifier: Apache-2.0
"""The tools of `hello`, on which tests in the image casemate/hello rely, and the image itself."""
import fcntl
import hashlib
import io
import json
import os
import pty
import shutil
import resource
import signal
import struct
import subprocess
import tarfile
import termios

import pytest

from lib import casemate as casemate_module

HELLO = os.path.join(casemate_module.BUILD, "src/hello/hello")
IMAGE = os.path.join(casemate_module.BUILD, "src/hello/hello.tar")


def run(*words, **how):
    return subprocess.run([HELLO, *words], capture_output=True, text=True, timeout=60, **how)


@pytest.fixture
def base():
    made = casemate_module.make_base()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_processes_and_identity():
    assert run("true").returncode == 0 and run("exit", "7").returncode == 7 and run("exit", "256").returncode == 2
    assert run("sleep", "0").returncode == 0 and run("sleep", "x").returncode == 2
    assert run("echo", "a", "b  c").stdout == "a b  c\n"
    assert run("env", env={"A": "1", "B": "x y"}).stdout == "A=1\nB=x y\n"
    assert run("id", user=12, group=34, extra_groups=[34, 56]).stdout == "uid=12 euid=12 gid=34 egid=34 groups=34,56\n"
    done = run("nonsense")
    assert done.returncode == 2 and "no verb nonsense" in done.stderr


def test_files(base):
    path = base + "/file"
    assert run("write", path, "text").returncode == 0
    assert run("cat", path, path).stdout == "text\ntext\n" and run("cat", input="in").stdout == "in"
    os.chown(path, 12, 34)
    os.chmod(path, 0o4711)
    os.symlink("x", base + "/link")
    assert run("stat", path).stdout == "%s file 4711 12:34 5\n" % path
    assert " link 0777 0:0 1\n" in run("stat", base + "/link").stdout
    assert run("ls", base).stdout == "file\nlink\n"
    done = run("cat", base + "/none")
    assert done.returncode == 1 and done.stderr == "hello: cat: %s/none: No such file or directory\n" % base
    assert run("write", base + "/no/file", "x").returncode == 1


def test_load():
    assert run("hog-memory", "8").stdout == "took 8 MiB\n"
    limited = run("hog-memory", "4096", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20)))
    assert limited.returncode == 1 and limited.stdout.startswith("took ")
    few = run("hog-files", "100", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 40)))
    assert few.stdout.startswith("opened 37 of 100: ")
    assert run("forkbomb", "5").stdout == "started 5 of 5\n"
    assert run("spin", "1").stdout.endswith("% of one processor\n")


def test_forkbomb_says_how_many_started():
    done = run("forkbomb", "40", user=61234, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10, 10)))
    assert done.stdout == "started 9 of 40: Resource temporarily unavailable\n"


@pytest.mark.parametrize("words, ends", [(["signals"], True), (["signals", "--ignore"], False)])
def test_signals(words, ends):
    with subprocess.Popen([HELLO, *words], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "ready\n"
        for number, name in ((signal.SIGHUP, "HUP"), (signal.SIGUSR1, "USR1"), (signal.SIGTERM, "TERM")):
            p.send_signal(number)
            assert p.stdout.readline() == name + "\n"
        if not ends:
            assert p.poll() is None
            p.kill()
        assert p.wait(10) == (0 if ends else -signal.SIGKILL)


def test_tty():
    done = run("tty", stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "no terminal\n")
    master, terminal = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    with subprocess.Popen([HELLO, "tty", "--watch"], stdin=terminal, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "terminal 33 rows 101 columns\n"
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        p.send_signal(signal.SIGWINCH)
        assert p.stdout.readline() == "terminal 40 rows 80 columns\n"
        p.send_signal(signal.SIGTERM)
        assert p.wait(10) == 0
    os.close(master)
    os.close(terminal)


def blob(archive, digest):
    data = archive.extractfile("blobs/sha256/" + digest.partition(":")[2]).read()
    assert "sha256:" + hashlib.sha256(data).hexdigest() == digest
    return data


def test_image_is_a_proper_oci_archive():
    with tarfile.open(IMAGE) as archive:
        assert json.load(archive.extractfile("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        entry = json.load(archive.extractfile("index.json"))["manifests"][0]
        assert entry["annotations"]["org.opencontainers.image.ref.name"] == "casemate/hello:latest"
        data = blob(archive, entry["digest"])
        assert len(data) == entry["size"]
        manifest = json.loads(data)
        config = json.loads(blob(archive, manifest["config"]["digest"]))
        layer = blob(archive, manifest["layers"][0]["digest"])
        assert len(layer) == manifest["layers"][0]["size"] and len(manifest["layers"]) == 1
        assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
        assert config["config"]["Entrypoint"] == ["/hello"] and config["os"] == "linux"
        docker = json.load(archive.extractfile("manifest.json"))[0]
        assert docker["Layers"] == ["blobs/sha256/" + config["rootfs"]["diff_ids"][0][7:]]
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert sorted(m.name for m in files) == ["dev", "etc", "hello", "proc", "sys", "tmp"]
        assert all(m.uid == m.gid == m.mtime == 0 for m in files)
        assert files.extractfile("hello").read() == open(HELLO, "rb").read()
        assert files.getmember("hello").mode == 0o755 and files.getmember("tmp").mode == 0o1777
    assert os.path.getsize(IMAGE) < 1 << 20


def test_image_depends_on_the_program_only(base):
    tool = os.path.join(casemate_module.REPOSITORY, "tools/pack-hello")
    made = []
    for name, mask in (("a", 0o022), ("b", 0o077)):
        subprocess.run([tool, HELLO, "amd64", "1", base + "/" + name], check=True, umask=mask)
        made.append(open(base + "/" + name, "rb").read())
    assert made[0] == made[1]
