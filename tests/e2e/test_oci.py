# SPDX-License-Identifier: Apache-2.0
"""casemate-runtime: life of a container, what of config.json holds inside, errors, what is left behind; and the same bundle under runc."""
import glob
import json
import os
import shutil
import socket
import array
import subprocess
import threading

import pytest

from lib import bundle, canary, host, wait
from lib.bundle import BOX

SLEEP = ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.05; done"]


@pytest.fixture
def oci(casemate):
    runtime = bundle.ours(casemate)
    yield runtime
    runtime.clean()
    assert not os.path.isdir(runtime.root) or not os.listdir(runtime.root)


def sh(document, script):
    document["process"]["args"] = ["sh", "-c", script]
    return document


def sleeper(change=None):
    document = bundle.config(change)
    document["process"]["args"] = SLEEP
    return document


def groups(name):
    return [p for p in glob.glob("/sys/fs/cgroup/**/" + name, recursive=True) if os.path.isdir(p)]


def test_life_of_a_container(oci):
    status, error = oci.create(sleeper(lambda c: c["linux"].update(cgroupsPath="/casemate-oci-test-%s/inner" % BOX)))
    assert status == 0, error
    state = oci.state()
    assert state["status"] == "created" and state["id"] == BOX and state["bundle"] == oci.bundle
    assert state["pid"] == int(host.read(os.path.join(oci.base, "pid")))
    enter = os.stat(os.path.join(os.path.dirname(os.path.dirname(oci.words[0])), "libexec/casemate/casemate-enter"))
    assert os.stat("/proc/%d/exe" % state["pid"]).st_ino == enter.st_ino
    oci.ok("start", BOX)
    assert oci.state()["status"] == "running"
    assert "already running" in oci.call("start", BOX).stderr
    assert oci.call("delete", BOX).returncode == 1
    assert oci.call("create", BOX).returncode == 1
    assert oci.ok("exec", BOX, "id", "-u") == "0\n"
    assert oci.call("exec", "-u", "5:6", "--cwd", "/tmp", "-e", "A=b", BOX, "sh", "-c", "id -u; id -g; pwd; echo $A; exit 9").stdout == "5\n6\n/tmp\nb\n"
    assert json.loads(oci.ok("ps", "--format", "json", BOX)) and oci.ok("list", "-q") == BOX + "\n"
    oci.ok("pause", BOX)
    assert oci.state()["status"] == "paused" and "paused" in oci.call("exec", BOX, "true").stderr
    oci.ok("resume", BOX)
    stats = json.loads(oci.ok("events", "--stats", BOX))
    assert stats["id"] == BOX and stats["data"]["pids"]["current"] >= 1 and stats["data"]["memory"]["usage"]["usage"] > 0
    oci.ok("update", "--pids-limit", "77", BOX)
    assert host.cgroup_file(state["pid"], "pids", "pids.max", "pids.max") == "77"
    oci.ok("kill", BOX)
    wait.until(lambda: oci.state()["status"] == "stopped", what="the container ends")
    assert "not running" in oci.call("kill", BOX, "KILL").stderr
    assert "stopped" in oci.call("exec", BOX, "true").stderr
    oci.ok("delete", BOX)
    assert "does not exist" in oci.call("state", BOX).stderr
    assert not groups("casemate-oci-test-%s/inner" % BOX)
    for group in groups("casemate-oci-test-" + BOX):
        os.rmdir(group)


@pytest.mark.parametrize("verb", ["create", "start", "run", "exec", "state", "kill", "delete", "ps", "pause", "resume", "update", "events"])
def test_every_verb_without_an_id_fails(oci, verb):
    done = oci.call(verb)
    assert done.returncode != 0 and done.stderr.count("\n") == 1


def test_exit_statuses_and_errors_as_schedulers_read_them(oci):
    assert oci.run(sh(bundle.config(), "exit 5")).returncode == 5
    shared = bundle.config(lambda c: c["linux"].update(namespaces=[n for n in c["linux"]["namespaces"] if n["type"] != "pid"]))
    assert oci.run(sh(shared, "kill -KILL $$")).returncode == 137
    missing = bundle.config()
    missing["process"]["args"] = ["no-such-program"]
    log = os.path.join(oci.base, "log.json")
    done = oci.run(missing, log=log)
    assert done.returncode == 1 and "executable file not found in $PATH" in done.stderr
    entry = json.loads(host.read(log).splitlines()[-1])
    assert entry["level"] == "error" and "no-such-program" in entry["msg"] and entry["time"]


