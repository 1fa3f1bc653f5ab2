# SPDX-License-Identifier: Apache-2.0
"""config.md: mounts, their options; config-linux.md: default file systems, idmapped mounts."""
from .compare import Case, both, mount, put

CLAUSE = "config.md, Mounts: "
OPTIONS = "config.md, Linux mount options: "
SOURCE = "$BUNDLE/host"
# What a case binds: a file system of its own with another one in it.
HOST = "mkdir -p $BUNDLE/host; mount -t tmpfs host $BUNDLE/host; mkdir -p $BUNDLE/host/sub; echo text >$BUNDLE/host/file; mount -t tmpfs sub $BUNDLE/host/sub; echo deep >$BUNDLE/host/sub/deep"


def bind(*options, destination="/m", source=SOURCE, **more):
    return mount(destination=destination, type="bind", source=source, options=list(options), **more)


def tmpfs(*options, destination="/t", **more):
    return mount(destination=destination, type="tmpfs", source="tmpfs", options=list(options), **more)


OVER_PROC = "lets a tmpfs hide what labels and limits are written to (CVE-2019-19921)"
ALONE = "1.8.1 makes all private first, unless linux.rootfsPropagation says otherwise; by runc, and by the kernel's documentation of what a bind copies, it stays a slave"
SHOWN = "probe mounts /m /m/sub | cut -d' ' -f1-3"
# Both of Debian's runtimes are older than these words.
RECURSIVE = {"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnoatime": "noatime", "rnodiratime": "nodiratime", "rnosymfollow": "nosymfollow"}

