# SPDX-License-Identifier: Apache-2.0
"""What the program in a container has written (its journal, load.c) against what its log has."""
import collections
import json
import os
import re
import struct

from lib import host, logchain

RUN = struct.Struct("<5Q2qQ")
LINE = re.compile(r"([0-9a-f]{16}) ([oe]) (\d+) ([a-z]*)\n")

# What a shim that is killed may take with it: what is in the pipe of a stream, what it has read of it, what it has not written yet
# (src/shim/shim.h, src/shim/log.h; the pipe's size is that of docs/logs.md).
PIPE, STREAM_BUFFER, LOG_BUFFER = 256 << 10, 32 << 10, (98304 + 4096) + 65536

Run = collections.namedtuple("Run", "token lines bytes started exit")


def runs(path):
    """The runs of a journal, oldest first; one that has not yet begun to count is left out."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        return []
    found = []
    for at in range(0, len(data) - RUN.size + 1, RUN.size):
        token, out, err, out_bytes, err_bytes, started, code, _ = RUN.unpack_from(data, at)
        if token:
            found.append(Run("%016x" % token, {"o": out, "e": err}, {"o": out_bytes, "e": err_bytes}, started, code))
    return found


class Seen:
    """The lines of one run that a log has, in the order in which they stand there."""

    def __init__(self):
        self.first, self.last = {}, {}


class Sequence:
    """Reads the text of a log. `wrong` are lines that say what is not right in itself."""

    def __init__(self):
        self.order, self.seen, self.wrong, self.gaps = [], {}, [], 0
        self.after_gap = False

    def gap(self):
        self.gaps += 1
        self.after_gap = True

    def add(self, text):
        match = LINE.fullmatch(text)
        if not match:
            if not self.after_gap:
                self.wrong.append("no line of the program: %r" % text[:80])
            return
        token, stream, number = match[1], match[2], int(match[3])
        if token not in self.seen:
            self.seen[token] = Seen()
            self.order.append(token)
        elif self.order[-1] != token:
            self.wrong.append("lines of %s after those of %s" % (token, self.order[-1]))
        seen = self.seen[token]
        last = seen.last.get(stream)
        seen.first.setdefault(stream, number)
        if last is not None and number != last + 1 and not (self.after_gap and number > last):
            self.wrong.append("%s %s: %d after %d" % (token, stream, number, last))
        seen.last[stream] = number
        self.after_gap = False


def read_files(directory):
    """(sequence, number of the first record) of the files of a log that nobody writes; a part of a record at the end is none."""
    sequence, first = Sequence(), None
    for path in logchain.files(directory):
        with open(path, "rb") as f:
            for line in f:
                if not line.endswith(b"\n"):
                    continue
                record = json.loads(line)
                if first is None:
                    first = int(record["chain"].partition(":")[0])
                if "lost" in record:
                    sequence.gap()
                elif "unsent" not in record:
                    sequence.add(record["log"])
    return sequence, first or 1


def compare(sequence, first, journal, killed_shims):
    """Lines that say how the log of a container that has ended differs from what it wrote. `first`: number of the oldest record that is
    kept. `killed_shims`: how many of its shims were killed; each may have taken the end of one run with it, no more than its buffers."""
    wrong = list(sequence.wrong)
    rotated = first > 1
    known = [run.token for run in journal]
    if [t for t in known if t in sequence.seen] != sequence.order:
        wrong.append("runs in the order %s, the journal has %s" % (sequence.order, known))
    begun = not rotated
    short = 0
    for run in journal:
        seen = sequence.seen.get(run.token)
        if seen is None and (rotated and not begun or not sum(run.lines.values())):
            continue
        for stream in ("o", "e"):
            missing, told = _stream(run, seen, stream, begun)
            wrong += told
            if missing:
                short += stream == "o" or not _stream(run, seen, "o", begun)[0]
                bound = PIPE + STREAM_BUFFER + LOG_BUFFER
                lost = missing * (run.bytes[stream] // max(run.lines[stream], 1))
                if lost > bound and not sequence.gaps:
                    wrong.append("%s %s: %d bytes are missing at its end, more than a shim can lose" % (run.token, stream, lost))
        begun = True
    if short > killed_shims and not sequence.gaps:
        wrong.append("%d runs lack their end, but only %d shims were killed" % (short, killed_shims))
    return wrong


def _stream(run, seen, stream, from_the_start):
    """(lines missing at the end, what is wrong)"""
    written = run.lines[stream]
    if seen is None or stream not in seen.last:
        return (written if from_the_start else 0), []
    wrong = []
    if from_the_start and seen.first[stream] != 1:
        wrong.append("%s %s begins with %d" % (run.token, stream, seen.first[stream]))
    if seen.last[stream] > written + 1:
        wrong.append("%s %s: %d lines, the program has written %d" % (run.token, stream, seen.last[stream], written))
    return max(written - seen.last[stream], 0), wrong


def read_text(text):
    """Of what `casemate logs` shows."""
    sequence = Sequence()
    for line in text.splitlines(keepends=True):
        sequence.add(line)
    return sequence


def size(directory):
    """Bytes of the files of a log."""
    return sum(os.path.getsize(path) for path in logchain.files(directory))


def head_of(directory):
    return host.read(os.path.join(directory, "head"))
