# SPDX-License-Identifier: Apache-2.0
"""The audit log (docs/audit-log.md): what is in it, that grants are in it before they have an effect, and that nothing done to it goes unseen."""
import hashlib
import json
import os
import random
import re
import subprocess
import time

import pytest

from lib import registry as registries

HELLO = "casemate/hello"
WRITERS = 20
ROUNDS = 60
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u009b31m\r\nlast\x7f"


def path_of(casemate, name="log"):
    return os.path.join(casemate.root, "audit", name)


def records(casemate, *events):
    """The records in order, those of the named events when some are named."""
    listed = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    return [r for r in listed if not events or r["event"] in events]


def events(casemate):
    return [r["event"] for r in records(casemate)]


def intact(casemate):
    """The number of records that verify finds; it must find the log intact."""
    out = casemate.ok("log", "verify")
    return int(re.match(r"(\d+) records, 1 to \1: intact\n", out).group(1))


def test_what_is_done_is_recorded(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    casemate.ok("exec", "web", "/hello", "echo", "hi")
    casemate.ok("stop", "-t", "0", "web")
    casemate.ok("start", "web")
    casemate.ok("kill", "web")
    casemate.ok("rm", "web")
    casemate.ok("tag", HELLO, "mine:1")
    casemate.ok("rmi", "mine:1")
    assert events(casemate) == ["image.load", "container.create", "container.start", "container.exec", "container.stop",
                                "container.start", "container.kill", "container.remove", "image.tag", "image.remove"]
    created, executed, killed = records(casemate, "container.create", "container.exec", "container.kill")
    assert created["name"] == executed["name"] == "web" and len(created["container"]) == len(created["image"]) == 64
    assert created["container"] == executed["container"] and executed["what"] == "/hello echo hi" and killed["what"] == "signal 9"
    assert created["uid"] == os.getuid() and created["ppid"] == os.getpid() and created["v"] == 1
    assert intact(casemate) == 10


def test_log_belongs_to_root(casemate):
    casemate.ok("run", "--rm", HELLO, "true")
    assert os.stat(path_of(casemate, "")).st_mode & 0o7777 == 0o700
    for name in ("log", "head"):
        status = os.stat(path_of(casemate, name))
        assert (status.st_mode & 0o7777, status.st_uid) == (0o600, 0)


def test_format_as_documented(casemate):
    """Both hashes by the words of the document alone."""
    casemate.ok("run", "--rm", HELLO, "true")
    with open(path_of(casemate), "rb") as f:
        lines = f.read().split(b"\n")
    assert lines.pop() == b"" and len(lines) == 4
    previous = "0" * 64
    for line in lines:
        record = json.loads(line)
        assert record["prev"] == previous
        assert line.endswith(b',"hash":"%s"}' % record["hash"].encode())
        assert hashlib.sha256(line[:line.rindex(b',"hash"')]).hexdigest() == record["hash"]
        previous = hashlib.sha256(line).hexdigest()
    assert casemate.ok("log", "verify").splitlines()[-1] == "last: " + previous


def test_row_50_grant_is_listed(casemate):
    casemate.policy('[practice "capabilities"]\nallow-capability = CAP_SYS_PTRACE\n')
    casemate.ok("create", "--name", "box", "--cap-add", "SYS_PTRACE", "--cap-add", "CHOWN", HELLO)
    grants = [r for r in records(casemate, "grant") if r["practice"] == 6]
    assert {(r["what"], r["source"]) for r in grants} == {("capability CAP_SYS_PTRACE", "policy: casemate.conf:2"),
                                                          ("capability CAP_CHOWN", "--cap-add CHOWN")}
    created = records(casemate, "container.create")[0]
    assert {r["container"] for r in grants} == {created["container"]} and max(r["seq"] for r in grants) < created["seq"]
    lines = [json.loads(l) for l in casemate.ok("explain", "--format", "json", "box").splitlines()]
    explained = {l["Value"]: int(l["Record"]) for l in lines if l["State"] == "granted" and l["What"] == "grant"}
    assert {r["what"]: r["seq"] for r in grants}.items() <= explained.items()


def test_row_42_host_network_granted(casemate):
    casemate.policy('[practice "isolation"]\nallow-host-namespace = network\n')
    casemate.ok("run", "--rm", "--network", "host", HELLO, "true")
    granted, created, started = records(casemate, "grant", "container.create", "container.start")
    assert (granted["practice"], granted["what"], granted["source"]) == (5, "the host's network", "policy: casemate.conf:2")
    assert granted["container"] == created["container"] == started["container"]


@pytest.mark.parametrize("words, practice", [
    (("--cap-add", "SYS_PTRACE"), 6), (("--privileged",), 6), (("--pid", "host"), 5), (("-v", "/etc:/x"), 5),
    (("--security-opt", "seccomp=unconfined"), 7), (("--network", "host"), 5)])
def test_row_42_refusal_is_recorded_once(casemate, words, practice):
    casemate.ok("run", "--rm", HELLO, "true")
    said = casemate.fails("run", "--name", "box", *words, HELLO, "true", status=125, says=r"\(practice %d\)" % practice)
    refused = records(casemate, "refusal")
    assert [r["practice"] for r in refused] == [practice]
    assert refused[0]["what"] == said.strip().removeprefix("casemate: ")
    assert not records(casemate)[-1]["event"].startswith("container.create")
    intact(casemate)


def test_refusal_at_a_start_is_recorded(casemate):
    """The policy's line was taken out between two starts."""
    casemate.policy('[grant "casemate/hello"]\nallow-host-path = /etc/hostname\n')
    casemate.ok("create", "--name", "box", "-v", "/etc/hostname:/x:ro", HELLO, "true")
    casemate.policy("")
    casemate.fails("start", "box", says="bind source /etc/hostname is refused")
    assert [(r["practice"], r["name"]) for r in records(casemate, "refusal")] == [(5, "box")]


def test_grant_needs_its_record(casemate):
    """Nothing can be written to the log: what relaxes a default fails, what relaxes nothing goes on and says so."""
    casemate.ok("run", "--rm", HELLO, "true")
    os.rename(path_of(casemate), path_of(casemate, "aside"))
    os.mkdir(path_of(casemate))
    said = casemate.fails("create", "--name", "box", "--cap-add", "CHOWN", HELLO, status=1)
    assert "'capability CAP_CHOWN' is not granted, as the audit log cannot record it: " in said
    assert casemate.ok("ps", "-aq") == ""
    done = casemate.run("run", "--rm", HELLO, "echo", "fine")
    assert (done.status, done.out) == (0, "fine\n") and re.fullmatch("casemate: not in the audit log: .*\n", done.err)
    os.rmdir(path_of(casemate))
    os.rename(path_of(casemate, "aside"), path_of(casemate))
    casemate.ok("create", "--name", "box", "--cap-add", "CHOWN", HELLO)
    intact(casemate)


FULL = """
set -u
root=$1 casemate=$2
mount -t tmpfs -o size=64k,mode=0700 tmpfs "$root/audit" || exit 9
dd if=/dev/zero of="$root/audit/fill" bs=4k 2>/dev/null
for n in $(seq 40); do "$casemate" create --name p$n casemate/hello >/dev/null 2>"$root/../said" || exit 8; [ ! -s "$root/../said" ] || break; done
cat "$root/../said"
"$casemate" create --name granted --cap-add CHOWN casemate/hello 2>&1 && exit 7
rm "$root/audit/fill"
"$casemate" create --name granted --cap-add CHOWN casemate/hello >/dev/null || exit 6
"$casemate" log verify
"""


def test_full_disk(casemate):
    """The file system of the log is full: grants are refused; with room again the chain goes on and is whole."""
    casemate.ok("run", "--rm", HELLO, "true")
    with open(path_of(casemate), "rb") as f:
        assert f.read()
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", FULL, "sh", casemate.root,
                           casemate.installation.binary], env=casemate.env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert re.match("casemate: not in the audit log: container.create: .*No space left on device", lines[0])
    assert re.match("casemate: 'capability CAP_CHOWN' is not granted, as the audit log cannot record it: .*No space", lines[1])
    assert re.match(r"\d+ records, 1 to \d+: intact", lines[2]), lines


