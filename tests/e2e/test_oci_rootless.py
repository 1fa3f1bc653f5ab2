# SPDX-License-Identifier: Apache-2.0
"""casemate-runtime typed by an ordinary user (lib/user.py), and by one that is root in a user namespace of its own, as Podman's: ids, state
directory, limits, what is refused."""
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from lib import bundle, host, user, wait
from lib.bundle import BOX

HERE = os.path.dirname(os.path.abspath(__file__))
LINE = {"containerID": 0, "hostID": user.ALICE.uid, "size": 1}


@pytest.fixture
def oci(casemate):
    """A runtime of cm-alice's, whose state is where it chooses: the command line has no --root."""
    with tempfile.TemporaryDirectory(prefix="cm", dir="/var/tmp") as base:
        os.chmod(base, 0o755)
        bundle.make_rootfs(base + "/bundle/rootfs")
        os.mkdir(base + "/run", 0o700)
        for where, _, _ in os.walk(base):
            os.chown(where, user.ALICE.uid, user.ALICE.uid)
        program = casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")
        setpriv = ["setpriv", "--reuid", str(user.ALICE.uid), "--regid", str(user.ALICE.uid), "--clear-groups"]
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.join(HERE, "../lib/user.py"), *setpriv, program]
        runtime = bundle.Runtime(words, base, {**casemate.env, "XDG_RUNTIME_DIR": base + "/run", "CASEMATE_ROOT": "/nonexistent/of-root"})
        runtime.root = base + "/run/casemate-runtime"
        yield runtime
        runtime.clean()
        assert not os.listdir(runtime.root)


def config(*maps, **linux):
    def change(document):
        document["linux"]["namespaces"].append({"type": "user"})
        document["linux"].update(uidMappings=[LINE, *maps], gidMappings=[LINE, *maps], resources={}, **linux)
        document["mounts"] = [m for m in document["mounts"] if m["destination"] != "/sys"]
    return bundle.config(change)


def sh(document, script):
    document["process"]["args"] = ["sh", "-c", script]
    return document


SUBORDINATE = {"containerID": 1, "hostID": user.ALICE.first, "size": user.ALICE.count}


def need_newuidmap():
    if not shutil.which("newuidmap"):
        pytest.skip("newuidmap is not installed (uidmap)")


def test_the_own_id_alone(oci):
    document = sh(config(), "id -u; cat /proc/self/uid_map /proc/self/setgroups")
    document["process"]["oomScoreAdj"] = 300
    for _ in range(10):  # whether the maps can be written must not depend on who is faster
        done = oci.run(document)
        assert (done.returncode, done.stdout.split()) == (0, ["0", "0", str(user.ALICE.uid), "1", "deny"]), done.stderr


def test_subordinate_ids(oci):
    need_newuidmap()
    document = sh(config(SUBORDINATE), "id -u; id -G; cat /proc/self/uid_map | wc -l")
    document["process"]["user"].update(uid=5, gid=6, additionalGids=[7])
    done = oci.run(document)
    assert done.stdout.split() == ["5", "6", "7", "2"], done.stderr


SECCOMP = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}


def test_a_filter_is_compiled_and_kept_without_roots_help(oci):
    document = sh(config(seccomp=SECCOMP), "mkdir /tmp/x")
    for _ in range(2):
        assert "Operation not supported" in oci.run(document).stderr
    assert len(os.listdir(os.path.join(oci.base, "run/casemate/cache"))) == 1


def test_a_filter_for_the_root_of_a_users_namespace(oci):
    """As Podman without root is: its id 0 is the user, the host's root is nobody there."""
    need_newuidmap()
    oci.words = [*oci.words[:-1], "unshare", "--user", "--map-root-user", "--map-auto", "--mount", oci.words[-1]]
    document = bundle.config(lambda c: c["linux"].update(resources={}, seccomp=SECCOMP))
    document["mounts"] = [m for m in document["mounts"] if m["destination"] != "/sys"]
    assert "Operation not supported" in oci.run(sh(document, "mkdir /tmp/x")).stderr


def test_ids_of_somebody_else_are_refused_by_name(oci):
    need_newuidmap()
    done = oci.run(config({**SUBORDINATE, "hostID": user.BOB.first}))
    assert done.returncode == 1 and "linux.uidMappings: newuidmap: " in done.stderr and done.stderr.count("\n") == 1


def test_life_without_control_groups(oci):
    status, error = oci.create(sh(config(), "trap 'exit 7' TERM; while :; do sleep 0.05; done"))
    assert status == 0, error
    oci.ok("start", BOX)
    assert oci.state()["status"] == "running" and os.stat(os.path.join(oci.root, BOX)).st_uid == user.ALICE.uid
    assert oci.ok("exec", BOX, "id", "-u") == "0\n"
    assert "cm-alice" in oci.ok("list")
    oci.ok("kill", BOX, "KILL")
    wait.until(lambda: oci.state()["status"] == "stopped", what="the container ends")
    oci.ok("delete", BOX)


def test_a_limit_that_nobody_can_hold_is_refused(oci):
    if host.read("/proc/self/cgroup").strip().count("\n") == 0:
        pytest.skip("on cgroup v2 root's own groups are delegated, or not: tests/vm/guest/73-scopes.sh")
    document = config()
    document["linux"]["resources"] = {"memory": {"limit": 64 << 20}}
    assert "no memory controller here for this limit" in oci.run(document).stderr


def test_root_of_a_user_namespace(casemate):
    base = os.path.join(casemate.base, "oci")
    bundle.make_rootfs(base + "/bundle/rootfs")
    program = casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")
    words = ["setpriv", "--bounding-set", "-sys_admin", "unshare", "--user", "--map-root-user", "--mount", program]
    oci = bundle.Runtime(words, base, casemate.env)
    document = bundle.config(lambda c: c["linux"].update(resources={"devices": [{"allow": False, "access": "rwm"}]}))
    document["mounts"] = [m for m in document["mounts"] if m["destination"] != "/sys"]
    done = oci.run(sh(document, "id -u; cat /proc/self/uid_map"))
    assert done.stdout.split() == ["0", "0", "0", "1"], done.stderr


def test_sockets_that_were_handed_over(casemate):
    base = os.path.join(casemate.base, "oci")
    bundle.make_rootfs(base + "/bundle/rootfs")
    program = casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")
    oci = bundle.Runtime([program], base, casemate.env)
    oci.write(sh(bundle.config(lambda c: c["process"].update(env=["PATH=/bin", "LISTEN_FDS=9"])),
                 "echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; [ -e /proc/self/fd/5 ] || echo no more"))
    # sh -c: LISTEN_PID is that of the runtime, which takes the shell's place.
    script = "exec 3<bundle/rootfs/etc/passwd 4<bundle/rootfs/data/file 5<bundle/config.json; LISTEN_FDS=1 LISTEN_PID=%s exec %s --root state run --bundle bundle %s %s"
    for pid, fds, expected in (("$$", "--preserve-fds 1", "1 1"), ("1", "--preserve-fds 2", "9")):
        done = subprocess.run(["sh", "-c", script % (pid, program, fds, BOX)], cwd=base, env=casemate.env, capture_output=True, text=True, check=False)
        assert done.stdout == expected + "\nroot:x:0:0:root:/root:/bin/sh\nof the image\nno more\n", done.stderr
    assert os.listdir(base + "/state") == []
