# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: masked and read-only paths, devices, default devices."""
from .compare import Case, both, mount, probe, put

MASKED, READ_ONLY = "config-linux.md, Masked Paths", "config-linux.md, Readonly Paths"
DEVICES, DEFAULTS = "config-linux.md, Devices", "config-linux.md, Default Devices"
MKNOD = {s: ["CAP_MKNOD"] for s in ("bounding", "effective", "permitted")}
CORE = "1.8.1 adds /dev/core, which the specification does not have"


def device(path, kind="c", major=1, minor=5, **more):
    return put("linux.devices", [{"path": path, "type": kind, **({} if kind == "p" else {"major": major, "minor": minor}), **more}])


CASES = [
    Case("maskedPaths: a file", MASKED, put("linux.maskedPaths", ["/data/file"]), "cat /data/file | wc -c; stat -c '%F' /data/file"),
    Case("maskedPaths: a directory", MASKED, put("linux.maskedPaths", ["/data"]), "ls -A /data; touch /data/x 2>&1; probe mounts /data | cut -d' ' -f1,4"),
    Case("maskedPaths: several directories", MASKED, put("linux.maskedPaths", ["/data", "/etc", "/root"]), "ls -A /data /etc /root"),
    Case("maskedPaths: what is missing is passed over", MASKED, put("linux.maskedPaths", ["/no/such", "/data/none"]), "cat /data/file"),
    Case("maskedPaths: of /proc and /sys", MASKED, put("linux.maskedPaths", ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"]),
         "for f in /proc/kcore /proc/keys /proc/timer_list; do cat $f | wc -c; done; ls -A /proc/scsi /sys/firmware 2>/dev/null | grep -v :"),
    Case("maskedPaths: relative", MASKED, put("linux.maskedPaths", ["data"]), refused="linux.maskedPaths[0]",
         differs={"runc": "1.1.5 takes it as from the root", "crun": "1.8.1 takes it as from the root: the path MUST be absolute"}, expect="refused"),
    Case("maskedPaths: none", MASKED, put("linux.maskedPaths", []), "test -r /proc/keys && echo seen"),
    Case("readonlyPaths: a directory", READ_ONLY, put("linux.readonlyPaths", ["/data"]), "touch /data/x 2>&1; cat /data/inner/deep; probe mounts /data | cut -d' ' -f1,2"),
    Case("readonlyPaths: a file", READ_ONLY, put("linux.readonlyPaths", ["/data/file"]), "echo x >>/data/file; cat /data/file; touch /data/x && echo made"),
    Case("readonlyPaths: what is missing is passed over", READ_ONLY, put("linux.readonlyPaths", ["/no/such"]), "echo runs"),
    Case("readonlyPaths: of /proc", READ_ONLY, put("linux.readonlyPaths", ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq"]),
         "for p in /proc/sys /proc/sysrq-trigger /proc/irq; do probe mounts $p | cut -d' ' -f1-3; done; probe open w /proc/sys/kernel/shmmax /proc/sysrq-trigger",
         differs={"crun": "1.8.1 loses nosuid, nodev and noexec of what it makes read-only"}),
    Case("readonlyPaths: keeps nosuid and the like", READ_ONLY, both(mount(destination="/t", type="tmpfs", source="tmpfs", options=["nosuid", "nodev", "noexec"]),
         put("linux.readonlyPaths", ["/t"])), "probe mounts /t | tail -1 | cut -d' ' -f1,2", differs={"crun": "1.8.1 loses nosuid, nodev and noexec of what it makes read-only"}),
    Case("default devices", DEFAULTS, None, probe("devices", "/dev"), differs={"crun": CORE}),
    Case("default devices: work", DEFAULTS, None, "echo x >/dev/null; head -c 3 /dev/zero | wc -c; echo x >/dev/full 2>&1; head -c 3 /dev/random | wc -c; head -c 3 /dev/urandom | wc -c; "
         "probe open rw /dev/tty /dev/ptmx /dev/pts/ptmx"),
    Case("default devices: without a mount at /dev", DEFAULTS, lambda c: c.update(mounts=[m for m in c["mounts"] if not m["destination"].startswith("/dev")]), probe("devices", "/dev"), differs={"crun": CORE}),
    Case("devices: character", DEVICES, device("/dev/mine", fileMode=0o600, uid=3, gid=4), "probe devices /dev | grep -v ^core"),
    Case("devices: default mode", DEVICES, device("/dev/mine"), "probe devices /dev | grep mine"),
    Case("devices: u is c", DEVICES, device("/dev/mine", "u", fileMode=0o640), "probe devices /dev | grep mine"),
    Case("devices: block", DEVICES, device("/dev/disk", "b", 7, 200, fileMode=0o660, uid=0, gid=6), "probe devices /dev | grep disk; probe open r /dev/disk"),
    Case("devices: pipe", DEVICES, device("/dev/pipe", "p", fileMode=0o644), "probe devices /dev | grep pipe"),
    Case("devices: directories are made", DEVICES, device("/dev/a/b/mine", fileMode=0o666), "probe devices /dev/a/b; stat -c %a /dev/a"),
    Case("devices: outside of /dev", DEVICES, device("/data/mine", fileMode=0o666), "probe devices /data"),
    Case("devices: one of the default ones, otherwise", DEVICES, device("/dev/null", "c", 1, 3, fileMode=0o600, uid=5, gid=6), "probe devices /dev | grep null",
         differs={"runc": "1.1.5 cannot open its own /dev/null then", "crun": "1.8.1 takes the mode, but not the owner"}, expect="null 20600 1:3 5:6 \n", status=0),
    Case("devices: in place of a file of the image", DEVICES, device("/data/file", fileMode=0o666), refused="/data/file",
         differs={"runc": "1.1.5 leaves the file as it is", "crun": "1.8.1 leaves the file as it is: the runtime MUST generate an error"}, expect="refused"),
    Case("devices: without major", DEVICES, put("linux.devices", [{"path": "/dev/mine", "type": "c", "minor": 1}]), refused="linux.devices[0].major",
         differs={"runc": "1.1.5 takes 0", "crun": "1.8.1 takes 0; REQUIRED unless it is a pipe"}, expect="refused"),
    Case("devices: relative path", DEVICES, device("mine"), refused="linux.devices[0].path",
         differs={"runc": "1.1.5 takes it as from the root", "crun": "1.8.1 takes it as from the root"}, expect="refused"),
    Case("devices: a type that is not known", DEVICES, device("/dev/mine", "x"), refused="linux.devices[0].type", differs={"crun": "1.8.1 makes a file of some kind"}),
    Case("device rules: nothing but the default ones", "config-linux.md, Allowed Device list", put("process.capabilities", MKNOD),
         "mknod /tmp/kmsg c 1 11 2>&1; mknod /tmp/null c 1 3 2>&1; probe open rw /tmp/kmsg /tmp/null /dev/null"),
    Case("device rules: one is allowed", "config-linux.md, Allowed Device list", both(put("process.capabilities", MKNOD), put("linux.resources.devices", [
        {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rm"}])),
        "mknod /tmp/kmsg c 1 11 2>&1; probe open r /tmp/kmsg; probe open w /tmp/kmsg; mknod /tmp/mem c 1 1 2>&1; probe open r /tmp/mem"),
    Case("device rules: the later ones win", "config-linux.md, Allowed Device list", both(put("process.capabilities", MKNOD), put("linux.resources.devices", [
        {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "access": "rwm"}, {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "rw"}])),
        "mknod /tmp/kmsg c 1 11 2>&1; probe open r /tmp/kmsg; mknod /tmp/port c 1 4 2>&1; probe open r /tmp/port | cut -d: -f1",
         differs={"runc": "1.1.5 cannot take one back from several on v1"}),
    Case("device rules: all are allowed", "config-linux.md, Allowed Device list", both(put("process.capabilities", MKNOD), put("linux.resources.devices", [
        {"allow": True, "access": "rwm"}])), "mknod /tmp/loop b 7 200; mknod /tmp/kmsg c 1 11; probe open r /tmp/kmsg"),
    Case("device rules: a type that is not known", "config-linux.md, Allowed Device list", put("linux.resources.devices", [{"allow": True, "type": "x", "access": "r"}]),
         refused="linux.resources.devices[0].type"),
    Case("device rules: an access that is not known", "config-linux.md, Allowed Device list", put("linux.resources.devices", [{"allow": True, "type": "c", "access": "q"}]),
         refused="linux.resources.devices[0].access", differs={"runc": "1.1.5 passes it over"}),
]
