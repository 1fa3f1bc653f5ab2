# SPDX-License-Identifier: Apache-2.0
"""config.md: POSIX-platform hooks; runtime.md: when they run. Each hook writes to a file beside the bundle's root what it sees."""
import json
import os

from lib import host

from .compare import NAME, Case

CLAUSE = "config.md, POSIX-platform Hooks: "
KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
WAITS = ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.02; done"]


def hook(script, **more):
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"], **more}


def trace(kind, path):
    """The kind, the state that comes on standard input, and which namespace the hook is in."""
    return hook("s=$(cat | sed -n 's/.*\"status\": *\"\\([a-z]*\\)\".*/\\1/p'); test $(readlink /proc/self/ns/uts) = %s && where=host || where=container; echo %s $s $where >>%s" % (
        os.readlink("/proc/self/ns/uts"), kind, path))


def with_hooks(**hooks):
    return lambda c: c.update(hooks=hooks)


def traced(*kinds):
    return with_hooks(**{k: [trace(k, "/data/trace" if k == "startContainer" else "$BUNDLE/trace")] for k in kinds})


def life(runtime, document):
    """create, start, delete --force; what the hooks had written after each."""
    document["process"]["args"] = WAITS
    files = [os.path.join(runtime.bundle, "trace"), os.path.join(runtime.bundle, "rootfs/data/trace")]
    said = []

    def look(status):
        said.append((status, [host.read(f) for f in files]))
    status, _ = runtime.create(json.dumps(document), NAME)
    look(status == 0)
    look(runtime.call("start", NAME).returncode == 0)
    look(runtime.call("delete", "--force", NAME).returncode == 0)
    return said


def foreground(runtime, document):
    """run; whether it succeeds, and what the hooks and the program have written."""
    done = runtime.run(json.dumps(document), name=NAME)
    return done.returncode == 0, done.stdout, host.read(os.path.join(runtime.bundle, "trace")), runtime.call("state", NAME).returncode


def failing(kind):
    return with_hooks(**{kind: [hook("echo first >>%s" % where(kind)), hook("exit 3"), hook("echo third >>%s" % where(kind))]})


def where(kind):
    return "/data/trace" if kind == "startContainer" else "$BUNDLE/trace"


def start_fails(runtime, document):
    """Of 1.3, with which the older versions do not agree: runc runs the hook too early, crun goes on."""
    created, error = runtime.create(json.dumps(document), NAME)
    assert created == 0, error
    started = runtime.call("start", NAME).returncode
    return {"start": started, "trace": host.read(os.path.join(runtime.bundle, "trace")), "status": runtime.state(NAME)["status"]}


def state_of(kind):
    """The members of the state that a hook gets, and the id."""
    return with_hooks(**{kind: [hook("cat >%s" % where(kind))]})


def read_state(runtime, document):
    done = runtime.run(json.dumps(document), name=NAME)
    text = host.read(os.path.join(runtime.bundle, "trace")) or host.read(os.path.join(runtime.bundle, "rootfs/data/trace"))
    state = json.loads(text) if text else {}
    return done.returncode, state.get("id"), state.get("bundle") == runtime.bundle, state.get("status"), state.get("pid", 0) > 0, state.get("annotations"), bool(state.get("ociVersion"))


def annotated(change):
    def both(c):
        change(c)
        c["annotations"] = {"org.example": "x"}
    return both


def order(runtime, document):
    """The kinds of hooks as they run, without the state that each gets."""
    return [(succeeds, [[line.split()[0] for line in text.splitlines()] for text in texts]) for succeeds, texts in life(runtime, document)]


def status_differs(kind):
    """runtime.md, State: creating until the create is done, created before the start, running after it."""
    if kind == "poststart":
        return {"runc": "1.1.5 runs poststart at the end of create and says created to it"}
    return {} if kind == "poststop" else {"crun": "1.8.1 says %s to %s" % ("starting" if kind == "startContainer" else "created", kind)}


CASES = [
    *[Case(kind + ": when and where", CLAUSE + kind, traced(kind), verbs=life, differs=status_differs(kind)) for kind in KINDS],
    Case("all of them, in order", "runtime.md, Lifecycle", traced(*KINDS), verbs=order, differs={"runc": "1.1.5 runs poststart at the end of create"}),
    Case("several of a kind run in order", CLAUSE + "createRuntime", with_hooks(createRuntime=[hook("echo %d >>$BUNDLE/trace" % n) for n in (1, 2, 3)]), verbs=foreground),
    *[Case(kind + ": the state on standard input", "runtime.md, State", annotated(state_of(kind)), verbs=read_state, differs=status_differs(kind))
      for kind in ("createRuntime", "createContainer", "poststart", "poststop")],
    *[Case(kind + ": one that fails ends the creation", "runtime.md, Lifecycle", failing(kind), "echo ran", verbs=foreground) for kind in KINDS[:4]],
    Case("poststart: one that fails ends the container", "runtime.md, Lifecycle, 9", failing("poststart"), ["sleep", "1000"], verbs=start_fails,
         expect={"start": 1, "trace": "first\n", "status": "stopped"}),
    Case("poststop: one that fails is only a warning", "runtime.md, Lifecycle, 13", failing("poststop"), "echo ran", verbs=foreground,
         differs={"runc": "1.1.5 does not go on with the next ones"}),
    Case("env: only what is given", CLAUSE + "env", with_hooks(createRuntime=[{"path": "/usr/bin/env", "args": ["env"], "env": ["A=1"]},
                                                                             {"path": "/bin/sh", "args": ["sh", "-c", "env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' | sort >$BUNDLE/trace"], "env": ["B=2", "PATH=/usr/bin"]}]), verbs=foreground),
    Case("args: the first one is the name", CLAUSE + "args", with_hooks(createRuntime=[{"path": "/bin/sh", "args": ["other", "-c", "echo $0 $1 >$BUNDLE/trace", "zero", "one"], "env": ["PATH=/bin"]}]), verbs=foreground),
    Case("path: no such program", CLAUSE + "path", with_hooks(createRuntime=[{"path": "/no/such"}]), refused="hooks.createRuntime[0]"),
    Case("path: relative", CLAUSE + "path", with_hooks(createRuntime=[{"path": "bin/true"}]), refused="hooks.createRuntime[0].path", expect="refused"),
    Case("timeout: one that hangs is ended", CLAUSE + "timeout", with_hooks(createRuntime=[hook("sleep 100", timeout=1)]), refused="hooks.createRuntime[0]",
         differs={"runc": "1.1.5 waits for what the hook has left running"}, expect="refused"),
    Case("timeout: 0", CLAUSE + "timeout", with_hooks(createRuntime=[hook("true", timeout=0)]), refused="hooks.createRuntime[0].timeout", expect="refused"),
    Case("prestart: may set up the network", CLAUSE + "prestart", with_hooks(prestart=[hook(
        "p=$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p'); nsenter -t $p -n ip link add made type dummy 2>/dev/null || nsenter -t $p -n ip link set lo mtu 1400")]),
        "ip link | grep -c -E 'made|mtu 1400'"),
    Case("createContainer: sees the mounts before the root is changed", CLAUSE + "createContainer", with_hooks(createContainer=[hook(
        "grep -c ' $BUNDLE/rootfs/proc ' /proc/self/mountinfo >$BUNDLE/trace")]), verbs=foreground),
    Case("startContainer: runs in the root of the container", CLAUSE + "startContainer", with_hooks(startContainer=[hook("cat /data/file >/data/trace; ls / >>/data/trace")]), "cat /data/trace"),
]
