# SPDX-License-Identifier: Apache-2.0
"""Memory that an engine uses for running containers: the proportional set size of every process outside a container."""
import os

from lib import host


def _namespace(pid):
    try:
        return os.readlink("/proc/%s/ns/pid" % pid)
    except OSError:
        return None


def engine_processes():
    """pid -> PSS in KiB of each process of an engine: in this process namespace itself, and not this program."""
    own = _namespace("self")
    found = {}
    for pid in host.pids():
        if pid in (1, os.getpid()) or _namespace(pid) != own:
            continue
        for line in host.read("/proc/%d/smaps_rollup" % pid).splitlines():
            if line.startswith("Pss:"):
                found[pid] = int(line.split()[1])
    return found


def added(before, after, containers):
    """(KiB that new processes have, KiB that processes grew by that were there before), each for one container."""
    new = sum(pss for pid, pss in after.items() if pid not in before)
    grown = sum(pss - before[pid] for pid, pss in after.items() if pid in before)
    return new / containers, grown / containers
