# SPDX-License-Identifier: Apache-2.0
"""runtime.md: operations, states and errors. Each case is a sequence of verbs; what is compared is what each returns."""
import json
import os
import signal
import subprocess

from lib import host, wait

from .compare import NAME, Case

WAITS = ["sh", "-c", "trap 'exit 7' TERM; trap 'exit 8' USR1; while :; do sleep 0.02; done"]
QUIET = ["sh", "-c", "exit 3"]


def status(runtime):
    done = runtime.call("state", NAME)
    return json.loads(done.stdout)["status"] if done.returncode == 0 else "none"


def verb(runtime, *words):
    """Whether it succeeds: the numbers of failures are not the same everywhere."""
    return runtime.call(*words).returncode == 0


def code(runtime, *words, **more):
    done = runtime.call(*words, **more)
    return done.returncode, done.stdout


def created(runtime, document, args=None):
    document["process"]["args"] = args or WAITS
    result, error = runtime.create(json.dumps(document), NAME)
    assert result == 0, error


def started(runtime, document, args=None):
    created(runtime, document, args)
    runtime.ok("start", NAME)


def until(runtime, what):
    wait.until(lambda: status(runtime) == what, what="the container is " + what)


def states(runtime, document):
    said = [status(runtime)]
    created(runtime, document)
    said.append(status(runtime))
    runtime.ok("start", NAME)
    said.append(status(runtime))
    runtime.ok("kill", NAME, "KILL")
    until(runtime, "stopped")
    said.append(status(runtime))
    runtime.ok("delete", NAME)
    return said + [status(runtime)]


def members(runtime, document):
    document["annotations"] = {"a": "b"}
    created(runtime, document)
    state = json.loads(runtime.ok("state", NAME))
    return [state["id"], state["status"], state["bundle"] == runtime.bundle, state["pid"] > 0, state["annotations"], state["ociVersion"][:2],
            int(host.read(os.path.join(runtime.base, "pid"))) == state["pid"]]


def stopped_state(runtime, document):
    started(runtime, document, QUIET)
    until(runtime, "stopped")
    return json.loads(runtime.ok("state", NAME)).get("pid", 0)


def twice(runtime, document):
    created(runtime, document)
    return [verb(runtime, "create", NAME), verb(runtime, "run", NAME), status(runtime)]


def start_again(runtime, document):
    started(runtime, document)
    return [verb(runtime, "start", NAME), status(runtime)]


def start_stopped(runtime, document):
    started(runtime, document, QUIET)
    until(runtime, "stopped")
    return [verb(runtime, "start", NAME), status(runtime)]


def config_changes(runtime, document):
    """runtime.md: changes of config.json after create must have no effect."""
    created(runtime, document, ["sh", "-c", "exit 3"])
    document["process"]["args"] = ["sh", "-c", "touch /data/other"]
    runtime.write(document)
    runtime.ok("start", NAME)
    until(runtime, "stopped")
    return os.path.exists(os.path.join(runtime.bundle, "rootfs/data/other"))


def not_before_start(runtime, document):
    created(runtime, document, ["sh", "-c", "touch /data/ran"])
    before = os.path.exists(os.path.join(runtime.bundle, "rootfs/data/ran"))
    runtime.ok("start", NAME)
    until(runtime, "stopped")
    return [before, os.path.exists(os.path.join(runtime.bundle, "rootfs/data/ran"))]


def delete_running(runtime, document):
    started(runtime, document)
    return [verb(runtime, "delete", NAME), status(runtime)]


def delete_forced(runtime, document):
    started(runtime, document)
    return [verb(runtime, "delete", "--force", NAME), status(runtime), groups()]


def delete_created(runtime, document):
    created(runtime, document)
    return [verb(runtime, "delete", "--force", NAME), status(runtime), groups()]


def delete_unknown(runtime, _):
    return [verb(runtime, "delete", NAME), verb(runtime, "delete", "--force", NAME)]


def groups():
    """Whether a control group of the name is left."""
    return any(os.path.isdir(os.path.join(host.CGROUP_ROOT, d, NAME)) for d in os.listdir(host.CGROUP_ROOT))


def without_container(*words):
    return lambda runtime, _: verb(runtime, *words)


