# SPDX-License-Identifier: Apache-2.0
"""casemate-shim: streams, log, exit status. The container is a process of the test; everything else is the real thing."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from lib import casemate as casemate_module, host, logchain, shim as shim_module, wait
from lib.shim import (Client, Shim, EXIT, STDERR, STDIN_END, STDIN_ONCE, STDIN_OPEN, STDOUT, TTY, WANT_ALL, WANT_STDERR,
                      WANT_STDIN, WANT_STDOUT)

MIB = 1 << 20


@pytest.fixture
def start():
    made = []

    def make(*args, **kwargs):
        made.append(Shim(*args, **kwargs))
        return made[-1]
    yield make
    for one in made:
        one.kill()
        shutil.rmtree(one.root, ignore_errors=True)


def sh(script):
    return ["sh", "-c", script]


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def lines(shim):
    return [json.loads(line) for line in shim.log().splitlines()]


def text(shim, stream="stdout"):
    return "".join(line["log"] for line in lines(shim) if line["stream"] == stream)


def is_asleep(pid):
    return host.read("/proc/%d/stat" % pid).rpartition(")")[2].split()[:1] == ["S"]


# --- exit status ---

@pytest.mark.parametrize("script, code, sig", [
    ("exit 0", 0, 0), ("exit 7", 7, 0), ("exit 255", 255, 0), ("kill -9 $$", 137, 9), ("kill -15 $$", 143, 15),
    ("kill -11 $$", 139, 11)])
def test_exit_status(start, script, code, sig):
    before = time.time_ns()
    one = start(sh(script), client=WANT_ALL)
    one.first.read()
    assert one.first.exit[:3] == (code, sig, 0)
    assert one.wait() == 0
    record = one.record()
    assert record[:3] == [code, sig, 0] and record[4] == 0
    assert before <= record[3] <= time.time_ns()
    assert os.listdir(one.exited) == [shim_module.CONTAINER_ID]
    assert sorted(os.listdir(one.dir)) == ["exit", "lock", "log"]


@pytest.mark.parametrize("content, baseline, flag", [
    ("low 0\nhigh 0\noom 3\noom_kill 3\n", 2, 1), ("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2, 0),
    ("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 0, 1), ("", 0, 0), ("x_oom_kill 5\n", 0, 0)])
def test_oom_flag(start, content, baseline, flag):
    one = start(sh("kill -9 $$"), oom=content, oom_baseline=baseline)
    one.wait()
    assert one.record()[2] == flag


def test_stale_record_is_gone_while_the_container_runs(start):
    def leave_record(one):
        with open(os.path.join(one.dir, "exit"), "w", encoding="ascii") as f:
            f.write("casemate-exit 1 9 0 0 1 0\n")
    one = start(sh("read x; exit 3"), flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL, setup=leave_record)
    one.first.receive()
    assert not os.path.exists(os.path.join(one.dir, "exit"))
    one.first.send(STDIN_END)
    one.wait()
    assert one.record()[0] == 3


def test_killed_shim_takes_its_container_along(start):
    one = start(sh("echo up; exec sleep 1000"), client=WANT_ALL, owned=True)
    one.first.read(until=b"up\n")
    os.kill(one.pid, signal.SIGKILL)
    one.wait()
    wait.until(lambda: not host.exe(one.child_pid), what="the container dies with its shim")
    assert not os.path.exists(os.path.join(one.dir, "exit"))


def test_signals_do_not_end_it(start):
    one = start(sh("echo up; read x; exit 5"), flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL)
    one.first.read(until=b"up\n")
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGUSR1):
        os.kill(one.pid, sig)
    one.first.send(STDIN_END)
    one.first.read()
    assert one.first.exit[0] == 5


# --- start checks ---

def test_refuses_privileges_and_a_missing_container():
    done = subprocess.run([shim_module.program()], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "cannot run as root" in done.stderr
    done = subprocess.run([shim_module.program()], capture_output=True, text=True, check=False, user=shim_module.SHIM_ID,
                          group=shim_module.SHIM_ID, extra_groups=[], close_fds=True)
    assert done.returncode == 1 and "cannot read the configuration" in done.stderr


def test_is_confined(start):
    one = start(sh("echo up; read x"), flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL)
    one.first.read(until=b"up\n")
    fields = {name: host.status_field(one.pid, name) for name in
              ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapInh", "NoNewPrivs", "Seccomp")}
    assert set(fields["Uid"].split()) == set(fields["Gid"].split()) == {str(shim_module.SHIM_ID)}
    assert fields["Groups"] == "" and {int(fields[c], 16) for c in ("CapEff", "CapPrm", "CapInh")} == {0}
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"


def test_is_static_and_links_nothing():
    for name in ("casemate-shim", "casemate-init"):
        with open(shim_module.program(name), "rb") as f:
            data = f.read()
        assert b"/ld-musl" not in data and b"/ld-linux" not in data and b"__asan" not in data
        assert len(data) < 1200 * 1024  # with musl about 60 KiB, with glibc 900


# --- streams ---

def test_hundred_megabytes_are_bit_exact(start):
    size = 100 * MIB
    block = os.urandom(MIB)

    def produce():
        for _ in range(size // MIB):
            write_all(1, block)
    one = start(produce, client=WANT_ALL, log_size=4 * MIB, log_files=2)
    got, seen = hashlib.sha256(), []

    def take(piece):
        got.update(piece)
        seen.append(len(piece))
    one.first.read(take=take)
    want = hashlib.sha256()
    for _ in range(size // MIB):
        want.update(block)
    assert sum(seen) == size and got.digest() == want.digest()
    assert one.first.exit[0] == 0


def test_streams_stay_apart_and_every_byte_passes(start):
    every = bytes(range(256))

    def produce():
        os.write(1, every)
        os.write(2, every[::-1])
    one = start(produce, client=WANT_ALL)
    out, err = b"", b""
    while True:
        kind, payload = one.first.receive()
        if kind is None:
            break
        out += payload if kind == STDOUT else b""
        err += payload if kind == STDERR else b""
    assert out == every and err == every[::-1]


def test_output_before_the_first_client_is_read_is_not_lost(start):
    one = start(sh("echo first; exit 4"), client=WANT_STDOUT)
    assert one.first.read() == b"first\n" and one.first.exit[0] == 4


def test_slow_client_presses_back_and_memory_is_bounded(start):
    def produce():
        for _ in range(64):
            write_all(1, b"x" * (MIB - 1) + b"\n")
    one = start(produce, client=WANT_ALL, log_size=8 * MIB)
    kind, _ = one.first.receive()
    assert kind == shim_module.WELCOME
    wait.until(lambda: is_asleep(one.child_pid) and is_asleep(one.pid), what="both wait for the client")
    logged = len(one.log())
    assert logged < MIB
    assert one.memory() < 1024
    got = one.first.read()
    assert len(got) == 64 * MIB and one.first.exit[0] == 0


def test_client_that_vanishes_is_dropped_and_frees_the_container(start):
    one = start(sh("head -c 8000000 /dev/zero; exit 6"), client=WANT_ALL)
    one.first.receive()
    other = Client(one, 0)
    one.first.close()
    other.read()
    assert other.exit[0] == 6
    one.wait()
    assert text(one).count("\0") == 8000000


def test_two_clients_get_the_same_and_one_may_leave(start):
    one = start(sh("read a; echo $a; read b; echo $b; read c"), flags=STDIN_OPEN, client=WANT_ALL)
    second = Client(one)
    second.receive()
    one.first.write(b"one\n")
    assert one.first.read(until=b"one\n") == second.read(until=b"one\n") == b"one\n"
    one.first.close()
    second.write(b"two\n")
    assert second.read(until=b"two\n") == b"two\n"
    third = Client(one, WANT_STDIN)
    third.write(b"end\n")
    second.read()
    assert second.exit[0] == 0


def test_only_wanted_streams_are_sent(start):
    one = start(sh("echo out; echo err >&2"), client=WANT_STDERR)
    assert one.first.read(kinds=(STDOUT, STDERR)) == b"err\n"
    one.wait()
    assert text(one) == "out\n" and text(one, "stderr") == "err\n"


def test_half_close(start):
    one = start(["sha256sum"], flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL)
    data = os.urandom(5 * MIB)
    one.first.write(data)
    one.first.send(STDIN_END)
    assert one.first.read().split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_cat_echoes_a_megabyte_each_way(start):
    one = start(["cat"], flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL)
    data = os.urandom(MIB)
    pid = os.fork()
    if pid == 0:
        one.first.write(data)
        one.first.send(STDIN_END)
        os._exit(0)
    assert one.first.read() == data
    os.waitpid(pid, 0)


def test_client_that_leaves_without_an_end_ends_the_input_of_run_i(start):
    one = start(sh("cat >/dev/null; exit 8"), flags=STDIN_OPEN | STDIN_ONCE, client=WANT_ALL)
    one.first.receive()
    one.first.close()
    one.wait()
    assert one.record()[0] == 8


def test_stdin_stays_open_without_once(start):
    one = start(sh("read a; echo got $a"), flags=STDIN_OPEN, client=WANT_ALL)
    one.first.receive()
    one.first.send(STDIN_END)
    one.first.close()
    second = Client(one)
    second.write(b"later\n")
    assert second.read() == b"got later\n"


def test_input_is_ignored_without_i(start):
    one = start(sh("read a; echo done"), client=WANT_ALL, flags=0)
    one.first.write(b"nobody reads this\n")
    wait.until(lambda: is_asleep(one.pid))
    os.kill(one.child_pid, signal.SIGKILL)
    assert one.first.read() == b""


def test_input_presses_back_and_a_dead_writer_does_not_spin(start):
    one = start(sh("read a; exec sleep 1000"), flags=STDIN_OPEN, client=WANT_ALL)
    one.first.receive()
    one.first.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        for _ in range(100):
            one.first.write(b"y" * 32768)
    one.first.close()
    before = cpu_ticks(one.pid)
    time.sleep(0.5)
    assert cpu_ticks(one.pid) - before <= 5
    os.kill(one.child_pid, signal.SIGKILL)
    one.wait()
    assert one.record()[0] == 137


def cpu_ticks(pid):
    fields = host.read("/proc/%d/stat" % pid).rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("packet", [
    b"", b"x", b"\x03\x00\x00\x00\x04\x00\x00\x00abc", b"\x03\x00\x01\x00\x03\x00\x00\x00abc", b"\x63\x00\x00\x00\x00\x00\x00\x00",
    b"\x05\x00\x00\x00\x01\x00\x00\x00a", b"\x01\x00\x00\x00\x08\x00\x00\x00" + b"\x01\x00\x00\x00" * 2,
    b"\x03\x00\x00\x00" + (40000).to_bytes(4, "little") + b"z" * 40000])
def test_client_that_breaks_a_rule_is_dropped(start, packet):
    one = start(sh("read a; exit 2"), flags=STDIN_OPEN, client=WANT_ALL)
    one.first.receive()
    one.first.sock.send(packet)
    assert one.first.receive() == (None, b"")
    second = Client(one)
    second.write(b"\n")
    second.read()
    assert second.exit[0] == 2


def test_more_clients_than_slots_wait_their_turn(start):
    one = start(sh("read a; exit 2"), flags=STDIN_OPEN, client=WANT_ALL)
    clients = [Client(one) for _ in range(16)]
    for c in [one.first] + clients[:15]:
        assert c.receive()[0] == shim_module.WELCOME
    one.first.close()
    assert clients[15].receive()[0] == shim_module.WELCOME
    clients[15].write(b"\n")
    for c in clients:
        c.read()
        assert c.exit[0] == 2


def test_background_process_that_holds_stdout_does_not_hang_it(start):
    one = start(sh("echo out; sleep 1000 & echo $!; exit 3"), client=WANT_ALL)
    got = one.first.read()
    assert one.first.exit[0] == 3
    one.wait()
    os.kill(int(got.split()[1]), signal.SIGKILL)


def test_background_process_that_floods_does_not_hang_it(start):
    one = start(sh("yes & echo $! >&2; exit 3"), client=WANT_ALL, log_size=MIB)
    pids = []
    while True:
        kind, payload = one.first.receive()
        if kind is None:
            break
        pids += payload.split() if kind == STDERR else []
    assert one.first.exit[0] == 3
    with contextlib.suppress(ProcessLookupError):  # without a reader it ends by itself
        os.kill(int(pids[0]), signal.SIGKILL)


# --- terminal ---

def test_terminal_resize_and_echo(start):
    one = start(sh("stty size; read a; stty size; read a; exit 9"), flags=TTY | STDIN_OPEN, client=WANT_ALL)
    assert one.first.read(until=b"\n") == b"0 0\r\n"
    one.first.resize(33, 101)
    one.first.write(b"go\n")
    assert one.first.read(until=b"101\r\n") == b"go\r\n33 101\r\n"
    one.first.write(b"\n")
    one.first.read()
    assert one.first.exit[0] == 9
    one.wait()
    assert text(one) == "0 0\r\ngo\r\n33 101\r\n\r\n"


def test_terminal_interrupt_key(start):
    one = start(sh("echo up; exec sleep 1000"), flags=TTY | STDIN_OPEN, client=WANT_ALL)
    one.first.read(until=b"up\r\n")
    one.first.write(b"\x03")
    one.first.read()
    assert one.first.exit[:2] == (130, 2)


def test_terminal_bytes_are_exact(start):
    data = os.urandom(2 * MIB)

    def produce():
        subprocess.run(["stty", "raw", "-echo"], check=True)
        write_all(1, data)
    one = start(produce, flags=TTY, client=WANT_ALL)
    assert one.first.read() == data


def test_terminal_that_is_closed_and_opened_again(start):
    def reopen():
        name = os.ttyname(0)
        for fd in (0, 1, 2):
            os.close(fd)
        time.sleep(0.7)
        fd = os.open(name, os.O_RDWR)
        os.write(fd, b"back\n")
        os._exit(0)
    one = start(reopen, flags=TTY, client=WANT_ALL)
    wait.until(lambda: is_asleep(one.pid))
    before = cpu_ticks(one.pid)
    assert one.first.read() == b"back\r\n"
    assert cpu_ticks(one.pid) - before <= 5


# --- log ---

def go_escape(data):
    """What Go's encoder, as Docker's json-file driver calls it, makes of bytes."""
    out, i = "", 0
    while i < len(data):
        for size in (1, 2, 3, 4):
            try:
                char = data[i:i + size].decode("utf-8")
                break
            except UnicodeDecodeError:
                char = None
        if char is None:
            out, i = out + "\\ufffd", i + 1
            continue
        i += size
        if char in "\\\"":
            out += "\\" + char
        elif char in "\n\r":
            out += {"\n": "\\n", "\r": "\\r"}[char]
        elif ord(char) < 32 or char in "<>&":
            out += "\\u%04x" % ord(char)
        elif char in "\u2028\u2029":
            out += "\\u%04x" % ord(char)
        else:
            out += char
    return out.encode("utf-8")


TRICKY = [
    b"plain\n", b"\n", b"tab\tcr\rbell\a\0nul\x1b[31m\x7f\n", b"\"quoted\" \\ / <b>&amp;</b>\n", "äöü € 😀\n".encode(),
    "\u2028\u2029\u2027\n".encode(), b"\xff\xfe\x80\xbf\n", b"\xc0\xaf \xe0\x80\x80 \xf0\x80\x80\x80\n",
    b"\xed\xa0\x80 \xed\xbf\xbf \xee\x80\x80\n", b"\xf4\x8f\xbf\xbf \xf4\x90\x80\x80 \xf5\x80\n", b"\xe2\x82\n", b"\xe2\n",
    b"\xf0\x9f\x98\n", "\ufffd\n".encode(), b"{\"log\":\"forged\\n\",\"stream\":\"stderr\"}\n", b"\xc2\x80\xc2\x9b\n",
]


def test_log_is_what_docker_writes(start):
    data = b"".join(TRICKY)
    one = start(lambda: write_all(1, data), client=WANT_ALL)
    one.first.read()
    one.wait()
    got = one.log().splitlines(keepends=True)
    assert len(got) == len(TRICKY)
    for line, raw in zip(got, TRICKY):
        match = re.fullmatch(rb'\{"log":"(.*)","stream":"stdout","time":"([^"]*)","chain":"\d+:[0-9a-f]{64}"\}\n', line)
        assert match and match[1] == go_escape(raw)
        assert re.fullmatch(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z", match[2])


def test_long_lines_are_cut_and_joined_again(start):
    raw = (b"a" * 16383 + "é".encode() + b"b" * 40000 + b"\n" + b"short\n" + b"no newline at the end")
    one = start(lambda: write_all(1, raw), client=WANT_ALL)
    one.first.read()
    one.wait()
    entries = [line["log"] for line in lines(one)]
    assert "".join(entries).encode() == raw
    assert [e.endswith("\n") for e in entries] == [False, False, False, True, True, False]
    assert max(len(e.encode()) for e in entries) == 16384


def test_log_continues_over_starts_and_cuts_half_a_line_off(start, tmp_path):
    one = start(sh("echo first"), root=str(tmp_path))
    one.wait()
    with open(os.path.join(one.dir, "log", "log"), "ab") as f:
        f.write(b'{"log":"hal')
    two = start(sh("echo second"), root=str(tmp_path))
    two.wait()
    got = two.log().splitlines()
    assert len(got) == 2 and json.loads(got[0])["log"] == "first\n" and json.loads(got[1])["log"] == "second\n"


def test_rotation_keeps_the_newest_in_order(start):
    one = start(sh("seq 1 20000"), log_size=64 * 1024, log_files=4)
    one.wait()
    files = one.log_files()
    assert [os.path.basename(f) for f in files] == ["log.3", "log.2", "log.1", "log"]
    assert all(os.path.getsize(f) <= 64 * 1024 for f in files)
    numbers = [int(line["log"]) for line in lines(one)]
    assert numbers == list(range(numbers[0], 20001)) and numbers[0] > 1


def test_one_file_is_started_anew(start):
    one = start(sh("seq 1 20000"), log_size=64 * 1024, log_files=1)
    one.wait()
    assert len(one.log_files()) == 1 and os.path.getsize(one.log_files()[0]) <= 64 * 1024
    assert lines(one)[-1]["log"] == "20000\n"


def test_rotation_moves_nothing_twice_after_a_failure(start, tmp_path):
    """log.1 is missing, as after a crash in the middle of a rotation: the older ones stay where they are."""
    def leave_gap(one):
        folder = os.path.join(one.dir, "log")
        os.mkdir(folder, 0o700)
        os.chown(folder, shim_module.SHIM_ID, shim_module.SHIM_ID)
        for name, content in (("log", b"x" * 5000 + b"\n"), ("log.2", b"old\n")):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
            os.chown(os.path.join(folder, name), shim_module.SHIM_ID, shim_module.SHIM_ID)
    one = start(sh("echo new"), log_size=4096, log_files=3, root=str(tmp_path), setup=leave_gap)
    one.wait()
    sizes = {os.path.basename(f): os.path.getsize(f) for f in one.log_files()}
    assert sizes["log.2"] == 4 and sizes["log.1"] == 5001 and sizes["log"] < 200


def test_chain_holds_over_lines_streams_files_and_starts(start, tmp_path):
    script = "i=0; while [ $i -lt 150 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; echo '%s'" % ("<\u00fc>" * 5000)
    for _ in range(2):
        one = start(sh(script), log_size=64 * 1024, log_files=3, root=str(tmp_path))
        one.wait()
    records = logchain.check(os.path.join(one.dir, "log"), shim_module.CONTAINER_ID)
    assert logchain.head(os.path.join(one.dir, "log"))[3] == records[-1][0] == 2 * 302
    assert len(one.log_files()) == 3 and records[0][0] > 1


def test_chain_goes_on_behind_a_head_that_was_late(start, tmp_path):
    """As after a shim that was killed between a record and the head: what is in the log counts."""
    one = start(sh("echo a; echo b"), root=str(tmp_path))
    one.wait()
    folder = os.path.join(one.dir, "log")
    with open(os.path.join(folder, "head"), "r+b") as f:
        f.write(b"casemate-log 1 0 0 %s 0 %s" % ((logchain.beginning(shim_module.CONTAINER_ID).encode(),) * 2))
    start(sh("echo c"), root=str(tmp_path)).wait()
    assert [text for _, text in logchain.check(folder, shim_module.CONTAINER_ID)] == ["a\n", "b\n", "c\n"]


def test_log_of_an_older_version_goes_on_with_a_chain(start, tmp_path):
    old = b'{"log":"old\\n","stream":"stdout","time":"2026-11-24T03:40:20.1Z"}\n'

    def leave_old(one):
        folder = os.path.join(one.dir, "log")
        os.mkdir(folder, 0o700)
        with open(os.path.join(folder, "log"), "wb") as f:
            f.write(old)
        for path in (folder, os.path.join(folder, "log")):
            os.chown(path, shim_module.SHIM_ID, shim_module.SHIM_ID)
    one = start(sh("echo new"), root=str(tmp_path), setup=leave_old)
    one.wait()
    assert [line["log"] for line in lines(one)] == ["old\n", "new\n"]
    assert logchain.head(os.path.join(one.dir, "log"))[0] == 1 and "chain" in lines(one)[1]


def size_of(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:  # rotated away meanwhile
        return 0


def test_flood_stays_below_the_cap(start):
    """Row 34: whatever a container writes, its log takes no more than was allowed."""
    def flood():
        block = (b"<" * 127 + b"\n") * 8192
        for _ in range(256):
            write_all(1, block)
    one = start(flood, log_size=2 * MIB, log_files=3)
    worst = 0
    while one.status is None:
        worst = max(worst, sum(size_of(f) for f in one.log_files()))
        pid, status = os.waitpid(one.pid, os.WNOHANG)
        if pid:
            one.status = os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    assert one.record()[0] == 0
    assert 0 < worst <= 6 * MIB + 256


def full_disk(one):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700,uid=%d,gid=%d" %
                    (shim_module.SHIM_ID, shim_module.SHIM_ID), "none", one.dir], check=True)


FULL_DISK = """
import os, sys
sys.path.insert(0, %r)
from lib import shim, wait
import subprocess
exec(open(%r).read().partition("FULL" "_DISK")[0].partition("# --- exit status")[0])
%s
%s
"""


def in_mount_namespace(body):
    """Runs statements with the helpers above in a mount namespace of their own; mounts end with it."""
    here = os.path.dirname(os.path.abspath(__file__))
    import inspect
    script = FULL_DISK % (os.path.dirname(here), os.path.abspath(__file__), inspect.getsource(full_disk), body)
    base = casemate_module.make_base("casemate-full-")
    try:
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "python3", "-c", script], capture_output=True, text=True,
                              check=False, timeout=wait.seconds(120), env={**os.environ, "CASEMATE_TEST_DIR": base})
    finally:
        shutil.rmtree(base, ignore_errors=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_full_disk_presses_back_and_loses_nothing():
    in_mount_namespace("""
