# SPDX-License-Identifier: Apache-2.0
"""What the host shows: processes, mounts, cgroups, files. Read from the kernel, never from the engine."""
import hashlib
import os
import stat

CGROUP_ROOT = "/sys/fs/cgroup"


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return default


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children(pid):
    return [int(word) for word in read("/proc/%d/task/%d/children" % (pid, pid)).split()]


def exe(pid):
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return ""


def command(pid):
    return read("/proc/%d/cmdline" % pid).replace("\0", " ").strip()


def status_field(pid, name):
    """The value of a line of /proc/PID/status, or None."""
    for line in read("/proc/%d/status" % pid).splitlines():
        if line.startswith(name + ":"):
            return line.partition(":")[2].strip()
    return None


def mounts(pid="self"):
    """Mount points of a process, as (mount point, file system, source, options)."""
    found = []
    for line in read("/proc/%s/mountinfo" % pid).splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(), right.split()
        found.append((fields[4], tail[0], tail[1], fields[5] + "," + tail[2]))
    return found


def cgroups(prefix="casemate"):
    """Every cgroup directory whose name begins with `prefix`, in all hierarchies."""
    found = []
    for where, dirs, _ in os.walk(CGROUP_ROOT):
        found += [os.path.join(where, d) for d in dirs if d.startswith(prefix)]
    return sorted(found)


def cgroup_of(pid):
    """controller (or "" on v2) -> path below its hierarchy."""
    result = {}
    for line in read("/proc/%d/cgroup" % pid).splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            result[controller] = path
    return result


def cgroup_file(pid, controller, v1_name, v2_name):
    """Content of a limit of the process, from whichever cgroup version has the controller; None if neither has."""
    groups = cgroup_of(pid)
    if controller in groups:
        for name in (controller, "cpu,cpuacct" if controller == "cpu" else controller):
            path = os.path.join(CGROUP_ROOT, name) + os.path.join(groups[controller], v1_name)
            if os.path.exists(path):
                return read(path).strip()
    for root in (CGROUP_ROOT, CGROUP_ROOT + "/unified"):
        path = root + os.path.join(groups.get("", "/"), v2_name)
        if os.path.exists(path):
            return read(path).strip()
    return None


def _entry(path):
    """One line that changes when anything about the file changes but its access time."""
    info = os.lstat(path)
    parts = [oct(info.st_mode), str(info.st_uid), str(info.st_gid), str(info.st_rdev), str(info.st_mtime_ns)]
    if stat.S_ISLNK(info.st_mode):
        parts.append(os.readlink(path))
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as f:
            parts.append(hashlib.sha256(f.read()).hexdigest())
    if not stat.S_ISLNK(info.st_mode):
        parts += ["%s=%s" % (name, os.getxattr(path, name).hex()) for name in sorted(os.listxattr(path))]
    return " ".join(parts)


def tree(root):
    """path -> what it is, for a directory and all below it."""
    found = {root: _entry(root)}
    for where, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(where, name)
            found[path] = _entry(path)
    return found
