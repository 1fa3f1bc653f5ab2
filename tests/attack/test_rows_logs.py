# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 13: rows 34, 96, 97, 98. A log is changed as somebody with the right to write it could."""
import gzip
import hashlib
import json
import os
import re
import time

import pytest

from lib import logchain, wait

HELLO = "casemate/hello"
LINES = 40


def log_dir(casemate, name):
    return os.path.join(casemate.root, "containers", casemate.ok("inspect", "-f", "{{.Id}}", name).strip(), "shim", "log")


def read(path):
    with open(path, "rb") as f:
        return f.read().splitlines(keepends=True)


def write(path, lines):
    """In place: owner and mode stay."""
    with open(path, "r+b") as f:
        f.truncate()
        f.write(b"".join(lines))


@pytest.fixture
def web(casemate, busybox):
    casemate.ok("run", "--name", "web", busybox, "sh", "-c", "seq 1 %d" % LINES)
    assert "%d records, 1 to %d: intact" % (LINES, LINES) in casemate.ok("log", "verify", "web")
    return log_dir(casemate, "web")


def chained(number, last, text):
    """A record as the shim would write it, for somebody who writes the rest of the chain anew."""
    tail = b'","stream":"stdout","time":"2026-11-24T00:%02d:00Z"' % number
    last = logchain.following(last, text + tail)
    return b'{"log":"' + text + tail + b',"chain":"%d:%s"}\n' % (number, last.encode()), last


def edit(lines):
    lines[16] = lines[16].replace(b'"log":"17', b'"log":"71')


def edit_stream(lines):
    lines[16] = lines[16].replace(b"stdout", b"stderr")


def delete(lines):
    del lines[16]


def swap(lines):
    lines[16], lines[17] = lines[17], lines[16]


def repeat(lines):
    lines.insert(16, lines[15])


def insert_plain(lines):
    lines.insert(16, b'{"log":"forged\\n","stream":"stdout","time":"2026-11-24T00:00:00Z"}\n')


def insert_renumbered(lines):
    lines.insert(16, re.sub(rb'"chain":"16:', b'"chain":"17:', lines[15]))


def truncate(lines):
    del lines[16:]


def cut_in_a_record(lines):
    del lines[17:]
    lines[16] = lines[16][:30]


def empty(lines):
    lines[16] = b"\n"


def own_rest(lines):
    """The whole rest anew, with hashes that fit."""
    last = logchain.LINE.fullmatch(lines[15])[4].decode()
    for i in range(16, LINES):
        lines[i], last = chained(i + 1, last, b"forged\\n")


@pytest.mark.row(97)
@pytest.mark.parametrize("change, bad", [
    (edit, 17), (edit_stream, 17), (delete, 17), (swap, 17), (repeat, 17), (insert_plain, 17), (insert_renumbered, 17),
    (truncate, 17), (cut_in_a_record, 17), (empty, 17), (own_rest, LINES)])
def test_row_97_verify_names_the_first_bad_record(casemate, web, change, bad):
    lines = read(web + "/log")
    change(lines)
    write(web + "/log", lines)
    casemate.fails("log", "verify", "web", status=1, says=r"the log of web: record %d is not intact: " % bad)
    result = casemate.run("log", "verify", "--all")
    assert result.status == 1 and "record %d is not intact" % bad in result.err


@pytest.mark.row(97)
def test_row_97_a_chain_that_was_made_anew_is_not_the_one_of_the_audit_log(casemate, web):
    """Everything fits together, the head too: only root's audit log knows better."""
    lines = read(web + "/log")
    own_rest(lines)
    write(web + "/log", lines)
    last = logchain.LINE.fullmatch(lines[-1])[4]
    begin = logchain.head(web)[2].encode()
    write(web + "/head", [(b"casemate-log 1 0 0 %s %d %s" % (begin, LINES, last)).ljust(191) + b"\n"])
    casemate.fails("log", "verify", "web", status=1, says="record %d is not intact: .*audit log" % LINES)


@pytest.mark.row(97)
@pytest.mark.parametrize("names", [["log", "head"], ["head"], ["log"]])
def test_row_97_removed_files_are_missed(casemate, web, names):
    for name in names:
        os.unlink(os.path.join(web, name))
    casemate.fails("log", "verify", "web", status=1, says="the log of web: .*(log/head is missing|record 1 is not intact)")


@pytest.mark.row(97)
def test_row_97_rotation_is_told_from_removal(casemate, busybox):
    script = "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done"
    casemate.policy('[practice "files"]\nlog-size = 16k\nlog-files = 3\n')
    casemate.ok("run", "--name", "web", busybox, "sh", "-c", script)
    where = log_dir(casemate, "web")
    first = logchain.head(where)[1] + 1
    assert first > 1 and sorted(os.listdir(where)) == ["head", "log", "log.1", "log.2"]
    assert "%d records, %d to 500: intact" % (501 - first, first) in casemate.ok("log", "verify", "web")
    os.unlink(where + "/log.2")
    casemate.fails("log", "verify", "web", status=1, says="record %d is not intact" % first)