# Name, what is changed of the common configuration, what is run: each is compared with what runc makes of it.
def _set(path, value):
    def change(document):
        *way, last = path.split(".")
        for name in way:
            document = document.setdefault(name, {})
        document[last] = value
    return change


def _mount(**mount):
    return lambda c: c["mounts"].append(mount)


STATUS = "grep -E '^(Cap|NoNew|Seccomp:|Groups|Uid|Gid|Umask)' /proc/self/status"
MOUNTS = "awk '{ print $5, $6 }' /proc/self/mountinfo"
MATRIX = [
    ("process.args: as they are", None, "echo a 'b c' ''"),
    ("process.env", _set("process.env", ["PATH=/bin", "A=1", "B=x y"]), "env | grep -v -E '^(PWD|SHLVL|HOME|OLDPWD)=' | sort"),
    ("process.cwd", _set("process.cwd", "/data/inner"), "pwd"),
    ("process.cwd: is made", _set("process.cwd", "/new/dir"), "pwd; ls -ld /new/dir | cut -c1-10"),
    ("process.user", _set("process.user", {"uid": 5, "gid": 6, "additionalGids": [7, 8]}), STATUS),
    ("process.user.umask", _set("process.user", {"uid": 0, "gid": 0, "umask": 63}), "umask; touch /tmp/a; ls -l /tmp/a | cut -c1-10"),
    ("process.capabilities: none", _set("process.capabilities", {}), STATUS),
    ("process.capabilities: each set", _set("process.capabilities", {
        "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_SETUID"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"]}), STATUS),
    ("process.capabilities: ambient for a user", lambda c: c["process"].update(user={"uid": 9, "gid": 9}, capabilities={
        s: ["CAP_KILL"] for s in ("bounding", "effective", "permitted", "inheritable", "ambient")}), STATUS),
    ("process.capabilities: ambient, but not inheritable", lambda c: c["process"].update(user={"uid": 9, "gid": 9}, capabilities={
        s: ["CAP_KILL", "CAP_NET_BIND_SERVICE"] for s in ("bounding", "effective", "permitted", "ambient")}), STATUS),
    ("process.noNewPrivileges: no", _set("process.noNewPrivileges", False), STATUS),
    ("process.rlimits", _set("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60}]),
     "grep -E 'core|open files' /proc/self/limits"),
    ("process.oomScoreAdj", _set("process.oomScoreAdj", 345), "cat /proc/self/oom_score_adj"),
    ("root.readonly", _set("root.readonly", True), "touch /x 2>&1; " + MOUNTS + " | head -1 | cut -d, -f1"),
    ("hostname, domainname", lambda c: c.update(hostname="other"), "hostname"),
    ("mounts: bind, read-only", _mount(destination="/m", type="bind", source="BUNDLE/rootfs/data", options=["bind", "ro"]), "cat /m/file; touch /m/x 2>&1"),
    ("mounts: bind of a file", _mount(destination="/etc/new/file", type="bind", source="BUNDLE/rootfs/data/file", options=["bind"]),
     "cat /etc/new/file; stat -c %F /etc/new/file"),
    ("mounts: relative source", _mount(destination="/m", type="bind", source="rootfs/data", options=["rbind", "nosuid", "nodev", "noexec"]), MOUNTS + " | grep /m"),
    ("mounts: tmpfs", _mount(destination="/t", type="tmpfs", source="tmpfs", options=["size=1m", "mode=1700", "noexec"]),
     "stat -c %a /t; dd if=/dev/zero of=/t/a bs=1M count=2 2>&1 | grep -c space; " + MOUNTS + " | grep /t"),
    ("mounts: tmpfs over a directory", _mount(destination="/tmp", type="tmpfs", source="tmpfs", options=["ro"]), "stat -c %a /tmp; touch /tmp/x 2>&1"),
    ("mounts: tmpcopyup", _mount(destination="/data", type="tmpfs", source="tmpfs", options=["tmpcopyup"]), "cat /data/file /data/inner/deep; touch /data/new && ls /data"),
    ("mounts: propagation", _mount(destination="/m", type="bind", source="BUNDLE/rootfs/data", options=["rbind", "rprivate"]),
     "grep ' /m ' /proc/self/mountinfo | grep -c shared"),
    ("mounts: atime", _mount(destination="/t", type="tmpfs", source="tmpfs", options=["noatime", "nodiratime"]), MOUNTS + " | grep /t"),
    ("default devices", None, "ls -l /dev | awk '{ print $1, $5, $6, $NF }' | grep -v -E 'total|mqueue' | sort"),
    ("linux.devices", _set("linux.devices", [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 384, "uid": 3, "gid": 4},
                                             {"path": "/dev/sub/pipe", "type": "p", "fileMode": 420}]),
     "ls -ln /dev/mine /dev/sub/pipe | awk '{ print $1, $3, $4 }'"),
    ("linux.maskedPaths", _set("linux.maskedPaths", ["/proc/kcore", "/sys/firmware", "/no/such", "/data/file", "/data/inner"]),
     "cat /data/file | wc -c; ls /data/inner /sys/firmware | wc -l"),
    ("linux.readonlyPaths", _set("linux.readonlyPaths", ["/proc/sys", "/data", "/no/such"]), "touch /data/x 2>&1; cat /data/inner/deep"),
    ("linux.sysctl", _set("linux.sysctl", {"net.ipv4.ip_forward": "1", "kernel.shmmax": "12345", "net/core/somaxconn": "77"}),
     "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/net/core/somaxconn"),
    ("linux.namespaces: no pid", lambda c: c["linux"].update(namespaces=[n for n in c["linux"]["namespaces"] if n["type"] != "pid"]), "test $$ -gt 1 && echo shared"),
    ("linux.namespaces: loopback is up", None, "ip addr show lo | grep -c 127.0.0.1"),
    ("linux.resources: pids", _set("linux.resources", {"pids": {"limit": 20}}), "for i in 1 2 3; do sleep 0 & done; wait; echo done"),
    ("linux.resources.devices", _set("linux.resources", {"devices": [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}),
     "head -c 3 /dev/zero | wc -c; echo x >/dev/null && echo ok"),
    ("linux.rootfsPropagation", _set("linux.rootfsPropagation", "private"), "head -1 /proc/self/mountinfo | grep -c -E 'shared|master'"),
    ("linux.seccomp: an error number", _set("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}), "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status"),
    ("linux.seccomp: arguments", _set("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"], "syscalls": [
        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}]}]}), "kill -12 $$ 2>&1; kill -0 $$ && echo ok"),
    ("annotations are ignored", lambda c: c.update(annotations={"x": "y"}), "echo ok"),
    ("unknown members are ignored", lambda c: c.update(whatever={"a": 1}) or c["linux"].update(future=[1]), "echo ok"),
]


@pytest.fixture(scope="module")
def reference():
    """runc, where it is installed; it is what the answers are compared with."""
    found = shutil.which("runc")
    if not found:
        pytest.skip("runc is not installed")
    return found


@pytest.mark.parametrize("name, change, script", MATRIX, ids=[m[0] for m in MATRIX])
def test_the_same_bundle_under_runc(oci, reference, name, change, script):
    text = json.dumps(sh(bundle.config(change), script)).replace("BUNDLE", oci.bundle)
    other = bundle.Runtime([reference], oci.base)
    theirs = other.run(text, name=BOX + "-runc")
    if theirs.returncode != 0 and "cgroup" in theirs.stderr:
        pytest.skip("runc does not run here: " + theirs.stderr[-200:])
    shutil.rmtree(os.path.join(oci.bundle, "rootfs"))
    bundle.make_rootfs(os.path.join(oci.bundle, "rootfs"))
    ours = oci.run(text)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), ours.stderr + theirs.stderr


