# SPDX-License-Identifier: Apache-2.0
"""Docker, Podman and containerd, as Debian has them, run, enter, limit, pause and end containers through casemate-runtime."""
import os
import shutil
import subprocess
import tempfile

import pytest

from lib import bundle, wait

SLEEP = ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"]
LIMIT = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]

# A v2 tree beside v1 controllers is in the way of Podman: hidden in a mount namespace of its own.
HIDE = "if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; exec \"$@\""


def need(*programs):
    for program in programs:
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            pytest.skip(program + " is not installed")


@pytest.fixture
def runtime(casemate):
    """The runtime as a program of its own: schedulers do not hand on their environment. And the image's files."""
    base = os.path.join(casemate.base, "oci")
    bundle.make_rootfs(os.path.join(base, "rootfs"))
    program = os.path.join(base, "runtime")
    with open(program, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexport CASEMATE_LIBEXEC=%s CASEMATE_ROOT=%s\nexec %s \"$@\"\n" % (
            casemate.installation.libexec, casemate.root, casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")))
    os.chmod(program, 0o755)
    subprocess.run(["tar", "-C", os.path.join(base, "rootfs"), "-cf", os.path.join(base, "image.tar"), "."], check=True)
    return program


def output(words, status=0, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120, **more)
    assert done.returncode == status, "%s: %d: %s%s" % (words, done.returncode, done.stdout[-1000:], done.stderr[-2000:])
    return done.stdout


def life(client, more, image):
    """What the command lines of Docker and Podman have in common."""
    def run(*words, status=0):
        return output([*client, *words], status)
    assert run("run", "--rm", *more, image, "id", "-u") == "0\n"
    assert run("run", "--rm", *more, "-t", image, "tty").strip() == "/dev/pts/0"
    run("run", "--rm", *more, image, "sh", "-c", "exit 9", status=9)
    run("run", "--rm", *more, image, "no-such-program", status=127)
    assert run("run", "--rm", *more, "-u", "5:6", "-w", "/data", "--read-only", "--tmpfs", "/t", image, "sh", "-c",
               "id -u; pwd; touch /t/a && echo made; touch /b 2>&1; true").split("\n")[:3] == ["5", "/data", "made"]
    run("run", "-d", "--name", "box", *more, "-m", "64m", "--pids-limit", "50", image, *SLEEP)
    assert run("exec", "box", "id", "-u") == "0\n"
    assert run("exec", "-t", "box", "tty").strip().startswith("/dev/pts/")
    run("pause", "box")
    assert run("inspect", "-f", "{{.State.Status}}", "box").strip() == "paused"
    run("unpause", "box")
    assert "sleep" in run("top", "box") or "sh" in run("top", "box")
    run("stop", "-t", "10", "box")
    assert run("inspect", "-f", "{{.State.ExitCode}}", "box").strip() == "3"
    run("rm", "box")


@pytest.fixture
def daemon():
    """Starts a daemon and ends it, with all that it has started."""
    started = []

    def start(words, log, ready):
        with open(log, "w", encoding="utf-8") as f:
            p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=f, stderr=f, start_new_session=True)
        started.append(p)
        wait.until(lambda: p.poll() is not None or ready(), what="the daemon answers")
        if p.poll() is not None:
            with open(log, encoding="utf-8") as f:
                pytest.skip("%s does not run here: %s" % (words[0], f.read()[-300:]))
    yield start
    for p in started:
        p.terminate()
        p.wait(30)


def test_docker(runtime, daemon):
    need("dockerd", "containerd", "docker")
    base = os.path.dirname(runtime)
    socket = "unix://" + os.path.join(base, "d.sock")
    docker = [shutil.which("docker", path="/usr/bin:/bin"), "-H", socket]
    daemon(["/usr/sbin/dockerd", "--data-root", os.path.join(base, "docker"), "--exec-root", os.path.join(base, "exec"), "-p", os.path.join(base, "d.pid"),
            "-H", socket, "--iptables=false", "--bridge=none", "--add-runtime", "casemate=" + runtime], os.path.join(base, "dockerd.log"),
           lambda: subprocess.run([*docker, "version"], capture_output=True, check=False).returncode == 0)
    output([*docker, "import", os.path.join(base, "image.tar"), "box"])
    life(docker, ["--runtime", "casemate", "--network", "none"], "box")
    output([*docker, "run", "-d", "--name", "again", "--runtime", "casemate", "--network", "none", "box", *SLEEP])
    output([*docker, "update", "--memory", "96m", "--memory-swap", "96m", "again"])
    output([*docker, "kill", "again"])
    output([*docker, "rm", "again"])


@pytest.fixture
def short():
    """Podman takes no run directory whose name is longer than 50 characters."""
    with tempfile.TemporaryDirectory(prefix="cm", dir="/var/tmp") as directory:
        yield directory


def test_podman(runtime, short):
    need("podman", "conmon")
    base = os.path.dirname(runtime)
    podman = ["unshare", "--mount", "--propagation", "private", "sh", "-c", HIDE, "sh", "podman", "--root", os.path.join(base, "pod"),
              "--runroot", short + "/run", "--tmpdir", short + "/tmp", "--runtime", runtime, "--cgroup-manager", "cgroupfs",
              "--storage-driver", "vfs", "--events-backend", "file"]
    output([*podman, "import", os.path.join(base, "image.tar"), "box"])
    life(podman, [*LIMIT, "--network", "none"], "box")


def test_containerd(runtime, daemon):
    need("containerd", "ctr")
    base = os.path.dirname(runtime)
    config = os.path.join(base, "containerd.toml")
    address = os.path.join(base, "c.sock")
    with open(config, "w", encoding="utf-8") as f:
        f.write('version = 2\nroot = "%s/c"\nstate = "%s/cs"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s"\n' % (base, base, address))
    ctr = ["ctr", "-a", address]
    daemon(["containerd", "-c", config], os.path.join(base, "containerd.log"), lambda: subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode == 0)
    how = ["--runtime", "io.containerd.runc.v2", "--runc-binary", runtime, "--rootfs", os.path.join(base, "rootfs")]
    assert output([*ctr, "run", "--rm", *how, "one", "id", "-u"]) == "0\n"
    output([*ctr, "run", "-d", *how, "two", "sleep", "1000"])
    assert output([*ctr, "task", "exec", "--exec-id", "e", "two", "id", "-u"]) == "0\n"
    output([*ctr, "task", "pause", "two"])
    assert "PAUSED" in output([*ctr, "task", "ls"])
    output([*ctr, "task", "resume", "two"])
    assert "memory" in output([*ctr, "task", "metrics", "two"])
    output([*ctr, "task", "kill", "-s", "KILL", "two"])
    wait.until(lambda: "STOPPED" in output([*ctr, "task", "ls"]), what="the task ends")
    subprocess.run([*ctr, "task", "rm", "two"], capture_output=True, check=False)
    output([*ctr, "container", "rm", "two"])