def test_gen_terminal_in_records(casemate, tmp_path):
    """Terminal sequences in arguments, and in the name of the program that calls, do nothing to a terminal that shows the log."""
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    casemate.run("exec", "web", "echo", HOSTILE)
    shell = tmp_path / "\x1b[2Jsh"
    os.symlink(os.path.realpath("/bin/sh"), shell)
    subprocess.run(["sh", "-c", '"$0" tag casemate/hello other:1; true', casemate.installation.binary],
                   executable=str(shell), env=casemate.env, check=True)
    with open(path_of(casemate), "rb") as f:
        written = f.read().decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", written)
    executed = records(casemate, "container.exec")[0]
    assert executed["what"] == "echo '%s'" % HOSTILE
    assert records(casemate, "image.tag")[0]["parent"] == "\x1b[2Jsh"
    with casemate.pty("log", "show") as terminal:
        assert terminal.wait() == 0
        shown = terminal.shown.decode()
    assert "container.exec" in shown and not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", shown)
    assert "\x1b" not in casemate.ok("log", "show", "--format", "json")
    intact(casemate)


def test_long_text_is_cut(casemate):
    casemate.ok("run", "-d", "--name", "web", HELLO, "sleep", "1000")
    casemate.ok("exec", "web", "/hello", "echo", "x" * 100000)
    what = records(casemate, "container.exec")[0]["what"]
    assert what.startswith("/hello echo xxx") and what.endswith("x…") and len(what) == 1025
    assert os.stat(path_of(casemate)).st_size < 8192