one = Shim(sh("seq 1 100000; exit 3"), setup=full_disk, log_size=1 << 30)
def stuck():
    v = os.statvfs(one.dir)
    return v.f_bavail == 0 and is_asleep(one.child_pid) and is_asleep(one.pid)
wait.until(stuck, what="the disk is full and the container waits")
assert one.status is None and os.path.exists("/proc/%d" % one.child_pid)
subprocess.run(["mount", "-o", "remount,size=128m", one.dir], check=True)
one.wait()
assert one.record()[:3] == [3, 0, 0] and one.record()[4] == 0
assert text(one) == "".join("%d\\n" % i for i in range(1, 100001))
""")


def test_disk_that_stays_full_does_not_hide_the_exit():
    in_mount_namespace("""
one = Shim(sh("seq 1 10000; exit 3"), setup=full_disk, log_size=1 << 30)
wait.until(lambda: os.statvfs(one.dir).f_bavail == 0)
try:
    os.kill(one.child_pid, signal.SIGKILL)
except ProcessLookupError:  # the rest fitted into its pipe
    pass
one.wait(60)
code, sig, oom, when, lost = one.record()
assert (code, sig) in ((3, 0), (137, 9)) and lost > 0, one.record()
""")


# --- cost ---

def test_fifty_waiting_shims_are_small(start):
    many = [start(["sleep", "1000"]) for _ in range(50)]
    for one in many:
        wait.until(lambda o=one: is_asleep(o.pid) and host.status_field(o.pid, "Seccomp") == "2")
    total = sum(one.memory() for one in many)
    print("PSS of a waiting shim: %d kB" % (total // 50))
    assert total / 50 < 128


# --- casemate-init ---

def init(script, **kwargs):
    return subprocess.run([shim_module.program("casemate-init"), "--", *sh(script)], capture_output=True, text=True,
                          check=False, timeout=wait.seconds(30), **kwargs)


def test_init_passes_on_the_status():
    assert init("exit 7").returncode == 7
    assert init("kill -9 $$").returncode == 137
    done = init("echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_init_says_why_a_command_does_not_start(tmp_path):
    program = shim_module.program("casemate-init")
    done = subprocess.run([program, "--", "/nowhere/x"], capture_output=True, text=True, check=False)
    assert done.returncode == 127 and done.stderr == "casemate-init: /nowhere/x: No such file or directory\n"
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert subprocess.run([program, "--", str(plain)], capture_output=True, check=False).returncode == 126
    assert subprocess.run([program], capture_output=True, check=False).returncode == 125


def test_init_forwards_signals_reaps_and_ends_all():
    """As process 1 of a pid namespace without /proc: started by descriptor, orphans do not pile up."""
    script = """
