# SPDX-License-Identifier: Apache-2.0
"""Turns what was measured into Markdown tables, ratios first."""
import os
import statistics

from timing import percentile

BEGIN, END = "<!-- perf:begin -->", "<!-- perf:end -->"


def milliseconds(values, percent=50):
    return percentile(values, percent) * 1000


def table(head, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def times(title, taken):
    """Rows of p50, p95 and the ratio to the first name, which is Casemate's."""
    if not taken:
        return []
    first = milliseconds(next(iter(taken.values())))
    return table([title, "p50 ms", "p95 ms", "runs", "p50 / casemate"],
                 [[name, "%.1f" % milliseconds(values), "%.1f" % milliseconds(values, 95), str(len(values)),
                   "%.2f" % (milliseconds(values) / first)] for name, values in taken.items()])


def includes(notes):
    """What the rows of starts include: one line for each distinct text of {name: text}."""
    names = {}
    for name, text in notes.items():
        names.setdefault(text, []).append("`%s`" % name)
    return ["What a start includes:", "", *["- %s: %s" % (", ".join(same), text) for text, same in names.items()], ""]


def _ratio(what, aim, value, met):
    """`met` is None where nothing is aimed at."""
    return [what, value, aim, "" if met is None else "yes" if met else "no"]


def _time_ratios(measured, names):
    rows, start = [], measured.get("start", {})
    for own, other, aim in names:
        if own in start and other in start:
            value = milliseconds(start[own]) / milliseconds(start[other])
            rows.append(_ratio("`%s` / `%s`, p50" % (own, other), "< %.2f" % aim if aim else "", "%.3f" % value, value < aim if aim else None))
    return rows


def flatness(groups):
    """The median of the last group of times over that of the first."""
    return statistics.median(groups[-1]) / statistics.median(groups[0])


def _many_ratios(measured):
    rows, taken = [], measured.get("many", {}).get("casemate")
    if taken:
        count, times, value = taken["count"], taken["times"], milliseconds(taken["times"]["ps"])
        rows.append(_ratio("ms of `ps` with %d containers running, p50" % count, "< 5", "%.1f" % value, value < 5))
        value = taken["memory"][0]
        rows.append(_ratio("KiB PSS of the engine for each of %d containers" % count, "< 128", "%.0f" % value, value < 128))
        value = milliseconds(times["run"]) / milliseconds(times["run alone"])
        rows.append(_ratio("`run --rm` beside %d running containers / alone, p50" % count, "< 1.2", "%.2f" % value,
                           value < 1.2))
    taken = measured.get("parallel", {})
    if {"casemate", "docker"} <= taken.keys():
        value = statistics.median(taken["casemate"]) / statistics.median(taken["docker"])
        rows.append(_ratio("%d starts at the same time: casemate / docker" % measured["parallel count"], "< 0.10",
                           "%.3f" % value, value < 0.1))
    if measured.get("churn"):
        groups = measured["churn"]
        rows.append(_ratio("%d containers started and removed: the last %d / the first" % (sum(map(len, groups)), len(groups[0])),
                           "< 1.2", "%.2f" % flatness(groups), flatness(groups) < 1.2))
    return rows


def _neighbour_ratios(taken):
    if not taken:
        return []
    worst = max((name for name in taken if name != "quiet"), key=lambda name: milliseconds(taken[name], 99))
    value = milliseconds(taken[worst], 99) / milliseconds(taken["quiet"], 99)
    return [_ratio("p99 of an answer beside the worst neighbour (%s) / quiet" % worst, "< 2", "%.1f" % value, value < 2)]


def _runtime_ratios(measured):
    own, other, rows = "casemate-runtime run", "crun run", []
    taken = measured.get("filter", {})
    if {own, other} <= taken.keys():
        value = milliseconds(taken[own]) / milliseconds(taken[other])
        rows.append(_ratio("`%s` / `%s` with Docker's filter, p50" % (own, other), "< 0.50", "%.3f" % value, value < 0.5))
    for what, taken in sorted(measured.get("peak", {}).items()):
        if own in taken and other in taken:
            value = taken[own] / taken[other]
            rows.append(_ratio("peak memory of `%s` / `%s`%s" % (own, other, what), "< 1", "%.2f" % value, value < 1))
    for label, one in measured.get("present", {}).items():
        value = milliseconds(one["beside"]) / milliseconds(one["alone"])
        ours = label == "casemate-runtime"
        rows.append(_ratio("`%s run` beside %d containers of its own / alone, p50" % (label, one["count"]), "< 1.2" if ours else "",
                           "%.2f" % value, value < 1.2 if ours else None))
    return rows


def peaks(taken):
    """Of one process of a run, the largest."""
    names = list(next(iter(taken.values()), {}))
    return table(["KiB of memory at the peak, one `run` of `true`", *("without a filter" if not what else what.lstrip(", ") for what in sorted(taken))],
                 [[name, *("%.0f" % taken[what][name] if name in taken[what] else "" for what in sorted(taken))] for name in names]
                 ) if taken else []


def present(taken):
    return table(["one `run` of `true`", "p50 ms alone", "p50 ms beside them", "containers", "beside / alone"],
                 [[label, "%.1f" % milliseconds(one["alone"]), "%.1f" % milliseconds(one["beside"]), str(one["count"]),
                   "%.2f" % (milliseconds(one["beside"]) / milliseconds(one["alone"]))] for label, one in taken.items()]) if taken else []


def ratios(measured):
    """The first table: the aims and what was measured, all in this run."""
    engine, runtime = "casemate run --rm", "casemate-runtime run"
    rows = _time_ratios(measured, [(engine, "docker run --rm", 1 / 20), (engine, "docker run --rm --network none", 1 / 20),
                                   (engine, "crun run", None), (runtime, "crun run", 0.8), (runtime, "runc run", None)])
    for own, other, aim in (("casemate", "docker", None), ("casemate", "podman", None), ("casemate-runtime", "crun", 0.8)):
        taken = measured.get("exec", {})
        if {own, other} <= taken.keys():
            value = milliseconds(taken[own]) / milliseconds(taken[other])
            rows.append(_ratio("`%s exec` / `%s exec`, p50" % (own, other), "< %.2f" % aim if aim else "", "%.3f" % value, value < aim if aim else None))
    rows += _runtime_ratios(measured)
    if "casemate" in measured.get("memory", {}):
        value = measured["memory"]["casemate"][0]
        rows.append(_ratio("KiB PSS of the engine for each running container", "< 128", "%.0f" % value, value < 128))
    taken = measured.get("logs", {})
    if {"casemate", "docker"} <= taken.keys():
        length = min(taken["docker"])
        value = statistics.median(taken["casemate"][length]) / statistics.median(taken["docker"][length])
        rows.append(_ratio("stdout to log, lines of %d bytes: casemate / docker" % length, "> 10", "%.1f" % value,
                           value > 10))
    rows += _many_ratios(measured) + _neighbour_ratios(measured.get("neighbour", {}))
    taken = measured.get("pull", {})
    others = [statistics.median(taken[name]) for name in ("docker", "podman") if name in taken]
    if others and "casemate" in taken:
        value = min(others) / statistics.median(taken["casemate"])
        rows.append(_ratio("pull and unpack: the faster of docker and podman / casemate", "> 4", "%.1f" % value,
                           value > 4))
    return table(["what", "measured", "aim", "met"], rows)


def memory(measured):
    rows = [[name, "%.0f" % new, "%.0f" % grown] for name, (new, grown, _) in measured.items()]
    count = next((value[2] for value in measured.values()), 0)
    return table(["memory of the engine, %d containers running" % count, "KiB PSS each, new processes",
                  "KiB PSS each, growth of its daemon"], rows) if rows else []


def many(taken):
    """What commands take, and what each container costs, when there are many."""
    if not taken:
        return []
    rows = []
    for label, one in taken.items():
        times = one["times"]
        rows.append([label, *("%.1f" % milliseconds(times[what]) for what in ("ps", "ps -a", "inspect", "run", "run alone")),
                     *("%.0f" % value for value in one["memory"])])
    count = next(iter(taken.values()))["count"]
    return table(["%d containers" % count, "`ps` ms", "`ps -a` ms, all exited", "`inspect` ms", "`run --rm` beside them ms",
                  "`run --rm` alone ms", "KiB PSS each", "growth of its daemon"], rows)


def parallel(taken, count):
    if not taken:
        return []
    first = statistics.median(next(iter(taken.values())))
    return table(["%d starts at the same time" % count, "median s", "best s", "turns", "median / casemate"],
                 [[name, "%.2f" % statistics.median(values), "%.2f" % min(values), str(len(values)),
                   "%.1f" % (statistics.median(values) / first)] for name, values in taken.items()])


def churn(groups):
    """What it costs to start and remove one container, for groups of containers that follow each other."""
    if not groups:
        return []
    first = milliseconds(groups[0])
    return table(["casemate: one container started and removed", "p50 ms", "p95 ms", "p50 / first"],
                 [["number %d to %d" % (i * len(group) + 1, (i + 1) * len(group)), "%.1f" % milliseconds(group),
                   "%.1f" % milliseconds(group, 95), "%.2f" % (milliseconds(group) / first)]
                  for i, group in enumerate(groups)])


def pull(taken):
    if not taken:
        return []
    first = statistics.median(next(iter(taken.values())))
    return table(["pull and unpack", "median s", "best s", "runs", "median / casemate"],
                 [[name, "%.2f" % statistics.median(values), "%.2f" % min(values), str(len(values)),
                   "%.2f" % (statistics.median(values) / first)] for name, values in taken.items()])


def logs(taken):
    """MiB/s of output into the log, for each length of lines, and how many times as much as Docker that is."""
    rows, ours = [], taken.get("casemate", {})
    for label, lengths in taken.items():
        for length, values in lengths.items():
            median = statistics.median(values)
            ratio = statistics.median(ours[length]) / median if length in ours else 0
            rows.append(["%s, lines of %d bytes" % (label, length), "%.0f" % median, "%.0f" % max(values),
                         str(len(values)), "%.1f" % ratio])
    return table(["from stdout to the log", "median MiB/s", "best MiB/s", "runs", "casemate / this"], rows) if rows else []


def rates(taken):
    return table(["starts in a second, 2 at a time", "median", "turns"],
                 [[name, "%.1f" % statistics.median(values), str(len(values))] for name, values in taken.items()]
                 ) if taken else []


def neighbours(taken):
    """How long a container takes to answer a line, beside one that uses up all that it can."""
    if not taken:
        return []
    quiet = milliseconds(taken["quiet"], 99)
    return table(["an answer of a container beside …", "p50 ms", "p99 ms", "answers", "p99 / quiet"],
                 [[name, "%.2f" % milliseconds(values), "%.2f" % milliseconds(values, 99), str(len(values)),
                   "%.1f" % (milliseconds(values, 99) / quiet)] for name, values in taken.items()])


def section(measured, machine, skipped, notes):
    """All of it as text. `measured` is what tests/perf/run gathered; `skipped` is {engine: reason}."""
    lines = [*machine, ""]
    lines += ratios(measured)
    if measured.get("start"):
        lines += times("start of `true`", measured["start"]) + includes(notes)
    lines += rates(measured.get("rate", {}))
    lines += times("`exec` of `true` in a running container", measured.get("exec", {}))
    lines += times("start of `true` with Docker's filter in config.json", measured.get("filter", {}))
    lines += peaks(measured.get("peak", {}))
    lines += present(measured.get("present", {}))
    lines += memory(measured.get("memory", {}))
    lines += many(measured.get("many", {}))
    lines += parallel(measured.get("parallel", {}), measured.get("parallel count"))
    lines += churn(measured.get("churn", []))
    lines += logs(measured.get("logs", {}))
    lines += neighbours(measured.get("neighbour", {}))
    if measured.get("pull"):
        lines += ["The image: %s." % measured["image"], ""]
    lines += pull(measured.get("pull", {}))
    lines += times("the program alone", measured.get("cli", {}))
    lines += ["Not measured: %s: %s." % (name, reason) for name, reason in skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


def write(path, text):
    """Puts the section between the two markers of `path`, or makes `path` of nothing else when it has none."""
    old = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            old = f.read()
    if BEGIN in old and END in old:
        head, tail = old.partition(BEGIN)[0], old.rpartition(END)[2]
        text = "%s%s\n%s%s%s" % (head, BEGIN, text, END, tail)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