def test_user_namespace(oci):
    def change(c):
        c["linux"]["namespaces"].append({"type": "user"})
        c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 700000, "size": 65536}]
    subprocess.run(["chown", "-R", "700000:700000", os.path.join(oci.bundle, "rootfs")], check=True)
    done = oci.run(sh(bundle.config(change), "id -u; cat /proc/self/uid_map; ls -ln /dev/null | cut -c1; echo x >/dev/null; touch /tmp/a && echo made"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "0", "700000", "65536", "c", "made"]
    assert os.stat(os.path.join(oci.bundle, "rootfs/tmp/a")).st_uid == 700000


def test_namespaces_by_path_and_time(oci):
    status, error = oci.create(sleeper(), BOX + "-first")
    assert status == 0, error
    pid = oci.state(BOX + "-first")["pid"]

    def change(c):
        c["hostname"] = ""
        c["linux"]["namespaces"] = [{"type": "mount"}, {"type": "cgroup"}, {"type": "time"}] + [
            {"type": t, "path": "/proc/%d/ns/%s" % (pid, f)} for t, f in (("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"))]
        c["linux"]["timeOffsets"] = {"boottime": {"secs": 100000}}
    done = oci.run(sh(bundle.config(change), "hostname; ps | grep -c casemate-enter; cut -d. -f1 /proc/uptime; for n in net ipc uts pid; do readlink /proc/self/ns/$n; done"), BOX + "-second")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")
    assert lines[0] == "box" and int(lines[1]) >= 1 and int(lines[2]) > 100000
    assert lines[3:7] == [os.readlink("/proc/%d/ns/%s" % (pid, n)) for n in ("net", "ipc", "uts", "pid")]
    wrong = bundle.config(lambda c: c["linux"]["namespaces"].__setitem__(1, {"type": "network", "path": "/proc/self/ns/uts"}))
    assert "is not a network namespace" in oci.run(wrong).stderr


def test_hooks_run_where_and_when_the_specification_says(oci):
    trace = os.path.join(oci.base, "trace")
    inside = "/data/trace"

    def hook(name, where, program="/bin/sh"):
        return [{"path": program, "args": ["sh", "-c", "echo %s $(cat | grep -o '\"status\":\"[a-z]*\"') $(readlink /proc/self/ns/uts) >>%s" % (name, where)], "env": ["PATH=/bin:/usr/bin"]}]

    def change(c):
        c["hooks"] = {"prestart": hook("prestart", trace), "createRuntime": hook("createRuntime", trace), "createContainer": hook("createContainer", trace),
                      "startContainer": hook("startContainer", inside), "poststart": hook("poststart", trace), "poststop": hook("poststop", trace)}
    status, error = oci.create(sleeper(change))
    assert status == 0, error
    uts = os.readlink("/proc/%d/ns/uts" % oci.state()["pid"])
    own = os.readlink("/proc/self/ns/uts")
    assert host.read(trace).splitlines() == ['%s "status":"creating" %s' % line for line in (("prestart", own), ("createRuntime", own), ("createContainer", uts))]
    oci.ok("start", BOX)
    assert host.read(os.path.join(oci.bundle, "rootfs", "data", "trace")).splitlines() == ['startContainer "status":"created" ' + uts]
    oci.ok("delete", "--force", BOX)
    assert [line.split()[0] for line in host.read(trace).splitlines()[3:]] == ["poststart", "poststop"]


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer"])
def test_a_hook_that_fails_ends_the_container(oci, kind):
    done = oci.run(bundle.config(lambda c: c.update(hooks={kind: [{"path": "/bin/sh", "args": ["sh", "-c", "echo why >&2; exit 3"]}]})))
    assert done.returncode != 0 and kind in done.stderr and not os.listdir(oci.root)


def test_a_hook_that_hangs_is_ended(oci):
    done = oci.run(bundle.config(lambda c: c.update(hooks={"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]})))
    assert done.returncode == 1 and "within 1 seconds" in done.stderr


def test_terminal_goes_to_the_console_socket(oci):
    path = os.path.join(oci.base, "console")
    received = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def accept():
            connection, _ = listener.accept()
            data, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
            received["name"] = data
            received["fd"] = array.array("i", ancillary[0][2])[0]
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        document = sh(bundle.config(_set("process.terminal", True)), "tty; echo from inside; read x; echo got $x")
        oci.write(document)
        oci.made.add(BOX)
        oci.ok("create", "--console-socket", path, BOX)
        thread.join(10)
    oci.ok("start", BOX)
    os.write(received["fd"], b"word\n")
    text = b""
    while b"got word" not in text:
        text += os.read(received["fd"], 1000)
    assert b"/dev/pts/0" in text and b"from inside" in text
    os.close(received["fd"])


def test_nothing_of_the_host_is_reached_through_links_of_the_image(oci, tmp_path_factory):
    """CVE-2026-41579, CVE-2023-27561, CVE-2026-55686, CVE-2019-16884: /dev, /proc, the working directory, mount targets."""
    outside = os.path.join(oci.base, "outside")
    os.makedirs(outside)
    rootfs = os.path.join(oci.bundle, "rootfs")
    up = "../" * 12 + outside.lstrip("/")
    for name, change in (("dev", None), ("work", _set("process.cwd", "/work/sub")), ("target", _mount(destination="/target/sub", type="tmpfs", source="tmpfs")),
                         ("proc", None), ("node", _set("linux.devices", [{"path": "/node/mine", "type": "c", "major": 1, "minor": 3}]))):
        place = os.path.join(rootfs, name)
        if os.path.isdir(place):
            os.rmdir(place)
        os.symlink(up, place)
        document = bundle.config(change)
        if name == "dev":
            document["mounts"] = [m for m in document["mounts"] if not m["destination"].startswith("/dev")]
        oci.run(document)
        assert os.listdir(outside) == [], name
        os.unlink(place)
        os.makedirs(place)


def test_the_program_cannot_be_overwritten(oci):
    """CVE-2019-5736: the image's program is /proc/self/exe, or an interpreter line that leads there."""
    document = bundle.config()
    document["process"]["args"] = ["/proc/self/exe"]
    done = oci.run(document)
    assert done.returncode != 0
    script = os.path.join(oci.bundle, "rootfs", "bin", "evil")
    with open(script, "w", encoding="utf-8") as f:
        f.write("#!/proc/self/exe\n")
    os.chmod(script, 0o755)
    document["process"]["args"] = ["/bin/evil"]
    assert oci.run(document).returncode != 0
    status, error = oci.create(sleeper())
    assert status == 0, error
    exe = "/proc/%d/exe" % oci.state()["pid"]
    with pytest.raises(OSError):
        os.close(os.open(exe, os.O_WRONLY))


def test_a_working_directory_through_descriptors_is_refused(oci):
    """CVE-2024-21626."""
    for n in range(3, 12):
        done = oci.run(bundle.config(_set("process.cwd", "/proc/self/fd/%d" % n)))
        assert done.returncode != 0, n


def test_nothing_is_left_when_a_creation_fails_or_is_killed(oci):
    before = set(groups(BOX))
    for change in (_set("process.args", ["/no/such"]), _mount(destination="/x", type="no-such-file-system"),
                   _mount(destination="/x", type="bind", source="/no/such", options=["bind"]), _set("linux.resources", {"cpu": {"cpus": "9999"}})):
        status, error = oci.create(bundle.config(change))
        assert status == 1 and error.count("\n") == 1, error
        assert not os.listdir(oci.root) and set(groups(BOX)) == before
    oci.write(sleeper())
    for tick in range(20):
        p = subprocess.Popen([*oci.words, "--root", oci.root, "create", BOX], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             cwd=oci.bundle, env=oci.env)
        try:
            p.wait(0.002 + 0.001 * tick)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        oci.ok("delete", "--force", BOX)
        assert not os.listdir(oci.root) and set(groups(BOX)) == before


def test_features_tells_what_is_known(oci):
    features = json.loads(oci.ok("features"))
    assert features["ociVersionMin"] == "1.0.0" and "rro" in features["mountOptions"] and "poststop" in features["hooks"]
    assert set(features["linux"]["namespaces"]) == {"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"}
    assert features["linux"]["intelRdt"]["enabled"] is False


def test_spec_runs_as_it_is_written(oci):
    oci.ok("spec")
    document = json.loads(host.read(os.path.join(oci.bundle, "config.json")))
    document["process"]["terminal"] = False
    done = oci.run(sh(document, "grep -E 'CapBnd|NoNewPrivs' /proc/self/status; touch /x 2>&1"))
    assert done.stdout.split() == ["CapBnd:", "0000000000000000", "NoNewPrivs:", "1", "touch:", "/x:", "Read-only", "file", "system"]


def test_without_pivot_root_the_container_is_the_same(oci):
    """--no-pivot: MS_MOVE and chroot, after the host's proc and sysfs are gone from the namespace."""
    script = "ls /; awk '{print $5, $9}' /proc/self/mountinfo; ls /proc/1/exe >/dev/null && ls /sys | sort; cat /proc/self/cgroup | wc -l; touch /x && rm -f /x"
    document = sh(bundle.config(), script)
    usual = oci.run(document)
    oci.write(document)
    moved = oci.call("run", "--no-pivot", BOX)
    assert (moved.returncode, moved.stdout) == (usual.returncode, usual.stdout) and usual.returncode == 0, moved.stderr
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: whether the host's proc was taken away is not seen")
    trace = os.path.join(oci.base, "trace")
    # A sanitizer cannot look for leaks in what is traced.
    traced = dict(oci.env, ASAN_OPTIONS=oci.env.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=umount2,mount", *oci.words, "--root", oci.root, "run", "--no-pivot", BOX],
                          cwd=oci.bundle, env=traced, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    calls = host.read(trace)
    assert 'umount2("/proc", MNT_DETACH)' in calls and 'umount2("/sys", MNT_DETACH)' in calls
    assert calls.index('umount2("/proc"') < calls.index("MS_MOVE")
    assert os.path.exists("/proc/self/status") and os.path.isdir("/sys/fs"), "the host keeps its own"


DEVICES = "/sys/fs/cgroup/devices"


def crowded(group):
    """A group that has groups below it: the kernel lets nobody begin its list of devices anew."""
    os.makedirs(group)
    for file, line in (("deny", "a"), ("allow", "c 1:3 r"), ("allow", "b 7:1 rwm"), ("allow", "c 4:64 rwm")):
        with open(os.path.join(group, "devices." + file), "w", encoding="utf-8") as f:
            f.write(line)
    os.mkdir(os.path.join(group, "below"))


@pytest.mark.skipif(not os.path.exists(DEVICES + "/devices.list"), reason="there is no devices controller of cgroup v1")
def test_devices_of_a_group_that_others_are_below(oci, reference):
    group = os.path.join(DEVICES, BOX + "-crowded")
    rules = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 4, "minor": 64, "access": "rw"}, {"allow": True, "type": "b", "major": 8, "minor": 0, "access": "r"},
             {"allow": False, "type": "c", "major": 4, "minor": 64, "access": "w"}]
    document = sleeper(lambda c: c["linux"].update(cgroupsPath="/" + os.path.basename(group), resources={"devices": rules}))
    said = []
    for runtime in (oci, bundle.Runtime([reference], oci.base)):
        crowded(group)
        try:
            status, error = runtime.create(document)
            assert status == 0, error
            lists = [sorted(host.read(os.path.join(group, d, "devices.list")).split("\n")) for d in ("", "below")]
        finally:
            runtime.call("delete", "--force", BOX)
            for left in (group + "/below", group):
                if os.path.isdir(left):
                    os.rmdir(left)
        said.append(lists)
    ours, theirs = said
    assert "b 8:0 r" in ours[0] and not [line for line in ours[0] + ours[1] if line.startswith("b 7:1")]
    # runc 1.1.5 allows each container the devices of /dev/net/tun, which no rule asks for.
    assert ours == [[line for line in lines if "10:200" not in line] for lines in theirs]
    assert "c 4:64 r" in ours[0]
    os.makedirs(group + "/below")
    status, error = oci.create(document)
    oci.call("delete", "--force", BOX)
    for left in (group + "/below", group):
        if os.path.isdir(left):
            os.rmdir(left)
    assert status == 1 and "allows all devices and has groups below it" in error, error
