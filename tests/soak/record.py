# SPDX-License-Identifier: Apache-2.0
"""What happened in a soak: every command and fault with its time, what was wrong, and the counts."""
import collections
import json
import threading
import time

SHOWN_BEFORE, SHOWN_AFTER = 20.0, 2.0  # seconds of history that are shown around what is wrong
FAILURES_MAX = 40
HISTORY = 200000


class Wrong(Exception):
    """Something is not as it must be: ends the operation, is noted once."""


class Record:
    def __init__(self, seed, path):
        self.seed, self.lock = seed, threading.Lock()
        self.start = time.monotonic()
        self.history = collections.deque(maxlen=HISTORY)
        self.counts = collections.Counter()
        self.peaks = {}
        self.failures = []
        self.file = open(path, "w", encoding="utf-8")  # pylint: disable=consider-using-with

    def now(self):
        return time.monotonic() - self.start

    def note(self, who, text):
        with self.lock:
            at = self.now()
            self.history.append((at, who, text))
            self.file.write("%9.3f %-10s %s\n" % (at, who, text))

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def peak(self, what, value):
        with self.lock:
            self.peaks[what] = max(self.peaks.get(what, value), value)

    def wrong(self, who, text, since=None):
        """`who`: the container it is about, or what else. `since`: when it was still right."""
        self.note(who, "WRONG: " + text)
        with self.lock:
            at = self.now()
            self.failures.append((at, who, text))
            begin = (at if since is None else min(since, at)) - SHOWN_BEFORE
            around = [entry for entry in self.history if begin <= entry[0] <= at + SHOWN_AFTER
                      and (entry[1] in (who, "fault", "replace") or who in entry[2])]
        print("soak: WRONG (seed %s, %.3f s) %s: %s" % (self.seed, at, who, text), flush=True)
        for when, what, line in around[-60:]:
            print("soak:   %9.3f %-10s %s" % (when, what, line), flush=True)
        self.file.flush()

    def too_many(self):
        return len(self.failures) >= FAILURES_MAX

    def group(self, prefix):
        with self.lock:
            return {key[len(prefix):]: value for key, value in sorted(self.counts.items()) if key.startswith(prefix)}

    def report(self, options, seconds):
        return {"seed": self.seed, "containers": options.containers, "seconds": options.seconds,
                "taken": round(seconds, 1), "operations": self.group("operation "), "killed": self.group("killed "),
                "unfinished": self.group("cut short "), "checks": self.group("check "), "faults": self.group("fault "),
                "peaks": {key: round(value, 1) for key, value in sorted(self.peaks.items())},
                "wrong": ["%.3f %s: %s" % failure for failure in self.failures]}


def write(path, report):
    """JSON, or Markdown when the name says so."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(markdown(report) if path.endswith(".md") else json.dumps(report, indent=1) + "\n")


def _table(title, counts):
    lines = ["| %s | number |" % title, "|---|---:|"]
    return lines + ["| %s | %s |" % pair for pair in counts.items()] + [""]


def markdown(report):
    lines = ["%d containers, %d seconds of load, seed %s: %s." %
             (report["containers"], report["seconds"], report["seed"],
              "%d things were wrong" % len(report["wrong"]) if report["wrong"] else "nothing was wrong"), ""]
    for title, key in (("operations", "operations"), ("killed", "killed"), ("operations cut short by that", "unfinished"),
                       ("checks", "checks"), ("other faults", "faults"), ("peak", "peaks")):
        lines += _table(title, report[key])
    return "\n".join(lines + ["    " + text for text in report["wrong"]]) + "\n"
