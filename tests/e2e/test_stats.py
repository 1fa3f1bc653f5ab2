# SPDX-License-Identifier: Apache-2.0
"""casemate stats: figures against those of the kernel, formats, and what it costs."""
import json
import re
import signal

import pytest

from lib import host, wait

HELLO = "casemate/hello"
MIB = 1 << 20


@pytest.fixture
def busy(casemate, busybox):
    casemate.ok("run", "-d", "--name", "busy", "--cpus", "0.5", "--memory", "100m", busybox, "sh", "-c",
                "dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; while :; do :; done")
    casemate.ok("run", "-d", "--name", "idle", busybox, "sleep", "1000")
    wait.until(lambda: memory(casemate, "busy") > 20 * MIB, what="the container has filled its memory")
    return casemate


def memory(casemate, name):
    pid = casemate.pid(name)
    return int(host.cgroup_file(pid, "memory", "memory.usage_in_bytes", "memory.current"))


def rows(text):
    return {row["Name"]: row for row in map(json.loads, text.strip().split("\n"))}


def bytes_of(text):
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", text).groups()
    return float(number) * {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]


def test_figures(busy):
    got = rows(busy.ok("stats", "--no-stream", "--format", "json"))
    assert set(got) == {"busy", "idle"}
    assert set(got["busy"]) == {"BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"}
    assert 10 < float(got["busy"]["CPUPerc"].rstrip("%")) < 70
    assert float(got["idle"]["CPUPerc"].rstrip("%")) < 5
    used, limit = got["busy"]["MemUsage"].split(" / ")
    assert 20 * MIB <= bytes_of(used) <= memory(busy, "busy") + MIB and limit == "100MiB"
    assert 20 <= float(got["busy"]["MemPerc"].rstrip("%")) <= 40
    assert got["busy"]["PIDs"] == "1" and got["busy"]["NetIO"] == "0B / 0B"


def test_block_io_counts(casemate, busybox):
    casemate.ok("run", "-d", "--name", "disk", busybox, "sh", "-c",
                "dd if=/dev/zero of=/x bs=64k count=64 oflag=direct 2>/dev/null && echo written; exec sleep 1000")
    wait.until(lambda: "written" in casemate.ok("logs", "disk") or "Exited" in casemate.ok("ps", "-a"), what="dd ends")
    if "written" not in casemate.ok("logs", "disk"):
        pytest.skip("no direct I/O here")
    written = rows(casemate.ok("stats", "--no-stream", "--format", "json"))["disk"]["BlockIO"].split(" / ")[1]
    if host.cgroup_file(casemate.pid("disk"), "blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat") in ("", "Total 0"):
        pytest.skip("the kernel counts no block I/O here")
    assert written == "4.19MB"


def test_table_and_names(busy):
    out = busy.ok("stats", "--no-stream")
    assert re.match(r"CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS *\n", out)
    assert len(out.strip().split("\n")) == 3 and "\033" not in out
    assert busy.ok("stats", "--no-stream", "--format", "{{.Container}} {{.PIDs}}", "idle") == "idle 1\n"
    assert len(busy.ok("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}", "idle").strip()) == 64
    busy.fails("stats", "--no-stream", "absent", says="No such container: absent")
    busy.ok("stop", "-t", "0", "idle")
    assert "idle" not in busy.ok("stats", "--no-stream")
    stopped = rows(busy.ok("stats", "--no-stream", "-a", "--format", "json"))["idle"]
    assert stopped["CPUPerc"] == "0.00%" and stopped["MemUsage"] == "0B / 0B" and stopped["PIDs"] == "0"


def test_stream_follows_what_starts_and_ends(busy):
    process = busy.popen("stats", "--format", "{{.Name}}", text=True)
    try:
        assert {process.stdout.readline().strip() for _ in range(2)} == {"busy", "idle"}
        busy.ok("run", "-d", "--name", "late", HELLO, "sleep", "1000")
        seen = set()
        while "late" not in seen:
            line = process.stdout.readline()
            assert line, "the stream has ended"
            seen.add(line.strip())
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def test_terminal_is_drawn_again_in_place(busy):
    with busy.pty("stats", "idle") as terminal:
        terminal.expect(r"\x1b\[H\x1b\[J")
        terminal.expect("idle")
        terminal.expect(r"\x1b\[H\x1b\[J")
        terminal.send("\x03")
        terminal.wait()


def test_a_reader_that_goes_away_ends_it(busy):
    process = busy.popen("stats", "--format", "{{.Name}}")
    process.stdout.readline()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(wait.seconds(20)) is not None
