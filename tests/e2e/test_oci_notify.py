# SPDX-License-Identifier: Apache-2.0
"""casemate-runtime under a service manager that waits until the service is ready (sd_notify(3)): a socket of the container's own, READY and MAINPID; and the same under runc."""
import os
import shutil
import socket
import subprocess

import pytest

from lib import bundle, host, wait
from lib.bundle import BOX
from lib.casemate import BUILD

SAY = os.path.join(BUILD, "tests/tools/say")
# What a container may say, and what no manager shall hear from it.
LIFE = "say STATUS=begins; say MAINPID=1; say 'STOPPING=1\nSTATUS=x'; say 'STATUS=y\nREADY=1'; trap 'exit 7' TERM; while :; do sleep 0.05; done"


class Manager:
    """A service manager's socket, by path or by a name of the kernel's."""

    def __init__(self, address):
        self.address, self.socket = address, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(address.replace("@", "\0"))
        self.socket.settimeout(20)

    def hear(self):
        """(lines, process that has sent them)."""
        text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
        return text.decode().split(), int.from_bytes(control[0][2][:4], "little")

    def silent(self):
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(20)


@pytest.fixture(params=["path", "name"])
def manager(request, casemate):
    made = Manager(os.path.join(casemate.base, "manager") if request.param == "path" else "@casemate-" + BOX)
    yield made
    made.socket.close()


@pytest.fixture
def oci(casemate, manager):
    base = os.path.join(casemate.base, "oci")
    bundle.make_rootfs(base + "/bundle/rootfs")
    shutil.copy(SAY, base + "/bundle/rootfs/bin/say")
    program = casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")
    runtime = bundle.Runtime([program], base, dict(casemate.env, NOTIFY_SOCKET=manager.address))
    yield runtime
    runtime.clean()
    assert not os.path.isdir(runtime.root) or not os.listdir(runtime.root)


def saying(script=LIFE, user=1000, env=("NOTIFY_SOCKET=/of/the/configuration",)):
    def change(c):
        c["process"]["user"] = {"uid": user, "gid": user}
        c["process"]["env"] += env
    document = bundle.config(change)
    document["process"]["args"] = ["sh", "-c", script]
    return document


def test_start_waits_until_the_container_is_ready(oci, manager):
    status, error = oci.create(saying())
    assert status == 0, error
    assert manager.silent(), "nothing runs yet"
    oci.ok("start", BOX)
    pid = oci.state()["pid"]
    assert manager.hear()[0] == ["READY=1", "MAINPID=%d" % pid]
    assert manager.silent()
    assert oci.ok("exec", BOX, "sh", "-c", "echo $NOTIFY_SOCKET") == "/run/notify/notify.sock\n"
    assert "Read-only" in oci.call("exec", BOX, "touch", "/run/notify/x").stderr
    oci.ok("delete", "--force", BOX)


def test_a_container_that_says_nothing_ends_the_wait(oci, manager):
    status, error = oci.create(saying("say STATUS=no; exit 3"))
    assert status == 0, error
    oci.ok("start", BOX)
    assert manager.silent() and oci.state()["status"] == "stopped"


def test_others_may_use_the_container_meanwhile(oci, manager):
    status, error = oci.create(saying("until [ -e /tmp/go ]; do sleep 0.02; done; " + LIFE))
    assert status == 0, error
    with subprocess.Popen([*oci.words, "--root", oci.root, "start", BOX], env=oci.env, stdin=subprocess.DEVNULL) as waiting:
        wait.until(lambda: oci.state()["status"] == "running", what="the container runs")
        assert "already running" in oci.call("start", BOX).stderr
        assert waiting.poll() is None
        oci.ok("exec", BOX, "touch", "/tmp/go")
        assert waiting.wait(20) == 0
    assert manager.hear()[0][0] == "READY=1"


def test_run_stays_and_is_the_main_process(oci, manager):
    oci.write(saying(LIFE.replace("while :; do sleep 0.05; done", "sleep 0.2; say STATUS=later 2>/dev/null; exit 5"), 0))
    with subprocess.Popen([*oci.words, "--root", oci.root, "run", BOX], cwd=oci.bundle, env=oci.env, stdin=subprocess.DEVNULL) as running:
        assert manager.hear() == (["READY=1"], running.pid), "NotifyAccess=main: from the process that the manager has started"
        assert running.wait(20) == 5
    assert manager.silent()


def test_run_detached_hands_the_main_process_over(oci, manager):
    oci.write(saying())
    oci.made.add(BOX)
    subprocess.run([*oci.words, "--root", oci.root, "run", "--detach", BOX], cwd=oci.bundle, env=oci.env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=20)
    assert manager.hear()[0] == ["READY=1", "MAINPID=%d" % oci.state()["pid"]]


def test_runc_says_the_same(oci, manager):
    if not shutil.which("runc"):
        pytest.skip("runc is not installed")
    said = []
    # runc 1.1.5 sees READY=1 at the beginning of a message only, and with two variables of the name its container takes the wrong one.
    document = saying("say STATUS=begins; say READY=1; sleep 1000", user=0, env=())
    for runtime in (oci, bundle.Runtime([shutil.which("runc")], oci.base, oci.env)):
        status, error = runtime.create(document)
        assert status == 0, error
        runtime.ok("start", BOX, timeout=20)
        pid = runtime.state()["pid"]
        lines = []
        while len(lines) < 2:
            lines += manager.hear()[0]
        said.append([line.replace(str(pid), "PID") for line in lines])
        runtime.ok("delete", "--force", BOX)
    assert said[0] == said[1] == ["READY=1", "MAINPID=PID"]


def test_errors_name_the_variable(oci, manager):
    for address, says in (("vsock:2:1", "neither a path nor @ and a name"), ("/" + "x" * 200, "NOTIFY_SOCKET=/xxx")):
        oci.env["NOTIFY_SOCKET"] = address
        status, error = oci.create(saying())
        assert status == 1 and says in error and error.count("\n") == 1, error
    oci.env["NOTIFY_SOCKET"] = manager.address
    status, error = oci.create(saying())
    assert status == 0, error
    manager.socket.close()
    done = oci.call("start", BOX)
    assert done.returncode == 1 and "NOTIFY_SOCKET=" in done.stderr and "Connection refused" in done.stderr, done.stderr
    assert oci.state()["status"] == "created", "it may be started again"
    assert host.read(os.path.join(oci.root, BOX, "config.json"))
