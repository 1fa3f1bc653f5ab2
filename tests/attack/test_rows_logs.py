# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 13: row 97, and what a changed log looks like. A log is changed as somebody with the right to write it could."""
import os
import re

import pytest

from lib import logchain

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