def test_parallel_writers(casemate):
    casemate.ok("run", "--rm", HELLO, "true")
    running = [casemate.popen("run", "--rm", "--cap-add", "CHOWN", HELLO, "true") for _ in range(WRITERS)]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, b"")
    assert len(records(casemate, "grant")) == WRITERS
    assert len(records(casemate, "container.create")) == WRITERS + 1
    assert [r["seq"] for r in records(casemate)] == list(range(1, intact(casemate) + 1))


def test_killed_writers(casemate):
    """Whenever a writer is killed, the log is intact and the next one goes on."""
    casemate.ok("run", "--rm", HELLO, "true")
    for number in range(ROUNDS):
        process = casemate.popen("tag", HELLO, "t%d:1" % number)
        time.sleep(random.uniform(0, 0.012))
        process.kill()
        process.communicate()
        if number % 10 == 9:
            intact(casemate)
    before = intact(casemate)
    casemate.ok("tag", HELLO, "last:1")
    assert intact(casemate) == before + 1 and records(casemate)[-1]["name"] == "last:1"


def test_torn_line_is_closed_off(casemate):
    """What a killed writer leaves of a line stays, and is named by the next record; a change of it is found."""
    casemate.ok("run", "--rm", HELLO, "true")
    torn = b'{"v":1,"seq":5,"time":"2026-11-'
    with open(path_of(casemate), "ab") as f:
        f.write(torn)
    assert "1 times a writer was killed" in casemate.ok("log", "verify")
    casemate.ok("tag", HELLO, "next:1")
    assert [(r["event"], r.get("bytes"), r["prev"]) for r in records_after_torn(casemate)[:1]] == [
        ("log.torn", len(torn), hashlib.sha256(torn).hexdigest())]
    intact(casemate)
    with open(path_of(casemate), "rb") as f:
        text = f.read()
    with open(path_of(casemate), "wb") as f:
        f.write(text.replace(torn, torn[:-1] + b"!"))
    casemate.fails("log", "verify", status=1, says="record 5")


