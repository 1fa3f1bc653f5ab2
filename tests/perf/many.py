# SPDX-License-Identifier: Apache-2.0
"""Engines with many containers: what the commands that look at them take, what each costs in memory, and whether another start costs more."""
import time

import memory
import timing

NAME = "perf-many-%d"
SETTLED = 1.0  # what a start leaves behind for a moment is not the engine's memory


def measure(engine, count, runs):
    """Of `count` containers of one engine: {"count", "memory": (KiB new, KiB grown), "times": {what: [seconds, ...]}}."""
    names = [NAME % i for i in range(count)]
    alone = timing.in_turns({"run": engine.run_true()}, runs)["run"]
    before = memory.engine_processes()
    timing.at_once([engine.run_detached(name) for name in names], 2)
    time.sleep(SETTLED)
    result = {"count": count, "memory": memory.added(before, memory.engine_processes(), count)}
    times = timing.in_turns({"ps": engine.command("ps"), "inspect": engine.command("inspect", names[count // 2]),
                             "run": engine.run_true()}, runs)
    shown = len(engine.command("ps", "-q").output().split())
    if shown != count:
        raise timing.Failed("%s ps: %d containers, started were %d" % (engine.label, shown, count))
    engine.command("kill", *names).output()
    times.update(timing.in_turns({"ps -a": engine.command("ps", "-a")}, runs))
    engine.command("rm", "-f", *names).output()
    times["run alone"] = alone
    return {**result, "times": times}


def in_parallel(engines, count, turns):
    """{label: [seconds, ...]}: from the first spawning to the last end of `count` starts at the same time, once a turn."""
    taken = {e.label: [] for e in engines}
    names = ["perf-parallel-%d" % i for i in range(count)]
    for turn in range(turns + 1):
        for e in engines:
            took = timing.at_once([e.run_detached(name) for name in names], count)
            e.command("rm", "-f", *names).output()
            if turn > 0:
                taken[e.label].append(took)
    return taken


def churn(engine, count, groups):
    """[[seconds, ...], ...]: starts and removals of one container after another, in `groups` groups of the same size."""
    start, remove = engine.run_detached("perf-churn"), engine.remove("perf-churn")
    return [[start.seconds() + remove.seconds() for _ in range(count // groups)] for _ in range(groups)]
