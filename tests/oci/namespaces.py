# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: namespaces, mappings of ids, time offsets, rootfsPropagation."""
import os

from .compare import Case, both, mount, namespaces, put, without

CLAUSE = "config-linux.md, Namespaces"
MAPPINGS = "config-linux.md, User namespace mappings"
ID = 700000
SHARED = "mounts in the caller's namespace, which is the host's: nobody can mean that"
NAMES = ("pid", "net", "mnt", "ipc", "uts", "cgroup", "user")


def own(*expected):
    """A script that says of each namespace whether it is the one of the caller."""
    pairs = ["%s %s" % (n, os.readlink("/proc/self/ns/" + n)) for n in NAMES]
    return "while read n id; do test \"$(readlink /proc/self/ns/$n)\" = \"$id\" && echo $n shared || echo $n own; done <<END\n" + "\n".join(pairs) + "\nEND"


def user_namespace(count=65536, **more):
    def change(c):
        c["linux"]["namespaces"].append({"type": "user"})
        c["linux"]["uidMappings"] = more.get("uids", [{"containerID": 0, "hostID": ID, "size": count}])
        c["linux"]["gidMappings"] = more.get("gids", [{"containerID": 0, "hostID": ID, "size": count}])
        c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/sys"] + [
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}]
    return change