def records_after_torn(casemate):
    """`log show` prints what it can and says that a line is no record."""
    done = casemate.run("log", "show", "--format", "json", "-n", "2")
    assert done.status == 0 and done.err == "casemate: 1 lines are no records: see 'casemate log verify'\n"
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize("change, says", [
    (lambda lines: lines[:1] + [lines[1].replace(b"casemate", b"Casemate")] + lines[2:], "log: record 2: its hash does not fit"),
    (lambda lines: lines[:1] + lines[2:], "log: record 2: record 3 stands in its place"),
    (lambda lines: lines[:1] + [lines[2], lines[1]] + lines[3:], "log: record 2: record 3 stands in its place"),
    (lambda lines: lines[:2] + [lines[1]] + lines[2:], "log: record 3: record 2 stands in its place"),
    (lambda lines: lines[1:], "record 1: it is missing"),
    (lambda lines: lines[:-1], "record 4: it is missing"),
    (lambda lines: lines[:-1] + [lines[-1][:-20]], "record 4: it is missing"),
    (lambda lines: [], "record 1: it is missing, and so is all up to record 4"),
], ids=["edited", "removed", "moved", "repeated", "beginning", "end", "torn off", "emptied"])
def test_change_is_found(casemate, change, says):
    """Also after more was written."""
    casemate.ok("run", "--rm", HELLO, "true")
    with open(path_of(casemate), "rb") as f:
        lines = f.read().splitlines(keepends=True)
    assert len(lines) == 4
    with open(path_of(casemate), "wb") as f:
        f.write(b"".join(change(lines)))
    casemate.fails("log", "verify", status=1, says="the audit log is not intact: " + re.escape(says))
    casemate.ok("tag", HELLO, "more:1")
    casemate.fails("log", "verify", status=1, says="record [1-4]:")


def test_changed_and_hashed_again(casemate):
    """Whoever makes the hash of a line fit as well is found at the next line, and at the last one by the head."""
    casemate.ok("run", "--rm", HELLO, "true")
    with open(path_of(casemate), "rb") as f:
        lines = f.read().splitlines()
    for number, says in ((2, "record 3: it does not follow"), (4, "record 4: it is not the one that was written")):
        line = lines[number - 1].replace(b"container.", b"Container.")
        body = line[:line.rindex(b',"hash"')]
        changed = body + b',"hash":"%s"}' % hashlib.sha256(body).hexdigest().encode()
        with open(path_of(casemate), "wb") as f:
            f.write(b"\n".join(lines[:number - 1] + [changed] + lines[number:]) + b"\n")
        casemate.fails("log", "verify", status=1, says=says)


def test_password_is_not_recorded(casemate, registry_auth):
    casemate.ok("login", "--ca-file", registry_auth.ca, "-u", registries.USER, "--password-stdin", registry_auth.host,
                input=registries.PASSWORD)
    casemate.ok("logout", registry_auth.host)
    assert [(r["event"], r["name"]) for r in records(casemate)] == [("registry.login", registry_auth.host),
                                                                    ("registry.logout", registry_auth.host)]
    with open(path_of(casemate), encoding="utf-8") as f:
        assert registries.PASSWORD not in f.read()


def test_show(casemate):
    casemate.ok("run", "--rm", "--name", "web", HELLO, "true")
    lines = casemate.ok("log", "show").splitlines()
    assert lines[0].split() == ["RECORD", "TIME", "USER", "EVENT", "NAME", "WHAT"]
    assert [line.split()[3] for line in lines[1:]] == events(casemate)
    assert [json.loads(l)["seq"] for l in casemate.ok("log", "show", "-n", "2", "--format", "json").splitlines()] == [3, 4]
    assert casemate.ok("log", "show", "-n", "0") == ""
    later = records(casemate)[2]["time"]
    assert [json.loads(l)["seq"] for l in casemate.ok("log", "show", "--since", later, "--format", "json").splitlines()] == [3, 4]
    assert casemate.ok("log", "show", "--since", "2100-01-01T00:00:00Z") == ""
    casemate.fails("log", "show", "--format", "xml", status=1, says="neither table nor json")
    casemate.fails("log", "verify", "-n", "1", status=1, says="takes no options")
    casemate.fails("log", "web", status=1, says="'logs web'")
    casemate.fails("log", says="see 'casemate log --help'")


def test_empty_log(casemate):
    assert casemate.ok("log", "verify").splitlines()[0] == "0 records: intact"
    assert casemate.ok("log", "show") == ""