@pytest.mark.row(97)
def test_row_97_oldest_records_removed_with_a_head_that_fits(casemate, busybox, web):
    lines = read(web + "/log")
    number, last = 10, logchain.LINE.fullmatch(lines[9])[4]
    origin, _, _, end, end_hash = logchain.head(web)
    write(web + "/log", lines[number:])
    write(web + "/head", [(b"casemate-log 1 %d %d %s %d %s" % (origin, number, last, end, end_hash.encode())).ljust(191) + b"\n"])
    casemate.fails("log", "verify", "web", status=1, says="record 1 is not intact: .*not by rotation")


@pytest.mark.row(97)
def test_row_97_the_log_of_another_container_does_not_pass(casemate, busybox, web):
    casemate.ok("run", "--name", "other", busybox, "sh", "-c", "seq 1 %d" % LINES)
    for name in ("log", "head"):
        write(os.path.join(log_dir(casemate, "other"), name), read(os.path.join(web, name)))
    casemate.fails("log", "verify", "other", status=1, says="the log of other: record")


@pytest.mark.row(97)
def test_row_97_what_was_cut_off_is_missed_after_the_next_start_too(casemate, web):
    write(web + "/log", read(web + "/log")[:16])
    casemate.ok("start", "-a", "web")
    casemate.fails("log", "verify", "web", status=1, says="record 17 is not intact")
    assert len(casemate.ok("logs", "web").splitlines()) == 16 + LINES


@pytest.mark.row(97)
def test_row_97_chain_goes_on_over_starts(casemate, web):
    casemate.ok("start", "-a", "web")
    assert "%d records, 1 to %d: intact" % (2 * LINES, 2 * LINES) in casemate.ok("log", "verify", "web")
    assert [n for n, _ in logchain.check(web, casemate.ok("inspect", "-f", "{{.Id}}", "web").strip())] == list(
        range(1, 2 * LINES + 1))


# --- row 34: volume ---

FLOOD = "head -c %d /dev/zero | tr '\\0' '<'; echo; seq 1 %d"


def total(where):
    return sum(os.path.getsize(os.path.join(where, n)) for n in os.listdir(where) if n.startswith("log"))


@pytest.mark.row(34)
def test_row_34_log_volume_has_a_cap_by_default(casemate, busybox):
    """200 MB of output, and twice that as the log would have it: 30 MiB is what stays."""
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", "seq 1 1500000; " + FLOOD % (190 * 10**6, 10), timeout=120)
    where = log_dir(casemate, "web")
    worst = 0
    while casemate.ok("inspect", "-f", "{{.State.Running}}", "web").strip() == "true":
        try:
            worst = max(worst, total(where))
        except FileNotFoundError:  # rotated meanwhile
            pass
    assert 20 << 20 < worst <= 30 << 20 and total(where) <= 30 << 20
    assert casemate.ok("logs", "--tail", "10", "web").split() == [str(i) for i in range(1, 11)]
    assert "intact" in casemate.ok("log", "verify", "web")


@pytest.mark.row(34)
def test_row_34_attached_stream_is_not_altered_or_limited(casemate, busybox):
    result = casemate.run("run", "--rm", busybox, "sh", "-c", "head -c 50000000 /dev/urandom >/tmp/x; sha256sum /tmp/x >&2; cat /tmp/x",
                          text=False, timeout=120)
    assert result.status == 0 and len(result.out) == 50000000
    assert hashlib.sha256(result.out).hexdigest().encode() == result.err.split()[0]
    assert gzip.decompress(gzip.compress(result.out, 1)) == result.out


@pytest.mark.row(34)
def test_row_34_a_larger_log_is_recorded_as_a_grant(casemate, busybox):
    casemate.ok("run", "--name", "big", "--log-opt", "max-size=1g", busybox, "true")
    grants = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    assert [g["what"] for g in grants if g["event"] == "grant"] == ["a log of 3 GiB"]


# --- row 96: logs outlive their containers ---