def kill_with(*words):
    def life(runtime, document):
        started(runtime, document)
        said = [verb(runtime, "kill", NAME, *words)]
        until(runtime, "stopped")
        return said
    return life


def kill_wrong(runtime, document):
    started(runtime, document)
    return [verb(runtime, "kill", NAME, "NOSUCH"), verb(runtime, "kill", NAME, "0x"), verb(runtime, "kill", NAME, "500"), status(runtime)]


def kill_stopped(runtime, document):
    started(runtime, document, QUIET)
    until(runtime, "stopped")
    return [verb(runtime, "kill", NAME, "TERM"), status(runtime)]


def kill_created(runtime, document):
    created(runtime, document)
    said = [verb(runtime, "kill", NAME, "KILL")]
    until(runtime, "stopped")
    return said + [verb(runtime, "start", NAME), verb(runtime, "delete", NAME)]


def kill_all(runtime, document):
    document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != "pid"]
    started(runtime, document, ["sh", "-c", "sleep 100 & sleep 100"])
    said = [verb(runtime, "kill", "--all", NAME, "KILL")]
    until(runtime, "stopped")
    return said + [verb(runtime, "delete", NAME), groups()]


def no_pid_namespace_delete(runtime, document):
    document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != "pid"]
    started(runtime, document, ["sh", "-c", "sleep 1000 & sleep 1000"])
    return [verb(runtime, "delete", "--force", NAME), groups()]


def pausing(runtime, document):
    started(runtime, document)
    said = [verb(runtime, "resume", NAME), verb(runtime, "pause", NAME), status(runtime), verb(runtime, "exec", NAME, "true"), verb(runtime, "delete", NAME)]
    return said + [verb(runtime, "resume", NAME), status(runtime), verb(runtime, "exec", NAME, "true")]


def pause_stopped(runtime, document):
    started(runtime, document, QUIET)
    until(runtime, "stopped")
    return [verb(runtime, "pause", NAME), verb(runtime, "resume", NAME)]


def delete_paused(runtime, document):
    started(runtime, document)
    runtime.ok("pause", NAME)
    return [verb(runtime, "delete", "--force", NAME), status(runtime), groups()]


def exits(number):
    def life(runtime, document):
        document["process"]["args"] = ["sh", "-c", "exit %d" % number]
        return runtime.run(json.dumps(document), name=NAME).returncode
    return life


def ends_by(name):
    def life(runtime, document):
        document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != "pid"]
        document["process"]["args"] = ["sh", "-c", "kill -%s $$" % name]
        return runtime.run(json.dumps(document), name=NAME).returncode
    return life


def execs(*words, also=()):
    """exec with options, in a container that has processes, files and a user of its own."""
    def life(runtime, document):
        started(runtime, document)
        return [code(runtime, "exec", *also, NAME, *words)]
    return life


def exec_in(what):
    def life(runtime, document):
        if what == "created":
            created(runtime, document)
        elif what == "stopped":
            started(runtime, document, QUIET)
            until(runtime, "stopped")
        done = runtime.call("exec", NAME, "sh", "-c", "echo in; exit 4")
        return done.returncode if what == "created" else done.returncode != 0, done.stdout
    return life


def exec_process(**process):
    def life(runtime, document):
        started(runtime, document)
        path = os.path.join(runtime.bundle, "process.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"], "args": ["probe", "process"], **process}, f)
        return code(runtime, "exec", "--process", path, NAME)
    return life


def exec_wrong_process(runtime, document):
    started(runtime, document)
    path = os.path.join(runtime.bundle, "process.json")
    said = []
    for text in ("{", "[]", '{"args": ["true"]}', '{"args": [], "cwd": "/"}', '{"args": ["true"], "cwd": "x"}'):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        said.append(verb(runtime, "exec", "--process", path, NAME))
    return said


def updates(*words, files=()):
    def life(runtime, document):
        started(runtime, document)
        return [verb(runtime, "update", *words, NAME), runtime.look(files)]
    return life


def ps(runtime, document):
    started(runtime, document)
    first = json.loads(runtime.ok("state", NAME))["pid"]
    pids = json.loads(runtime.ok("ps", "--format", "json", NAME))
    return [first in pids, len(pids) in (1, 2)]