CASES = [
    Case("in the order that is listed", CLAUSE + "mounts", both(tmpfs(destination="/t"), tmpfs("size=4k", destination="/t/inner")), "probe mounts /t /t/inner"),
    Case("the later one covers the earlier", CLAUSE + "mounts", both(tmpfs(destination="/t"), bind("bind", destination="/t", source="$BUNDLE/rootfs/data")), "ls /t"),
    Case("destination: made when it is missing", CLAUSE + "destination", tmpfs(destination="/a/b/c"), "probe mounts /a/b/c; stat -c %a /a /a/b",
         differs={"crun": "1.8.1 makes directories with the mode 1755"}),
    Case("destination: with dots and slashes", CLAUSE + "destination", tmpfs(destination="/data/../t//x/./y/"), "probe mounts /t/x/y"),
    Case("destination: dots do not lead out", CLAUSE + "destination", tmpfs(destination="/../../../../t"), "probe mounts /t"),
    Case("destination: relative", CLAUSE + "destination", tmpfs(destination="t"), "probe mounts /t"),
    Case("destination: missing", CLAUSE + "destination", mount(type="tmpfs", source="tmpfs"), refused="mounts[5].destination"),
    Case("destination: through a link of the image", CLAUSE + "destination", tmpfs(destination="/link/x"), "ls -d /data/x; probe mounts /data/x", mounts="ln -s data $BUNDLE/rootfs/link"),
    Case("type: bind by option only", CLAUSE + "type", mount(destination="/m", source="$BUNDLE/rootfs/data", options=["bind"]), "cat /m/file"),
    Case("type: a file system that the kernel does not have", CLAUSE + "type", mount(destination="/m", type="no-such-fs", source="x"), refused="mounts[5]"),
    Case("type: missing, no bind", CLAUSE + "type", mount(destination="/m", source="x"), refused="mounts[5]"),
    Case("source: relative to the bundle", CLAUSE + "source", bind("bind", source="rootfs/data"), "cat /m/file"),
    Case("source: a file", CLAUSE + "source", bind("bind", destination="/etc/new/file", source="$BUNDLE/rootfs/data/file"), "cat /etc/new/file; stat -c %F /etc/new/file"),
    Case("source: a file over a file of the image", CLAUSE + "source", bind("bind", destination="/etc/passwd", source="$BUNDLE/rootfs/data/file"), "cat /etc/passwd"),
    Case("source: a directory over a file", CLAUSE + "source", bind("bind", destination="/etc/passwd", source="$BUNDLE/rootfs/data"), refused="mounts[5]"),
    Case("source: no such file", CLAUSE + "source", bind("bind", source="/no/such"), refused="/no/such"),
    Case("options: bind does not take what is below", OPTIONS + "bind", bind("bind"), SHOWN + "; ls -A /m /m/sub", mounts=HOST),
    Case("options: rbind does", OPTIONS + "rbind", bind("rbind"), SHOWN + "; cat /m/sub/deep", mounts=HOST),
    Case("options: ro of a bind", OPTIONS + "ro", bind("bind", "ro"), SHOWN + "; touch /m/x 2>&1; cat /m/file", mounts=HOST),
    Case("options: ro of rbind is not for what is below", OPTIONS + "ro", bind("rbind", "ro"), SHOWN + "; touch /m/x 2>&1; touch /m/sub/x && echo made", mounts=HOST),
    Case("options: rw", OPTIONS + "rw", bind("rbind", "rw"), SHOWN + "; touch /m/x && echo made", mounts=HOST),
    *[Case("options: %s of a bind" % " ".join(words), OPTIONS + words[0], bind("bind", *words), SHOWN, mounts=HOST) for words in (
        ("nosuid",), ("nodev",), ("noexec",), ("noatime",), ("nodiratime",), ("relatime",), ("strictatime",), ("ro", "nosuid", "nodev", "noexec"))],
    Case("options: the last of two that exclude each other wins", OPTIONS + "ro, rw", tmpfs("ro", "rw", "noexec", "exec", "nosuid"), "probe mounts /t; touch /t/x && echo made",
         differs={"crun": "1.8.1 does not take back what an earlier word has set"}),
    Case("options: nosymfollow", OPTIONS + "nosymfollow", bind("bind", "nosymfollow", source="$BUNDLE/rootfs/data"), "cat /m/link 2>&1; probe mounts /m | grep -c nosymfollow",
         mounts="ln -s file $BUNDLE/rootfs/data/link", differs={"crun": "1.8.1 does not know the word and passes it over"}),
    *[Case("options: " + word, OPTIONS + word, bind("rbind", word), "probe mounts /m /m/sub | grep -c -E '[ ,]%s[ ,]'" % plain, mounts=HOST, expect="2\n", status=0)
      for word, plain in RECURSIVE.items()],
    Case("options: rrw undoes what was below", OPTIONS + "rrw", both(bind("rbind", "rro"), mount(destination="/m", options=["remount", "bind", "rrw"])),
         SHOWN + " | cut -d' ' -f2 | cut -d, -f1", mounts=HOST, expect="rw\nrw\n", status=0),
    *[Case("options: propagation " + word, OPTIONS + word, bind("rbind", word), SHOWN, mounts=HOST + "; mount --make-rshared $BUNDLE/host",
            differs={"crun": ALONE} if word not in ("rprivate",) else {})
      for word in ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable")],
    Case("options: propagation of a bind without a word", OPTIONS + "rprivate", bind("rbind"), SHOWN, mounts=HOST + "; mount --make-rshared $BUNDLE/host",
         differs={"crun": ALONE}),
    Case("options: remount", OPTIONS + "remount", both(bind("bind"), mount(destination="/m", type="bind", source=SOURCE, options=["bind", "remount", "ro", "nosuid"])),
         SHOWN, mounts=HOST),
    Case("options: an option that the file system does not know", OPTIONS + "data", tmpfs("no-such-option"), refused="mounts[5]"),
    Case("tmpfs: size and number of files", OPTIONS + "data", tmpfs("size=1m", "nr_inodes=3"), "probe mounts /t; dd if=/dev/zero of=/t/a bs=1M count=2 2>&1 | grep -c space; "
         "touch /t/b; touch /t/c 2>&1; true"),
    Case("tmpfs: mode, uid, gid", OPTIONS + "data", tmpfs("mode=1711", "uid=5", "gid=6"), "stat -c '%a %u %g' /t; probe mounts /t"),
    Case("tmpfs: mode of a new directory", OPTIONS + "data", tmpfs(), "stat -c %a /t"),
    Case("tmpfs: mode of the directory that it covers", OPTIONS + "data", tmpfs(destination="/tmp"), "stat -c %a /tmp"),
    Case("tmpfs: ro", OPTIONS + "ro", tmpfs("ro", destination="/tmp"), "stat -c %a /tmp; touch /tmp/x 2>&1; probe mounts /tmp"),
    Case("tmpfs: noexec, nosuid, nodev", OPTIONS + "noexec", tmpfs("noexec", "nosuid", "nodev"), "cp /bin/probe /t/p 2>/dev/null || cat /bin/probe >/t/p; chmod 755 /t/p; /t/p limits 2>&1; "
         "probe mounts /t"),
    Case("tmpfs: noatime", OPTIONS + "noatime", tmpfs("noatime", "nodiratime"), "probe mounts /t"),
    Case("tmpfs: strictatime", OPTIONS + "strictatime", tmpfs("strictatime"), "probe mounts /t"),
    Case("tmpcopyup", OPTIONS + "tmpcopyup", tmpfs("tmpcopyup", destination="/data"), "cat /data/file /data/inner/deep; touch /data/new && ls /data; probe mounts /data"),
    Case("tmpcopyup: links and modes", OPTIONS + "tmpcopyup", tmpfs("tmpcopyup", destination="/data"), "readlink /data/link; stat -c '%a %u %g' /data/file /data",
         mounts="ln -s ../etc/passwd $BUNDLE/rootfs/data/link; chmod 4750 $BUNDLE/rootfs/data/file; chown 5:6 $BUNDLE/rootfs/data/file; chmod 4750 $BUNDLE/rootfs/data/file",
         differs={"crun": "1.8.1 gives the mode of /tmp instead of that of the directory"}),
    Case("tmpcopyup: read-only", OPTIONS + "tmpcopyup", tmpfs("tmpcopyup", "ro", destination="/data"), "cat /data/file; touch /data/x 2>&1; true"),
    Case("proc: as the common configuration has it", "config-linux.md, Default Filesystems", None, "probe mounts /proc /dev /dev/pts /dev/shm; probe mounts /sys | cut -d' ' -f1-5; ls /dev/pts /dev/shm"),
    Case("proc: hidepid", "config-linux.md, Default Filesystems", lambda c: c["mounts"][0]["options"].append("hidepid=2"), "probe mounts /proc"),
    Case("proc: not over a file of it", "config.md, Mounts", tmpfs(destination="/proc/sys"), refused="/proc",
         differs={"runc": OVER_PROC, "crun": OVER_PROC}, expect="refused"),
    Case("proc: what shows limits may cover its files", "config.md, Mounts", bind("bind", destination="/proc/meminfo", source="$BUNDLE/rootfs/data/file"), "cat /proc/meminfo"),
    Case("mqueue", "config-linux.md, Default Filesystems", mount(destination="/dev/mqueue", type="mqueue", source="mqueue", options=["nosuid", "noexec", "nodev"]),
         "probe mounts /dev/mqueue; ls -A /dev/mqueue"),
    Case("cgroup: read-only", "config-linux.md, Control groups", mount(destination="/sys/fs/cgroup", type="cgroup", source="cgroup", options=["nosuid", "noexec", "nodev", "relatime", "ro"]),
         "probe mounts /sys/fs/cgroup | cut -d' ' -f1,4; for c in memory pids cpu cpuset freezer; do ls -d /sys/fs/cgroup/$c; test -s /sys/fs/cgroup/$c/cgroup.procs && echo has; done; mkdir /sys/fs/cgroup/pids/x 2>&1; true"),
    Case("cgroup: with a namespace of its own", "config-linux.md, Control groups", both(lambda c: c["linux"]["namespaces"].append({"type": "cgroup"}), mount(
        destination="/sys/fs/cgroup", type="cgroup", source="cgroup", options=["nosuid", "noexec", "nodev", "relatime", "ro"])), "cat /proc/self/cgroup | cut -d: -f3 | sort -u; "
        "cat /sys/fs/cgroup/pids/cgroup.procs | head -1; mkdir /sys/fs/cgroup/pids/x 2>&1; true"),
    Case("idmap: of a bind", "config.md, POSIX-platform Mounts: uidMappings", bind("bind", uidMappings=[{"containerID": 0, "hostID": 1000, "size": 100}],
                                                                                  gidMappings=[{"containerID": 0, "hostID": 1000, "size": 100}]),
         "stat -c '%u %g' /m/file", mounts=HOST, expect="1000 1000\n", status=0),
    Case("idmap: uidMappings alone", "config.md, POSIX-platform Mounts: uidMappings", bind("bind", uidMappings=[{"containerID": 0, "hostID": 1000, "size": 100}]), mounts=HOST,
         refused="mounts[5]", expect="refused"),
    Case("label: mountLabel where there is no SELinux", "config-linux.md, Mount Label", put("linux.mountLabel", "system_u:object_r:x_t:s0"), "echo runs",
         differs={"runc": "1.1.5 passes it to the kernel, which refuses it"}),
]