@pytest.mark.row(96)
@pytest.mark.parametrize("how", ["rm", "--rm"])
def test_row_96_logs_survive_removal(casemate, busybox, how):
    casemate.ok("run", "--name", "web", *(["--rm"] if how == "--rm" else []), busybox, "sh", "-c", "echo kept; echo err >&2")
    if how == "rm":
        casemate.ok("rm", "web")
    casemate.fails("logs", "web", status=1, says="No such container: web; its log is kept: casemate logs --removed web")
    assert casemate.run("logs", "--removed", "web") == (0, "kept\n", "err\n")
    head, row = casemate.ok("logs", "--removed").splitlines()
    assert head.split()[0] == "CONTAINER" and row.split()[-1] == "web" and busybox in row
    assert casemate.run("logs", "--removed", row.split()[0]).out == "kept\n"
    assert "web: 2 records, 1 to 2: intact, as the audit log has them" in casemate.ok("log", "verify", "web")
    assert "web: 2 records" in casemate.ok("log", "verify", "--all")
    path = os.path.join(casemate.root, "logs/removed", os.listdir(casemate.root + "/logs/removed")[0])
    lines = read(path + "/log")
    edit_first = [lines[0].replace(b"kept", b"gone"), lines[1]]
    write(path + "/log", edit_first)
    casemate.fails("log", "verify", "web", status=1, says="record 1 is not intact")


@pytest.mark.row(96)
def test_row_96_empty_logs_and_unwanted_ones_are_not_kept(casemate, busybox):
    casemate.ok("run", "--rm", busybox, "true")
    casemate.policy('[practice "files"]\nremoved-logs = no\n')
    casemate.ok("run", "--rm", busybox, "echo", "x")
    assert casemate.ok("logs", "--removed").count("\n") == 1


@pytest.mark.row(96)
def test_row_96_retention_by_size(casemate, busybox):
    casemate.policy('[practice "files"]\nremoved-logs-size = 80k\n')
    for i in range(6):
        casemate.ok("run", "--rm", "--name", "web%d" % i, busybox, "seq", "1", "200")
    names = [line.split()[-1] for line in casemate.ok("logs", "--removed").splitlines()[1:]]
    assert names == ["web5", "web4"]


@pytest.mark.row(96)
def test_row_96_retention_by_time(casemate, busybox):
    for name in ("old", "new"):
        casemate.ok("run", "--rm", "--name", name, busybox, "echo", name)
    top = casemate.root + "/logs/removed"
    for directory in os.listdir(top):
        path = os.path.join(top, directory, "removed.json")
        with open(path, encoding="utf-8") as f:
            record = json.load(f)
        if record["name"] == "old":
            record["removed"] = time.time_ns() - 31 * 86400 * 10**9
            with open(path, "w", encoding="utf-8") as f:
                json.dump(record, f)
    casemate.ok("tend", "--once")
    assert [line.split()[-1] for line in casemate.ok("logs", "--removed").splitlines()[1:]] == ["new"]


# --- row 98: injection ---

EVIL = r"a\033[31mred\033]0;title\007\tb\b\rover\302\233c\177\n"


@pytest.mark.row(98)
def test_row_98_escapes_are_neutralised_on_a_terminal_and_raw_otherwise(casemate, busybox):
    casemate.ok("run", "--name", "web", busybox, "printf", EVIL)
    raw = b"a\x1b[31mred\x1b]0;title\x07\tb\b\rover\xc2\x9bc\x7f\n"
    assert casemate.run("logs", "web", text=False).out == raw
    with casemate.pty("logs", "web") as terminal:
        terminal.wait()
        shown = terminal.shown
    assert shown == b"a^[[31mred^[]0;title^G\tb^H^Mover\\x9bc^?\r\n"
    with casemate.pty("logs", "--raw", "web") as terminal:
        terminal.wait()
        assert terminal.shown == raw.replace(b"\n", b"\r\n")


@pytest.mark.row(98)
def test_row_98_a_line_cannot_forge_a_record_or_a_time(casemate, busybox):
    forged = '2000-01-01T00:00:00.000000000Z forged'
    record = '{"log":"forged\\n","stream":"stderr","time":"2000-01-01T00:00:00Z","chain":"1:%s"}' % ("0" * 64)
    casemate.ok("run", "--name", "web", busybox, "printf", "%s\n", forged, record, 'x","stream":"stderr","time":"2000-01-01T00:00:00Z"}')
    result = casemate.run("logs", "-t", "web")
    stamps = [line.split(" ", 1) for line in result.out.splitlines()]
    assert result.err == "" and [text for _, text in stamps][:2] == [forged, record]
    assert all(stamp > "2020" for stamp, _ in stamps) and len(stamps) == 3
    assert "3 records, 1 to 3: intact" in casemate.ok("log", "verify", "web")
    assert casemate.ok("logs", "--until", "2010-01-01", "web") == ""


@pytest.mark.row(98)
def test_row_98_names_and_labels_are_neutralised_too(casemate, busybox):
    casemate.ok("run", "--rm", "--name", "web", "-l", "k=\033[31m\x1b[0m", "--log-opt", "labels=k", busybox, "echo", "x")
    with casemate.pty("logs", "--removed", "--details", "web") as terminal:
        terminal.wait()
        assert b"\x1b" not in terminal.shown and b"^[[0m" in terminal.shown
    wait.until(lambda: casemate.ok("ps", "-a", "-q") == "", what="it is gone")