def listing(runtime, document):
    before = runtime.ok("list", "-q").split()
    created(runtime, document)
    one = json.loads(runtime.ok("list", "--format", "json"))
    return [before, runtime.ok("list", "-q").split(), [(c["id"], c["status"], c["bundle"] == runtime.bundle, c["pid"] > 0) for c in one]]


def detached(runtime, document):
    document["process"]["args"] = WAITS
    runtime.write(document)
    with open(os.devnull, "r+b") as null:

        done = subprocess.run([*runtime.words, "--root", runtime.root, "run", "--detach", "--pid-file", os.path.join(runtime.base, "pid"), NAME], stdin=null, stdout=null,
                              stderr=null, cwd=runtime.bundle, env=runtime.env, check=False)
    return [done.returncode, status(runtime), json.loads(runtime.ok("state", NAME))["pid"] == int(host.read(os.path.join(runtime.base, "pid")))]


def preserved(runtime, document):
    document["process"]["args"] = ["sh", "-c", "readlink /proc/self/fd/3 | grep -c file; probe process | grep desc"]
    runtime.write(document)
    fd = os.open(os.path.join(runtime.bundle, "rootfs/data/file"), os.O_RDONLY)
    try:
        os.dup2(fd, 3) if fd != 3 else None
        return code(runtime, "run", "--preserve-fds", "1", NAME, pass_fds=(3,))
    finally:
        os.close(fd)


def ignored_signal(runtime, document):
    """What the caller ignores, the program does not inherit as its own."""
    document["process"]["args"] = ["probe", "process"]
    runtime.write(document)
    old = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        done = runtime.call("run", NAME, restore_signals=False)
        return [line for line in done.stdout.splitlines() if line.startswith("handled")]
    finally:
        signal.signal(signal.SIGUSR2, old)


def leaked(runtime, document):
    """Descriptors of the caller that nobody asked for do not come in."""
    document["process"]["args"] = ["probe", "process"]
    runtime.write(document)
    fd = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        done = runtime.call("run", NAME, pass_fds=(fd,))
        return [line for line in done.stdout.splitlines() if line.startswith("descriptors")]
    finally:
        os.close(fd)


