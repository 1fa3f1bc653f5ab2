# SPDX-License-Identifier: Apache-2.0
"""What must hold of one container at any time when no command of ours changes it: states, exit codes, counts, limits, logs."""
import json
import os
import time

import journal
from box import CREATED, DOWN, UP
from commands import children
from faults import SHIM, name_of, shims
from lib import host
from record import Wrong

PERIOD = 100000
KILLED = 137
SETTLE = 15  # seconds that an end may take to be seen everywhere


def kernel_limits(pid):
    quota = host.cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "cpu.max")
    return {"memory": host.cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max"),
            "pids": host.cgroup_file(pid, "pids", "pids.max", "pids.max"), "cpu": quota and quota.split()[0]}


def alive(pid):
    """A process that is there and no zombie; one that is ending has no program any more."""
    state = host.status_field(pid, "State")
    return bool(state) and not state.startswith(("Z", "X")) and name_of(pid) != ""


def what_it_does(pid):
    """Name, kernel function and system call of a process, for whoever looks for why it hangs."""
    facts = [str(pid), name_of(pid) or "gone"]
    for name in ("wchan", "syscall", "stack"):
        try:
            with open("/proc/%d/%s" % (pid, name), encoding="utf-8") as f:
                facts.append("%s %s" % (name, " ".join(f.read().split())[:200]))
        except OSError:
            pass
    return ", ".join(facts)