import os, signal, subprocess, sys
program = %r
fd = os.open(program, os.O_RDONLY)
words = ["casemate-init", "--", "sh", "-c", "trap 'exit 44' TERM; (sleep 0.01 &); (sleep 0.01 &); echo up; while :; do sleep 0.05; done"]
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(w, 1)
    os.execve(fd, words, os.environ)
os.close(w)
assert os.read(r, 3) == b"up\\n"
os.kill(pid, signal.SIGTERM)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""" % shim_module.program("casemate-init")
    done = subprocess.run(["unshare", "-p", "-f", "python3", "-c", "import subprocess,sys;sys.exit(subprocess.call("
                           "['python3','-c',%r]))" % script], capture_output=True, text=True, check=False,
                          timeout=wait.seconds(30))
    assert done.returncode == 44, done.stderr


def test_init_reaps_orphans():
    script = "exec 2>/dev/null; for i in 1 2 3 4 5; do (true & ) ; done; sleep 0.3; " \
        "for p in /proc/[0-9]*/stat; do read -r line <$p && case $line in *') Z '*) echo zombie;; esac; done; true"
    done = subprocess.run(["unshare", "-p", "-f", "-m", "--propagation", "private", "--mount-proc",
                           shim_module.program("casemate-init"), "--", *sh(script)], capture_output=True, text=True,
                          check=False, timeout=wait.seconds(30))
    assert done.returncode == 0 and done.stdout == ""
