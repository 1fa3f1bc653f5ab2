# SPDX-License-Identifier: Apache-2.0
"""The end of a soak: nothing disturbs any more. What must be right then, and what must be gone when everything is removed."""
import json
import os
import time

from box import ABSENT, CREATED, DOWN, UP
from lib import host, wait
from record import Wrong

QUIET_LIMIT = 150  # seconds: the longest back-off is 60, and the last check of health comes after that
GONE_LIMIT = 30

# What is in data root and run directory when there is no container, image or volume (ARCHITECTURE.md).
ROOT_STAYS = {"format", "index.db", "index.db-wal", "index.db-shm", "events", "audit", "logs", "cache", "containers", "layers", "images",
              "names", "volumes", "staging"}


def judge(soak, box, check):
    """One check of one container, with what it finds wrong noted."""
    with box.lock:
        try:
            return check(box)
        except Wrong as wrong:
            if not (box.remove and soak.is_gone(box)):
                soak.record.wrong(box.name, "at the end: %s" % wrong)
                soak.commands.run(box.name, "rm", "-f", "-v", box.id or box.name)
            box.state = ABSENT
            return None


def settle(soak):
    """Programs end no more; policies and checks have their time, then everything is compared."""
    for box in soak.boxes:
        box.calm()
    soak.commands.ok("end", "ps", "-a")
    for box in soak.boxes:
        if box.paused and soak.checks.inspect(box)["State"]["Paused"]:
            must(soak, "unpause", box.name)
            box.paused = False
    end = time.monotonic() + wait.seconds(QUIET_LIMIT)
    waiting = [box for box in soak.boxes if box.state != ABSENT]
    while waiting:
        late = [(box, judge(soak, box, soak.checks.final)) for box in waiting if box.state != ABSENT]
        late = [(box, why) for box, why in late if why]
        if late and time.monotonic() > end:
            for box, why in late:
                soak.record.wrong(box.name, "at the end: still " + why)
            break
        waiting = [box for box, _ in late]
        time.sleep(0.5)
    same_list(soak)
    verify_logs(soak)


def same_list(soak):
    """`ps -a` has each container of the model, and no other."""
    listed = {}
    for line in soak.commands.ok("end", "ps", "-a", "--no-trunc", "--format", "{{json .}}").splitlines():
        row = json.loads(line)
        listed[row["ID"]] = row["Names"]
    wanted = {box.id: box.name for box in soak.boxes if box.state != ABSENT}
    missing = {box.id for box in soak.boxes if box.state != ABSENT and not box.remove} - set(listed)
    extra = set(listed) - set(wanted)
    if missing or extra:
        soak.record.wrong("end", "ps -a lacks %s, and has %s besides" % (sorted(wanted[i] for i in missing),
                                                                        sorted(listed[i] for i in extra)))
    for known in set(listed) & set(wanted):
        if listed[known] != wanted[known]:
            soak.record.wrong("end", "ps -a calls %s %s" % (wanted[known], listed[known]))


def verify_logs(soak):
    outcome = soak.commands.run("end", "log", "verify", "--all", limit=600)
    if outcome.status != 0:
        soak.record.wrong("end", "log verify --all: " + outcome.err[-2000:])
    soak.record.count("check all chains")


def remove(soak):
    """Ends and removes everything; nothing may be left."""
    for box in soak.boxes:
        if box.state in (UP, DOWN, CREATED):
            judge(soak, box, lambda b: last_stop(soak, b))
    names = [box.name for box in soak.boxes if box.state != ABSENT]
    if names:
        must(soak, "rm", "-f", "-v", *names)
    for box in soak.boxes:
        if box.id and box.state != ABSENT and os.path.isdir(box.removed_log()):
            judge(soak, box, lambda b: soak.checks.compare_log(b, b.removed_log()))
    must(soak, "volume", "prune", "-a", "-f")
    must(soak, "system", "prune", "-a", "-f")
    verify_logs(soak)
    end = time.monotonic() + wait.seconds(GONE_LIMIT)
    while (left := leftovers(soak)) and time.monotonic() < end:
        time.sleep(0.2)
    for line in left:
        soak.record.wrong("end", "left behind: " + line)
    soak.record.count("check nothing is left")
    must(soak, "system", "reset", "-f")


def must(soak, *words):
    outcome = soak.commands.run("end", *words, limit=600)
    if outcome.status != 0:
        soak.record.wrong("end", "%s: %s" % (" ".join(words[:2]), outcome.err[-1000:]))


def last_stop(soak, box):
    outcome = soak.commands.run(box.name, "stop", "-t", "2", box.name)
    if outcome.status != 0:
        raise Wrong("stop: " + outcome.err.strip())
    if box.remove:
        soak.until(lambda: soak.is_gone(box), box.name + " to be removed")
        box.state = ABSENT
        return
    if box.state != CREATED:
        box.state, box.paused, box.touched = DOWN, False, True
    soak.checks.once(box)
    soak.checks.log(box)


def leftovers(soak):
    """Lines; empty when nothing is left."""
    casemate = soak.casemate
    left = casemate.leftovers()
    for name in ("volumes", "staging", "layers", "images"):
        path = os.path.join(casemate.root, name)
        if os.path.isdir(path):
            left += ["%s/%s" % (name, entry) for entry in os.listdir(path)]
    left += ["data root: " + name for name in sorted(set(os.listdir(casemate.root)) - ROOT_STAYS)]
    for where, _, files in os.walk(casemate.rundir):
        kind = os.path.relpath(where, casemate.rundir)
        if kind not in (".", "ids", "exited"):  # ids and exited are told by leftovers()
            left += ["run/%s/%s" % (kind, name) for name in files]
    ours = [pid for pid in host.pids() if os.path.basename(host.exe(pid)).startswith(("casemate", "load"))]
    left += ["process %d: %s" % (pid, host.command(pid)) for pid in ours]
    return left