CASES = [
    Case("the common five", CLAUSE, None, own()),
    Case("without pid", CLAUSE + ", pid", without("pid"), own() + "; test $$ -gt 1 && echo shared"),
    Case("without network", CLAUSE + ", network", both(without("network"), lambda c: c["mounts"].pop()), own()),
    Case("without ipc", CLAUSE + ", ipc", without("ipc"), own()),
    Case("without uts", CLAUSE + ", uts", both(without("uts"), lambda c: c.pop("hostname")), own() + "; test -n \"$(hostname)\" && echo named"),
    Case("without uts, with a hostname", CLAUSE + ", uts", without("uts"), refused="hostname"),
    Case("with cgroup", CLAUSE + ", cgroup", lambda c: c["linux"]["namespaces"].append({"type": "cgroup"}), own() + "; cut -d: -f3 /proc/self/cgroup | sort -u"),
    Case("only mount", CLAUSE, both(namespaces("mount"), lambda c: c.pop("hostname"), lambda c: c["mounts"].pop()), own()),
    Case("without mount, but with mounts", CLAUSE + ", mount", both(without("mount"), put("linux.maskedPaths", []), put("linux.readonlyPaths", [])), refused="mount",
         differs={"crun": SHARED, "runc": SHARED}, expect="refused"),
    Case("a type twice", CLAUSE, lambda c: c["linux"]["namespaces"].append({"type": "pid"}), refused="linux.namespaces[5].type",
         differs={"crun": "1.8.1 takes it; a type MUST NOT occur twice"}),
    Case("a type that is not known", CLAUSE, lambda c: c["linux"]["namespaces"].append({"type": "weather"}), refused="linux.namespaces[5].type"),
    Case("by path: network of the caller", CLAUSE + ", path", both(without("network"), lambda c: c["mounts"].pop(), lambda c: c["linux"]["namespaces"].append(
        {"type": "network", "path": "/proc/%d/ns/net" % os.getpid()})), own()),
    Case("by path: ipc and uts of the caller", CLAUSE + ", path", both(without("ipc", "uts"), lambda c: c.pop("hostname"), lambda c: c["linux"]["namespaces"].extend(
        [{"type": t, "path": "/proc/%d/ns/%s" % (os.getpid(), t)} for t in ("ipc", "uts")])), own()),
    Case("by path: no such file", CLAUSE + ", path", both(without("network"), lambda c: c["linux"]["namespaces"].append({"type": "network", "path": "/no/such"})),
         refused="/no/such"),
    Case("by path: of another type", CLAUSE + ", path", both(without("network"), lambda c: c["linux"]["namespaces"].append(
        {"type": "network", "path": "/proc/self/ns/uts"})), refused="is not a network namespace"),
    Case("by path: relative", CLAUSE + ", path", both(without("network"), lambda c: c["linux"]["namespaces"].append({"type": "network", "path": "proc/self/ns/net"})),
         refused="path"),
    Case("network: loopback is up and alone", CLAUSE + ", network", None, "ip -o addr show | awk '{ print $2, $4 }'; ip link | grep -c UP"),
    Case("user: mapped ids", MAPPINGS, user_namespace(), "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; touch /tmp/a && stat -c '%u %g' /tmp/a", owner=ID),
    Case("user: several ranges", MAPPINGS, user_namespace(uids=[{"containerID": 0, "hostID": ID, "size": 10}, {"containerID": 10, "hostID": ID + 100, "size": 50}],
                                                           gids=[{"containerID": 0, "hostID": ID, "size": 100}]), "cat /proc/self/uid_map /proc/self/gid_map", owner=ID),
    Case("user: another user in it", MAPPINGS, both(user_namespace(), put("process.user", {"uid": 5, "gid": 6, "additionalGids": [7]})), "probe process", owner=ID),
    Case("user: default devices work", MAPPINGS, user_namespace(), "echo x >/dev/null && echo written; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c", owner=ID),
    Case("user: capabilities are of it", MAPPINGS, both(user_namespace(), put("process.capabilities", {s: ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT"] for s in (
        "bounding", "effective", "permitted")})), "probe process; touch /tmp/a; probe call 161 0; grep -c . /proc/self/uid_map", owner=ID),
    Case("user: a user that is not mapped", MAPPINGS, both(user_namespace(count=10), put("process.user", {"uid": 5000, "gid": 0})), owner=ID, refused="mapped"),
    Case("user: no mappings", MAPPINGS, lambda c: c["linux"]["namespaces"].append({"type": "user"}), refused="Mappings",
         differs={"crun": "1.8.1 makes a mapping of its own"}),
    Case("user: mappings without a namespace", MAPPINGS, both(put("linux.uidMappings", [{"containerID": 0, "hostID": ID, "size": 10}]),
                                                             put("linux.gidMappings", [{"containerID": 0, "hostID": ID, "size": 10}])), refused="linux.uidMappings",
         differs={"crun": "1.8.1 ignores them", "runc": "1.1.5 ignores them: they would be a silent promise"}, expect="refused"),
    Case("time: offsets", "config-linux.md, Offset for Time Namespace", both(lambda c: c["linux"]["namespaces"].append({"type": "time"}), put(
        "linux.timeOffsets", {"monotonic": {"secs": 100000}, "boottime": {"secs": 200000, "nanosecs": 5}})),
        "probe clocks | (read m b; test $m -gt 100000 && test $b -gt $((m + 90000)) && echo moved; cat /proc/self/timens_offsets)",
        expect="moved\nmonotonic      100000         0\nboottime       200000         5\n", status=0),
    Case("time: a clock that has no offset", "config-linux.md, Offset for Time Namespace", both(lambda c: c["linux"]["namespaces"].append({"type": "time"}), put(
        "linux.timeOffsets", {"realtime": {"secs": 1}})), refused="linux.timeOffsets.realtime", expect="refused"),
    *[Case("rootfsPropagation: " + word, "config-linux.md, Rootfs Mount Propagation", put("linux.rootfsPropagation", word), "probe mounts / | cut -d' ' -f1,3",
            differs={"runc": "1.1.5 leaves the root private"} if "shared" in word else {})
      for word in ("private", "rprivate", "slave", "rslave", "shared", "rshared")],
    *[Case("rootfsPropagation: " + word, "config-linux.md, Rootfs Mount Propagation", put("linux.rootfsPropagation", word), "probe mounts / | cut -d' ' -f1,3", expect="/ unbindable\n",
           status=0, differs={"runc": "1.1.5 binds the root after it has made that impossible", **({"crun": "1.8.1 likewise masks paths"} if word == "runbindable" else {})})
      for word in ("unbindable", "runbindable")],
    Case("rootfsPropagation: what is shared and mounted inside is seen outside", "config-linux.md, Rootfs Mount Propagation", both(put("linux.rootfsPropagation", "rshared"), mount(
        destination="/m", type="bind", source="$BUNDLE/host", options=["rbind", "rshared"])), "probe mounts /m | cut -d' ' -f1,3",
        mounts="mkdir $BUNDLE/host; mount -t tmpfs host $BUNDLE/host; mount --make-shared $BUNDLE/host"),
    Case("rootfsPropagation: a word that is not known", "config-linux.md, Rootfs Mount Propagation", put("linux.rootfsPropagation", "wide"), refused="linux.rootfsPropagation",
         differs={"crun": "1.8.1 takes it as an option of mount(2)"}),
]
