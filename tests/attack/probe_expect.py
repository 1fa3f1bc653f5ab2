# SPDX-License-Identifier: Apache-2.0
"""What a container under Casemate's defaults may show at most: the last column of the probe's table.

    probe = json.loads(output of `hello probe --json` inside)
    failures = check(probe, namespaces())       a list of lines, empty when everything holds

The same figures for the newcomer's page stand in src/hello/expect.h.
"""
import os

SYSCALLS_MAX = 220
SYSCALLS_LEARNED_MAX = 90
POWERS_MAX = 5
FAMILIES_MAX = 3
PROC_WRITABLE_MAX = 1
HOST_INFO_MAX = 5
PIDS_MAX = 512
DEVICES_MAX = 7
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")

# The rows that `rlimits` decides: soft limit at most (None: must be set at all).
RLIMITS_SOFT_MAX = {"core": 0, "nofile": 1024, "memlock": 65536}


def namespaces(pid="self"):
    """Inode numbers of the namespaces of a process of the host, to compare with those inside."""
    return {name: os.stat("/proc/%s/ns/%s" % (pid, name)).st_ino for name in NAMESPACES}


def _at_most(failures, what, value, limit, shown=()):
    if value > limit:
        failures.append("%s: %d, at most %d %s" % (what, value, limit, " ".join(shown)))


def _powers(probe):
    return sorted(name for name, works in probe["powers"].items() if works)


def _check_calls(probe, failures, syscalls_max):
    _at_most(failures, "system calls reachable", probe["syscalls_reachable"], syscalls_max)
    if not probe["syscalls_reachable"]:
        failures.append("system calls reachable: none, so none was tried")
    _at_most(failures, "powers that work", probe["powers_working"], POWERS_MAX, _powers(probe))
    _at_most(failures, "socket families", len(probe["socket_families"]), FAMILIES_MAX, probe["socket_families"])
    for entry in ("int80_works", "x32_works"):
        if probe[entry]:
            failures.append("%s: a second system call ABI is open" % entry)
    if probe["metadata_route"]:
        failures.append("metadata_route: 169.254.169.254 has a route")
    if probe["seccomp"] != 2:
        failures.append("seccomp: mode %s, not a filter" % probe["seccomp"])


def _check_identity(probe, failures, host):
    for name in ("cap_eff", "cap_bnd", "cap_prm", "cap_inh", "cap_amb"):
        if probe[name] != 0:
            failures.append("%s: %s capabilities (%s)" % (name, probe[name], probe[name + "_hex"]))
    if probe["no_new_privs"] != 1:
        failures.append("no_new_privs: %s" % probe["no_new_privs"])
    if probe["uid0_host"] == 0:
        failures.append("uid0_host: uid 0 is the host's")
    shared = [name for name in NAMESPACES if probe["namespaces"][name] == host[name]]
    unseen = [name for name in NAMESPACES if not probe["namespaces"][name]]
    if shared:
        failures.append("host namespaces shared: " + " ".join(shared))
    if unseen:
        failures.append("namespaces not visible, so not compared: " + " ".join(unseen))
    if probe["suid_escalates"]:
        failures.append("suid_escalates: a setuid copy ran with its owner's identity")
    if probe["leaked_fds"]:
        failures.append("leaked_fds: " + ", ".join(probe["leaked_fds"]))


def _check_files(probe, failures):
    _at_most(failures, "writable /proc files", probe["proc_writable_count"], PROC_WRITABLE_MAX, probe["proc_writable"][:8])
    _at_most(failures, "writable /sys files", probe["sys_writable_count"], 0, probe["sys_writable"][:8])
    _at_most(failures, "host information readable", len(probe["host_info"]), HOST_INFO_MAX, probe["host_info"])
    _at_most(failures, "mounts without nosuid", len(probe["mounts_without_nosuid"]), 0, probe["mounts_without_nosuid"])
    if not probe["mounts"]:
        failures.append("mounts: the table is not readable, so nothing was judged")
    _at_most(failures, "device nodes", len(probe["device_nodes"]), DEVICES_MAX, probe["device_nodes"])


def _check_limits(probe, failures):
    if probe["pids_limit"] is None or probe["pids_limit"] > PIDS_MAX:
        failures.append("pids_limit: %s, at most %d" % (probe["pids_limit"], PIDS_MAX))
    for name in ("memory_limit", "cpu_limit"):
        if not probe[name]:
            failures.append("%s: not set, or not visible" % name)
    for name, limit in RLIMITS_SOFT_MAX.items():
        soft = probe["rlimits"][name]["soft"]
        if soft is None or soft > limit:
            failures.append("rlimit %s: soft %s, at most %d" % (name, soft, limit))


def check(probe, host_namespaces, syscalls_max=SYSCALLS_MAX):
    """Every way in which the probe exceeds the table, a line each."""
    failures = []
    _check_calls(probe, failures, syscalls_max)
    _check_identity(probe, failures, host_namespaces)
    _check_files(probe, failures)
    _check_limits(probe, failures)
    return failures
