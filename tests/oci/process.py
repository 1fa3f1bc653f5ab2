# SPDX-License-Identifier: Apache-2.0
"""config.md: process, its user, limits, capabilities and scheduling; hostname."""
from .compare import Case, both, probe, put

ALL_SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")
CLAUSE = "config.md, Process: "
USER = "config.md, POSIX-platform User: "
LINUX = "config.md, Linux Process: "
RANGE = "1.1.5 takes ids below 2^31 only; they are uint32 in the specification's schema"


def capabilities(**sets):
    return put("process.capabilities", sets)


def equal(names, sets=ALL_SETS):
    return capabilities(**{s: names for s in sets})


def rlimit(name, soft, hard):
    return put("process.rlimits", [{"type": "RLIMIT_" + name, "soft": soft, "hard": hard}])


def user(uid, gid, **more):
    return put("process.user", {"uid": uid, "gid": gid, **more})


CASES = [
    Case("common configuration", "config.md, Example Process", None, probe("process")),
    Case("args: words are not split or expanded", CLAUSE + "args", None, ["sh", "-c", "for a; do echo \"<$a>\"; done", "x", "a b", "", "$HOME", "*", "\\n", "é"]),
    Case("args: found by PATH of env", CLAUSE + "args", put("process.env", ["PATH=/nowhere:/data:/bin"]), ["sh", "-c", "echo found"]),
    Case("args: no PATH in env", CLAUSE + "args", put("process.env", ["A=1"]), ["/bin/sh", "-c", "echo found"]),
    Case("args: relative with a slash is from cwd", CLAUSE + "args", put("process.cwd", "/bin"), ["./sh", "-c", "echo found; pwd"]),
    Case("args: is missing from the image", CLAUSE + "args", None, ["/no/such/program"], refused="/no/such/program"),
    Case("args: not in PATH", CLAUSE + "args", None, ["no-such-program"], refused="executable file not found in $PATH"),
    Case("args: a directory", CLAUSE + "args", None, ["/data"], refused="/data"),
    Case("args: a file that is not executable", CLAUSE + "args", None, ["/data/file"], refused="/data/file"),
    Case("args: empty", CLAUSE + "args", put("process.args", []), refused="process.args"),
    Case("env: as it is, in order", CLAUSE + "env", put("process.env", ["PATH=/bin", "B=2", "A=1=x", "EMPTY=", "SPACE=a b"]), "env | grep -v -E '^(PWD|SHLVL|HOME|OLDPWD|_)='"),
    Case("env: HOME is that of the user when it is missing", CLAUSE + "env", None, "echo $HOME"),
    Case("env: HOME of a user that /etc/passwd does not have", CLAUSE + "env", put("process.user", {"uid": 1234, "gid": 5}), "echo $HOME",
         differs={"crun": "1.8.1 gives an empty one"}),
    Case("env: HOME of a user that /etc/passwd has", CLAUSE + "env", put("process.user", {"uid": 1000, "gid": 5}), "echo $HOME",
         mounts="printf 'other:x:100:5::/etc:/bin/sh\\nuser:x:1000:5::/data:/bin/sh\\n' >>$BUNDLE/rootfs/etc/passwd"),
    Case("env: HOME that is given stays", CLAUSE + "env", put("process.env", ["PATH=/bin", "HOME=/data"]), "echo $HOME"),
    Case("cwd", CLAUSE + "cwd", put("process.cwd", "/data/inner"), "pwd; ls"),
    Case("cwd: made when it is missing", CLAUSE + "cwd", put("process.cwd", "/new/dir"), "pwd; stat -c '%a %u' /new/dir"),
    Case("cwd: through a link of the image", CLAUSE + "cwd", put("process.cwd", "/link/inner"), "pwd -P", mounts="ln -s ../../../data $BUNDLE/rootfs/link"),
    Case("cwd: relative", CLAUSE + "cwd", put("process.cwd", "data"), refused="process.cwd", differs={"crun": "1.8.1 goes from the root; the path MUST be absolute"}),
    Case("cwd: a file", CLAUSE + "cwd", put("process.cwd", "/data/file"), refused="/data/file"),
    Case("user: uid and gid", USER + "uid, gid", user(5, 6), probe("process")),
    Case("user: additional groups, exactly", USER + "additionalGids", user(5, 6, additionalGids=[9, 7, 8]), probe("process")),
    Case("user: root with additional groups", USER + "additionalGids", user(0, 0, additionalGids=[10, 4294967294]), probe("process"), differs={"runc": RANGE}),
    Case("user: large ids", USER + "uid, gid", user(4294967294, 65536), probe("process"), differs={"runc": RANGE}),
    Case("user: umask", USER + "umask", user(0, 0, umask=0o077), "umask; touch /tmp/a; stat -c %a /tmp/a"),
    Case("user: umask 0", USER + "umask", user(0, 0, umask=0), "umask; touch /tmp/a; stat -c %a /tmp/a"),
    Case("user: default umask", USER + "umask", None, "umask"),
    Case("user: owns the standard streams", USER + "uid, gid", user(77, 78), "stat -L -c '%u' /proc/self/fd/1; echo x >/proc/self/fd/1"),
    Case("noNewPrivileges: false", CLAUSE + "noNewPrivileges", put("process.noNewPrivileges", False), probe("process")),
    Case("capabilities: none at all", CLAUSE + "capabilities", put("process.capabilities", {}), probe("process")),
    Case("capabilities: different sets", CLAUSE + "capabilities", capabilities(
        bounding=["CAP_KILL", "CAP_CHOWN", "CAP_SETUID"], effective=["CAP_KILL"], permitted=["CAP_KILL", "CAP_CHOWN"], inheritable=[], ambient=[]), probe("process")),
    Case("capabilities: bounding only", CLAUSE + "capabilities", capabilities(bounding=["CAP_KILL", "CAP_NET_RAW"]), probe("process")),
    Case("capabilities: inheritable", CLAUSE + "capabilities", equal(["CAP_KILL"], ("bounding", "effective", "permitted", "inheritable")), probe("process")),
    Case("capabilities: ambient, of a user", CLAUSE + "capabilities", both(user(9, 9), equal(["CAP_KILL", "CAP_NET_BIND_SERVICE"])), probe("process")),
    Case("capabilities: of a user, without ambient", CLAUSE + "capabilities", both(user(9, 9), equal(["CAP_KILL"], ("bounding", "effective", "permitted"))), probe("process")),
    Case("capabilities: what they allow", CLAUSE + "capabilities", equal(["CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"], ("bounding", "effective", "permitted")),
         "touch /tmp/a; chown 5:6 /tmp/a 2>&1; stat -c '%u %g' /tmp/a; hostname other 2>&1; true"),
    Case("capabilities: all that files had are kept out of a user", CLAUSE + "capabilities", both(user(1000, 1000), put("process.capabilities", {})), "id; touch /data/x 2>&1; true"),
    Case("capabilities: an unknown name is ignored", CLAUSE + "capabilities", equal(["CAP_KILL", "CAP_UNHEARD_OF"], ("bounding", "effective", "permitted")), probe("process")),
    Case("rlimits: the common one", CLAUSE + "rlimits", None, probe("limits")),
    Case("rlimits: none", CLAUSE + "rlimits", put("process.rlimits", []), probe("limits")),
    *[Case("rlimits: RLIMIT_" + name, CLAUSE + "rlimits", rlimit(name, soft, hard), probe("limits")) for name, soft, hard in (
        ("CORE", 0, 0), ("NOFILE", 50, 60), ("NPROC", 100, 200), ("FSIZE", 1000000, 2000000), ("CPU", 100, 200), ("AS", 1 << 32, 1 << 33), ("STACK", 1 << 20, 8 << 20),
        ("MEMLOCK", 4096, 8192), ("DATA", 1 << 28, 1 << 29), ("SIGPENDING", 10, 20), ("MSGQUEUE", 1000, 2000), ("RTTIME", 1000, 2000), ("LOCKS", 10, 20), ("RSS", 10, 20),
        ("NICE", 0, 0), ("RTPRIO", 0, 0))],
    Case("rlimits: soft above hard", CLAUSE + "rlimits", rlimit("NOFILE", 61, 60), refused="process.rlimits[0]"),
    Case("rlimits: an unknown type", CLAUSE + "rlimits", rlimit("NO_SUCH", 1, 1), refused="process.rlimits[0].type"),
    Case("rlimits: twice the same", CLAUSE + "rlimits", put("process.rlimits", [{"type": "RLIMIT_CORE", "soft": s, "hard": s} for s in (1, 2)]),
         refused="process.rlimits[1].type"),
    Case("oomScoreAdj", LINUX + "oomScoreAdj", put("process.oomScoreAdj", 345), probe("process")),
    Case("oomScoreAdj: 0", LINUX + "oomScoreAdj", put("process.oomScoreAdj", 0), probe("process")),
    Case("scheduler: batch", LINUX + "scheduler", put("process.scheduler", {"policy": "SCHED_BATCH", "nice": 5}), "probe process | grep '^sched' | cut -d' ' -f1-7",
         expect="scheduler: policy 3 flags 0 nice 5\n", status=0),
    Case("scheduler: idle", LINUX + "scheduler", put("process.scheduler", {"policy": "SCHED_IDLE"}), "probe process | grep '^sched' | cut -d' ' -f1-3",
         expect="scheduler: policy 5\n", status=0),
    Case("scheduler: nice of other", LINUX + "scheduler", put("process.scheduler", {"policy": "SCHED_OTHER", "nice": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}),
         "probe process | grep '^sched' | cut -d' ' -f1-7", expect="scheduler: policy 0 flags 0 nice 7\n", status=0),
    Case("scheduler: priority of other is wrong", LINUX + "scheduler", put("process.scheduler", {"policy": "SCHED_OTHER", "priority": 3}),
         refused="process.scheduler.priority", expect="refused"),
    Case("ioPriority: best effort", LINUX + "ioPriority", put("process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 3}), "probe process | grep '^io'",
         expect="io priority: 16387\n", status=0),
    Case("ioPriority: idle", LINUX + "ioPriority", put("process.ioPriority", {"class": "IOPRIO_CLASS_IDLE", "priority": 0}), "probe process | grep '^io'",
         expect="io priority: 24576\n", status=0),
    Case("ioPriority: a class that is not known", LINUX + "ioPriority", put("process.ioPriority", {"class": "IOPRIO_CLASS_NO", "priority": 0}),
         refused="process.ioPriority.class", expect="refused"),
    Case("execCPUAffinity: is of exec, not of the first process", LINUX + "execCPUAffinity", put("process.execCPUAffinity", {"initial": "0", "final": "0"}), probe("process")),
    Case("hostname", "config.md, Hostname", put("hostname", "other.example"), "hostname; cat /proc/sys/kernel/hostname"),
    Case("hostname: none", "config.md, Hostname", lambda c: c.pop("hostname"), "test \"$(hostname)\" = box || echo kept"),
    Case("domainname", "config.md, Domainname", put("domainname", "example.org"), "cat /proc/sys/kernel/domainname", expect="example.org\n", status=0),
    Case("annotations change nothing", "config.md, Annotations", put("annotations", {"org.example.key": "value", "empty": ""}), probe("process")),
    Case("annotations: not a string", "config.md, Annotations", put("annotations", {"a": 5}), refused="annotations.a"),
    Case("members that are not known are ignored", "config.md, Extensibility", lambda c: c.update(whatever={"a": [1]}) or c["linux"].update(future=1) or
         c["process"].update(later=True), probe("process")),
    Case("ociVersion: missing", "config.md, Specification version", lambda c: c.pop("ociVersion"), refused="ociVersion",
         differs={"crun": "1.8.1 runs it; the member is REQUIRED", "runc": "1.1.5 runs it; the member is REQUIRED"}, expect="refused"),
    Case("ociVersion: 1.0.0", "config.md, Specification version", put("ociVersion", "1.0.0"), "echo runs"),
    Case("root: missing", "config.md, Root", lambda c: c.pop("root"), refused="root"),
    Case("root.path: no such directory", "config.md, Root", put("root.path", "no-such"), refused="no-such"),
    Case("root.path: absolute", "config.md, Root", put("root.path", "$BUNDLE/rootfs"), "ls /"),
    Case("root.readonly", "config.md, Root", put("root.readonly", True), "touch /x 2>&1; touch /dev/shm/y && echo made; probe mounts /"),
    Case("root.readonly: false", "config.md, Root", put("root.readonly", False), "touch /x && ls /x; probe mounts /"),
    Case("process: missing", "config.md, Process", lambda c: c.pop("process"), refused="process"),
]
