# SPDX-License-Identifier: Apache-2.0
"""One bundle under several OCI runtimes, and what each makes of it.

A case is a change of the common configuration (lib/bundle.py), the clause of the runtime specification that it checks, and what is looked at:
what a program inside prints and returns, and with `host` what files of its control groups say. runc is what casemate-runtime is held to; crun too, unless the case says in
`differs` why one of them does not do what the clause says. A case that neither of Debian's runtimes does as the specification says, or knows at all, has the answer in `expect`."""
import copy
import dataclasses
import json
import os
import shutil
import subprocess
from typing import Callable, Optional

from lib import bundle, host

OURS = "casemate-runtime"
# Of the container and its control group: several runs may share the machine.
NAME = "casemate-oci-" + os.urandom(4).hex()
# Of Debian 12: what the notes of the cases were written about. With others a note may be out of date, which is no fault of ours.
NOTED = {"runc": "1.1.5", "crun": "1.8.1"}

# crun is confused by a v2 tree beside v1 controllers: all three get a mount namespace without it, and with what a case wants to have been mounted.
PRIVATE = """umount -q /sys/fs/cgroup/unified 2>/dev/null
%s
exec "$@" """


@dataclasses.dataclass
class Case:
    name: str
    clause: str                                # file and section of the specification
    change: Optional[Callable] = None          # of the configuration: a copy is changed in place
    run: object = "true"                       # a script, or a list of words
    host: tuple = ()                           # files of control groups, "CONTROLLER/FILE": read between create and delete
    expect: Optional[str] = None               # what the program prints, when no runtime here can be asked
    status: Optional[int] = None               # its exit status likewise
    differs: dict = dataclasses.field(default_factory=dict)  # runtime -> what it does, and why the clause says otherwise
    refused: Optional[str] = None              # nothing runs: casemate-runtime's error has this in it
    mounts: str = ""                           # shell commands that prepare mounts, in $BUNDLE
    owner: Optional[int] = None                # id that the root's files are given to
    verbs: Optional[Callable] = None           # a life of its own: called with (runtime) instead of `run`, returns what is compared


def put(path, value):
    """A change that sets one member, named with dots."""
    def change(document):
        *way, last = path.split(".")
        for name in way:
            document = document.setdefault(name, {})
        document[last] = value
    return change


def mount(**what):
    return lambda c: c["mounts"].append(what)


def both(*changes):
    def change(document):
        for one in changes:
            one(document)
    return change


def namespaces(*types, **paths):
    """Exactly these namespaces."""
    return lambda c: c["linux"].update(namespaces=[{"type": t} for t in types] + [{"type": t, "path": p} for t, p in paths.items()])


def without(*types):
    return lambda c: c["linux"].update(namespaces=[n for n in c["linux"]["namespaces"] if n["type"] not in types])


def probe(*words):
    return ["probe", *words]


class Compared(bundle.Runtime):
    """A runtime in a mount namespace of its own, with a bundle that is made anew for each case. The bundle's path is the same for all of them."""

    def __init__(self, name, program, base, env):
        super().__init__([program], base, env)
        self.name, self.program = name, program
        self.root = os.path.join(base, "state-" + name)
        self.prepare("")

    def prepare(self, mounts):
        script = PRIVATE % mounts.replace("$BUNDLE", self.bundle)
        self.words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self.program]

    def fresh(self, pristine, owner):
        shutil.rmtree(self.bundle, ignore_errors=True)
        os.makedirs(self.bundle)
        rootfs = os.path.join(self.bundle, "rootfs")
        subprocess.run(["cp", "-a", pristine, rootfs], check=True)
        if owner is not None:
            subprocess.run(["chown", "-R", "%d:%d" % (owner, owner), rootfs], check=True)

    def look(self, files):
        """What files of the container's control groups say."""
        pid = self.state(NAME)["pid"]
        groups = host.cgroup_of(pid)
        said = {}
        for name in files:
            controller, file = name.split("/")
            path = next((p for c, p in groups.items() if controller in c.split(",")), None)
            where = [os.path.join(host.CGROUP_ROOT, d) for d in os.listdir(host.CGROUP_ROOT) if controller in d.split(",")]
            said[name] = host.read(os.path.join(where[0] + path, file), "absent").strip() if where and path else "no controller"
        return said


def document_of(case, runtime):
    document = copy.deepcopy(bundle.CONFIG)
    document["process"]["args"] = case.run if isinstance(case.run, list) else ["sh", "-c", case.run]
    document["linux"]["cgroupsPath"] = "/" + NAME
    if case.change:
        case.change(document)
    return json.loads(json.dumps(document).replace("$BUNDLE", runtime.bundle))


def answer(case, runtime, pristine):
    """(what is compared, the error) of one case under one runtime."""
    runtime.fresh(pristine, case.owner)
    runtime.prepare(case.mounts)
    try:
        if case.verbs:
            return case.verbs(runtime, document_of(case, runtime)), ""
        if case.host:
            return look_from_outside(case, runtime)
        done = runtime.run(json.dumps(document_of(case, runtime)), name=NAME)
        if case.refused:
            return done.returncode != 0, done.stderr
        return (done.returncode, done.stdout), done.stderr
    finally:
        runtime.call("delete", "--force", NAME)
        runtime.prepare("")
        remove_parents()


def remove_parents():
    """What is above the group that a container is in stays, whoever has made it."""
    for where in os.listdir(host.CGROUP_ROOT):
        for path in (NAME + "/a", NAME):
            if os.path.isdir(os.path.join(host.CGROUP_ROOT, where, path)):
                os.rmdir(os.path.join(host.CGROUP_ROOT, where, path))


def look_from_outside(case, runtime):
    status, error = runtime.create(json.dumps(document_of(case, runtime)), NAME)
    return (runtime.look(case.host) if status == 0 else "not created"), error
