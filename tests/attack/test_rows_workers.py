# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 11, row 85: whatever parses foreign bytes has nothing to lose, and its death is not the engine's."""
import os
import signal
import threading

import pytest

from lib import host, images, wait
from lib.images import Layer

PLAIN = "--tls-verify=false"
FIRST_ID, LAST_ID = 1879048192, 2147418111
CHOWN_AND_FILES = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4  # CHOWN, DAC_OVERRIDE, FOWNER, FSETID
PROGRAMS = ("casemate-fetch", "casemate-parse", "casemate-unpack")


def workers(casemate):
    """Program -> pid, of those that run from this installation."""
    found = {}
    for pid in host.pids():
        program = host.exe(pid)
        if os.path.basename(program) in PROGRAMS and program.startswith(casemate.installation.libexec):
            found[os.path.basename(program)] = pid
    return found


@pytest.fixture
def stalled(casemate, lying_registry):
    """A pull whose layer stops in the middle: (process, workers)."""
    image = images.make_image([images.RawLayer(Layer().file("f", os.urandom(3 << 20)).tar())], {"Cmd": ["/f"]}, compression="none")
    name = lying_registry.put(image, "x/y:1")
    digest, go_on = image.layers[0].digest, threading.Event()
    body = lying_registry.blobs[digest]

    def stops(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:1 << 20])
        handler.wfile.flush()
        go_on.wait(wait.seconds(60))
        handler.close_connection = True

    lying_registry.hooks["/v2/x/y/blobs/" + digest] = stops
    process = casemate.popen("pull", "-q", PLAIN, name)
    wait.until(lambda: {"casemate-fetch", "casemate-unpack"} <= set(workers(casemate)), what="the workers run")
    found = wait.until(lambda: all(host.status_field(pid, "Seccomp") == "2" for pid in workers(casemate).values())
                       and workers(casemate), what="the workers are confined")
    yield process, found
    go_on.set()
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.row(85)
def test_row_85_workers_have_no_privileges(stalled):
    for program, pid in stalled[1].items():
        uids = {int(uid) for uid in host.status_field(pid, "Uid").split()}
        gids = {int(gid) for gid in host.status_field(pid, "Gid").split()}
        assert len(uids) == len(gids) == 1 and all(FIRST_ID <= n <= LAST_ID for n in uids | gids), program
        assert host.status_field(pid, "Groups").split() == [], program
        own_ids = os.readlink("/proc/%d/ns/user" % pid) != os.readlink("/proc/self/ns/user")
        assert own_ids == (program == "casemate-unpack"), program
        held = 0 if not own_ids else CHOWN_AND_FILES  # what tar needs, over ids of its own namespace only
        for line in ("CapPrm", "CapEff"):
            assert int(host.status_field(pid, line), 16) & ~held == 0, (program, line)
        assert int(host.status_field(pid, "CapInh"), 16) == int(host.status_field(pid, "CapAmb"), 16) == 0, program
        assert host.status_field(pid, "NoNewPrivs") == "1" and host.status_field(pid, "Seccomp") == "2", program
        own_network = os.readlink("/proc/%d/ns/net" % pid) != os.readlink("/proc/self/ns/net")
        assert own_network == (program != "casemate-fetch"), program


@pytest.mark.row(85)
def test_row_85_workers_hold_no_file_of_the_host(casemate, stalled):
    """Descriptors: the socket to the engine, pipes, memory files, and below the data root one staging directory."""
    for program, pid in stalled[1].items():
        for name in os.listdir("/proc/%d/fd" % pid):
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
            fine = target.startswith(("socket:", "pipe:", "/memfd:", "anon_inode:")) or target == "/dev/null"
            staging = program == "casemate-unpack" and (target == "/" or target.startswith(os.path.join(casemate.root, "staging")))
            assert fine or staging, (program, name, target)


@pytest.mark.row(85)
@pytest.mark.parametrize("program", ["casemate-fetch", "casemate-unpack"])
def test_row_85_a_killed_worker_is_one_line_and_nothing_else(casemate, stalled, program, busybox):
    process, found = stalled
    os.kill(found[program], signal.SIGKILL)
    _, err = process.communicate(timeout=wait.seconds(30))
    assert process.returncode == 1 and len(err.splitlines()) == 1 and program.encode() in err, err
    assert wait.until(lambda: not workers(casemate), what="the other workers end")
    assert os.listdir(os.path.join(casemate.root, "staging")) == []
    assert casemate.ok("run", "--rm", busybox, "echo", "fine") == "fine\n"