OPERATIONS = "runtime.md, Operations: "
STATE, CREATE, START, KILL, DELETE = (OPERATIONS + v for v in ("Query State", "Create", "Start", "Kill", "Delete"))
ERRORS = "runtime.md, Errors"
CASES = [
    Case("states of a life", "runtime.md, Lifecycle", verbs=states),
    Case("state: members", "runtime.md, State", verbs=members),
    Case("state: pid of a stopped one", "runtime.md, State", verbs=stopped_state),
    Case("state: no such container", STATE, verbs=without_container("state", NAME)),
    Case("create: an id that is there", CREATE, verbs=twice),
    Case("create: the program does not run yet", CREATE, verbs=not_before_start),
    Case("create: config.json counts as it was then", CREATE, verbs=config_changes),
    Case("create: no bundle", CREATE, verbs=without_container("create", "--bundle", "/no/such", NAME)),
    Case("create: a directory that is no bundle", CREATE, verbs=without_container("create", "--bundle", "/", NAME)),
    Case("create: an id with a slash", CREATE, verbs=without_container("create", "a/b")),
    Case("create: an id of dots", CREATE, verbs=without_container("create", "..")),
    Case("create: an empty id", CREATE, verbs=without_container("create", "")),
    Case("start: running", START, verbs=start_again),
    Case("start: stopped", START, verbs=start_stopped),
    Case("start: no such container", START, verbs=without_container("start", NAME)),
    Case("kill: default is TERM", KILL, verbs=kill_with()),
    Case("kill: by name", KILL, verbs=kill_with("USR1")),
    Case("kill: by SIG and name", KILL, verbs=kill_with("SIGUSR1")),
    Case("kill: by number", KILL, verbs=kill_with("10")),
    Case("kill: signals that are not known", KILL, verbs=kill_wrong, differs={"crun": "1.8.1 succeeds and sends nothing"}),
    Case("kill: stopped", KILL, verbs=kill_stopped),
    Case("kill: created", KILL, verbs=kill_created),
    Case("kill: all, without a process namespace", KILL, verbs=kill_all),
    Case("kill: no such container", KILL, verbs=without_container("kill", NAME, "TERM")),
    Case("delete: running", DELETE, verbs=delete_running),
    Case("delete: running, by force", DELETE, verbs=delete_forced),
    Case("delete: created, by force", DELETE, verbs=delete_created),
    Case("delete: paused, by force", DELETE, verbs=delete_paused),
    Case("delete: by force, without a process namespace", DELETE, verbs=no_pid_namespace_delete),
    Case("delete: no such container", DELETE, verbs=delete_unknown),
    Case("pause and resume", OPERATIONS + "Query State", verbs=pausing, differs={"crun": "1.8.1 resumes what was not paused"}),
    Case("pause: stopped", ERRORS, verbs=pause_stopped),
    *[Case("exit status %d" % n, "runtime.md, Lifecycle", verbs=exits(n)) for n in (0, 1, 5, 127, 255)],
    *[Case("ended by " + name, "runtime.md, Lifecycle", verbs=ends_by(name)) for name in ("KILL", "TERM", "SEGV")],
    Case("exec: status and output", "config.md, Process: args", verbs=execs("sh", "-c", "echo out; exit 9")),
    Case("exec: what a process there is", "config.md, Process", verbs=execs("probe", "process"), differs={"crun": "1.8.1 makes no session, and takes limits and noNewPrivileges from the caller"}),
    Case("exec: limits", "config.md, Process: rlimits", verbs=execs("probe", "limits"), differs={"crun": "1.8.1 makes no session, and takes limits and noNewPrivileges from the caller"}),
    Case("exec: no such program", "config.md, Process: args", verbs=lambda r, d: [started(r, d), r.call("exec", NAME, "no-such").returncode != 0][1]),
    Case("exec: user", "config.md, POSIX-platform User: uid, gid", verbs=execs("id", also=("--user", "5:6"))),
    Case("exec: directory", "config.md, Process: cwd", verbs=execs("pwd", also=("--cwd", "/data"))),
    Case("exec: environment", "config.md, Process: env", verbs=execs("sh", "-c", "echo $A $B $PATH", also=("--env", "A=1", "--env", "B=2")), differs={"crun": "1.8.1 forgets PATH and with it the program"}),
    Case("exec: created", ERRORS, verbs=exec_in("created")),
    Case("exec: stopped", ERRORS, verbs=exec_in("stopped")),
    Case("exec: no such container", ERRORS, verbs=exec_in("none")),
    Case("exec: a process document", "config.md, Process", verbs=exec_process(user={"uid": 5, "gid": 6, "additionalGids": [7]}, cwd="/data", noNewPrivileges=True),
         differs={"crun": "1.8.1 makes no session, and takes limits and noNewPrivileges from the caller"}),
    Case("exec: capabilities of a process document", "config.md, Process: capabilities", verbs=exec_process(
        capabilities={s: ["CAP_KILL"] for s in ("bounding", "effective", "permitted")}, noNewPrivileges=True), differs={"crun": "1.8.1 makes no session, and takes limits and noNewPrivileges from the caller"}),
    Case("exec: process documents that are wrong", ERRORS, verbs=exec_wrong_process),
    Case("update: pids", "config-linux.md, PIDs: limit", verbs=updates("--pids-limit", "33", files=("pids/pids.max",))),
    Case("update: memory", "config-linux.md, Memory: limit", verbs=updates("--memory", "67108864", files=("memory/memory.limit_in_bytes",))),
    Case("update: cpu", "config-linux.md, CPU: quota", verbs=updates("--cpu-quota", "20000", "--cpu-period", "50000", "--cpu-share", "77", files=(
        "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu/cpu.shares"))),
    Case("update: cpuset", "config-linux.md, CPU: cpus", verbs=updates("--cpuset-cpus", "0", files=("cpuset/cpuset.cpus",))),
    Case("update: what is no number", ERRORS, verbs=updates("--pids-limit", "many")),
    Case("ps", OPERATIONS + "Query State", verbs=ps),
    Case("list", OPERATIONS + "Query State", verbs=listing),
    Case("run: in the background", OPERATIONS + "Start", verbs=detached),
    Case("run: descriptors that are passed on", OPERATIONS + "Create", verbs=preserved),
    Case("run: descriptors that are not", OPERATIONS + "Create", verbs=leaked),
    Case("run: signals that the caller ignores", OPERATIONS + "Create", verbs=ignored_signal),
]