class Checks:
    def __init__(self, soak):
        self.soak, self.commands, self.record = soak, soak.commands, soak.record

    def inspect(self, box, by=None):
        text = self.commands.ok(box.name, "inspect", by or box.name)
        return json.loads(text)[0]

    def inspect_or_none(self, box):
        outcome = self.commands.read(box.name, "inspect", box.name)
        if outcome.status == 0:
            return json.loads(outcome.out)[0]
        if "No such" not in outcome.err:
            raise Wrong("inspect: " + outcome.err.strip())
        return None

    def settled(self, box):
        """What inspect says when it is no more about a run whose program has ended. None: it is gone."""
        end = time.monotonic() + SETTLE
        while True:
            seen = self.inspect_or_none(box)
            if seen is None or seen["State"]["Status"] != "running" or alive(seen["State"]["Pid"]) or time.monotonic() > end:
                return seen
            time.sleep(0.05)

    def killed_shims(self, box):
        """What ends a run without its end being written down, or takes the end of its log."""
        return self.commands.hits(box.id, ("shim", "supervisor", "job", "command"))

    def once(self, box):
        """Everything about one container. Wrong when something does not hold. The box is locked."""
        box.touched = box.touched or self.commands.hits(box.id, ("program",)) > 0
        seen = self.status(box)
        box.paused = seen["State"]["Status"] == "paused"
        if seen["State"]["Status"] == "running":
            self.limits(box, seen)
        if seen["State"]["Status"] in ("running", "paused"):
            self.processes(box, seen)
        elif box.state == DOWN or box.policy == "no":
            self.ended(box, seen)
        self.health(box, seen)
        self.counts(box, seen)
        return seen

    def status(self, box):
        seen = self.inspect(box)
        status = seen["State"]["Status"]
        possible = box.statuses(self.killed_shims(box))
        if status not in possible:
            raise Wrong("is %s, not %s (%s, policy %s): %s" % (status, " or ".join(sorted(possible)), box.state, box.policy,
                                                               seen["State"]["Error"]))
        if seen["Id"] != box.id or seen["Name"].lstrip("/") != box.name:
            raise Wrong("inspect says it is %s %s" % (seen["Id"], seen["Name"]))
        self.record.count("check states")
        return seen

    def same_run(self, box, seen):
        """Nothing has ended or started since: what was compared belongs together."""
        again = self.inspect(box)["State"]
        return all(again[key] == seen["State"][key] for key in ("Status", "StartedAt", "Pid"))

    def processes(self, box, seen):
        """The kernel has what inspect says: program, shim, in the groups of this container."""
        pid = seen["State"]["Pid"]
        told = None
        if not alive(pid):
            told = "the program %d is not there" % pid
        elif name_of(int(host.status_field(pid, "PPid") or 0)) != SHIM:
            told = "the parent of its program is no shim: " + what_it_does(int(host.status_field(pid, "PPid") or 0))
        elif not any(box.id in path for path in host.cgroup_of(pid).values()):
            told = "its program is in %s" % host.cgroup_of(pid)
        elif host.status_field(pid, "Seccomp") != "2" and name_of(pid) == "load":
            told = "its program has no filter"
        if told and self.same_run(box, seen) and not self._ends_now(box, seen):
            raise Wrong(told + " but it is " + seen["State"]["Status"])
        self.record.count("check processes")

    def _ends_now(self, box, seen):
        """A program has ended and its shim has not yet said so: waits until it has."""
        end = time.monotonic() + SETTLE
        while time.monotonic() < end:
            if not self.same_run(box, seen):
                return True
            time.sleep(0.1)
        return False

    def limits(self, box, seen):
        config = seen["HostConfig"]
        wanted = {"memory": box.memory, "pids": box.pids, "cpu": int(box.cpus * PERIOD)}
        said = {"memory": config["Memory"], "pids": config["PidsLimit"], "cpu": config["NanoCpus"] * PERIOD // 10 ** 9}
        if said != wanted:
            raise Wrong("inspect says %s, asked for was %s" % (said, wanted))
        pid, found = seen["State"]["Pid"], None
        end = time.monotonic() + SETTLE
        while name_of(pid) == "load":  # before, its first process is still on the way into its groups
            found = kernel_limits(pid)
            if found == {k: str(v) for k, v in wanted.items()}:
                self.record.count("check limits")
                return
            if time.monotonic() > end:
                raise Wrong("the kernel has the limits %s, not %s" % (found, wanted))
            if not self.same_run(box, seen):
                return
            time.sleep(0.2)

    def health(self, box, seen):
        health = seen["State"].get("Health")
        if box.health and not health:
            raise Wrong("has no state of health")
        if box.health and ((box.health == "pass" and health["Status"] == "unhealthy") or
                           (box.health == "fail" and health["Status"] == "healthy")):
            raise Wrong("%s, its check is to %s: %s" % (health["Status"], box.health, json.dumps(health["Log"])[-600:]))
        self.record.count("check health")

    def counts(self, box, seen):
        """Restarts by the policy against the runs that there were."""
        count = seen["RestartCount"]
        if box.policy == "no" and count and not box.repoliced:
            raise Wrong("was restarted %d times without a policy" % count)
        if box.policy.startswith("on-failure:") and not box.repoliced and count > int(box.policy.partition(":")[2]):
            raise Wrong("was restarted %d times, its policy is %s" % (count, box.policy))
        if box.starts_at is None or box.state == CREATED:
            return
        runs = len(box.journal()) - box.starts_at
        if runs - 1 > count and self.inspect(box)["RestartCount"] < runs - 1:
            raise Wrong("%d runs since the user has started it, but %d restarts are counted" % (runs, count))
        if box.state == DOWN:
            slack = self.commands.hits(box.id, ("job", "supervisor", "shim", "program", "command"))
            if count > max(runs - 1, 0) + slack:
                raise Wrong("%d restarts are counted, there were %d runs and %d faults" % (count, runs, slack))
        self.record.count("check restart counts")

    def ended(self, box, seen):
        """Exit code, and nothing left of its run."""
        state = seen["State"]
        if state["Status"] == "exited":
            runs = box.journal()[box.journal_begin:]
            possible = {KILLED}
            if runs and runs[-1].exit >= 0:
                possible = {runs[-1].exit} | ({KILLED} if box.touched or self.commands.hits(box.id, ("program",)) else set())
            if not runs and box.starts_at is not None:
                possible |= {0}  # told to end before its first step
            if state["ExitCode"] not in possible:
                raise Wrong("exit code %d, its program had %s" % (state["ExitCode"], sorted(possible)))
            self.record.count("check exit codes")
        if state["Status"] in ("exited", "dead"):
            self.gone(box)

    def gone(self, box):
        """Of a run that has ended: no process in its groups, no id claim, once a command has mended."""
        end = time.monotonic() + SETTLE
        while left := self._left_of(box):
            if time.monotonic() > end:
                raise Wrong("has ended, but there is still " + ", ".join(left))
            self.commands.read(box.name, "ps", "-q")
            time.sleep(0.05)
        self.record.count("check ends")

    def _left_of(self, box):
        left = []
        for top in self.soak.groups():
            path = os.path.join(top, box.id)
            if os.path.isdir(path):
                left.append("cgroup %s with %s" % (path, host.read(path + "/cgroup.procs").split()))
        return left

    def log(self, box):
        """The log of a container that is not running: what stands in it against the journal; and its chain."""
        if not os.path.isdir(box.log_directory()):
            return
        self.compare_log(box, box.log_directory())
        verified = self.commands.read(box.name, "log", "verify", box.name)
        if verified.status != 0:
            raise Wrong("log verify: " + verified.err.strip())

    def compare_log(self, box, directory):
        if box.log == "none":
            if os.path.isdir(directory) and journal.size(directory):
                raise Wrong("has a log")
            return
        sequence, first = journal.read_files(directory)
        wrong = journal.compare(sequence, first, box.journal()[box.journal_begin:], self.killed_shims(box))
        if wrong:
            raise Wrong("log: " + "; ".join(wrong[:5]))
        if sequence.gaps and box.log != "drop":
            raise Wrong("its log has %d gaps" % sequence.gaps)
        self.record.count("check logs compared")
        self.record.count("check log lines", sum(last for seen in sequence.seen.values() for last in seen.last.values()))

    def log_of_running(self, box):
        """What `logs` shows meanwhile is in order."""
        if box.log == "none":
            return
        text = self.commands.ok(box.name, "logs", "--tail", "200", box.name)
        sequence = journal.read_text(text)
        if sequence.wrong and box.log != "drop":
            raise Wrong("logs shows: " + "; ".join(sequence.wrong[:5]))
        self.record.count("check logs of running ones")

    def final(self, box):
        """At the end, when nothing disturbs any more: it is what its policy wants, and healthy if it can be."""
        seen = self.once(box)
        status, health = seen["State"]["Status"], (seen["State"].get("Health") or {}).get("Status")
        if box.state == UP and box.restarts and status != "running":
            return "%s, policy %s" % (status, box.policy)
        if box.state == UP and status == "restarting":
            return status
        if status == "running" and box.health in ("pass", "fail") and \
                health != {"pass": "healthy", "fail": "unhealthy"}[box.health]:
            return "health %s, its check is to %s" % (health, box.health)
        return None


def memory_of(pid):
    """PSS in KiB."""
    for line in host.read("/proc/%d/smaps_rollup" % pid).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def descriptors(pid):
    try:
        return len(os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return 0


class Watch:
    """Memory and descriptors of what stays, from time to time."""

    def __init__(self, soak):
        self.soak = soak

    def once(self):
        soak, record = self.soak, self.soak.record
        tender = soak.faults.tender()
        total, number = 0, 0
        for pid in shims():
            own = memory_of(pid)
            if not own:
                continue
            total, number = total + own + sum(memory_of(c) for c in children(pid) if name_of(c) == SHIM), number + 1
            record.peak("largest shim, KiB PSS", own)
        if number:
            record.peak("shim and notice process, KiB PSS on average", total / number)
        record.peak("containers running", number)
        if tender:
            record.peak("tender, KiB PSS", memory_of(tender))
            record.peak("tender, descriptors", descriptors(tender))
            limit = 32 + 3 * soak.options.containers
            if descriptors(tender) > limit:
                record.wrong("tend", "has %d descriptors open" % descriptors(tender))
            if memory_of(tender) > 16384:
                record.wrong("tend", "takes %d KiB" % memory_of(tender))
        record.count("check memory and descriptors")
