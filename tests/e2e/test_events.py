# SPDX-License-Identifier: Apache-2.0
"""casemate events: what commands do, and ends of containers that nobody waits for, without a daemon."""
import json
import os
import re
import signal
import threading
import time

from lib import wait


def past(casemate, *words):
    out = casemate.ok("events", "--since", "1h", "--until", "0s", "--format", "json", *words)
    return [json.loads(line) for line in out.splitlines()]


def actions(records, kind="container"):
    return [r["Action"] for r in records if r["Type"] == kind]


class Follower:
    """`casemate events` in the background, its lines as they come."""

    def __init__(self, casemate, *words):
        self.lines = []
        self.process = casemate.popen("events", "--since", "1h", *words)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.thread.join(10)
        self.process.stdout.close()
        self.process.stderr.close()


def test_life_of_a_container(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", "-l", "tier=front", "-v", "data:/data", busybox, "sleep", "100")
    casemate.ok("exec", "web", "true")
    casemate.ok("stop", "-t", "0", "web")
    casemate.ok("rm", "web")
    records = past(casemate)
    assert actions(records) == ["create", "start", "exec_create: true", "exec_start: true", "exec_die", "kill", "kill", "die", "stop",
                                "destroy"]
    assert actions(records, "volume") == ["create", "mount", "unmount"]
    assert "load" in actions(records, "image")
    for record in records:
        assert record["scope"] == "local" and record["timeNano"] // 10**9 == record["time"]
        if record["Type"] == "container":
            assert record["Actor"]["Attributes"]["name"] == "web" and record["Actor"]["Attributes"]["tier"] == "front"
            assert record["from"] == record["Actor"]["Attributes"]["image"] == busybox
            assert re.fullmatch("[0-9a-f]{64}", record["id"]) and record["id"] == record["Actor"]["ID"]
            assert record["status"] == record["Action"]
    ids = {r["Actor"]["Attributes"]["execID"] for r in records if r["Action"].startswith("exec_")}
    assert len(ids) == 1
    assert [r["Actor"]["Attributes"]["signal"] for r in records if r["Action"] == "kill"] == ["15", "9"]
    assert [r["Actor"]["Attributes"]["exitCode"] for r in records if r["Action"] == "die"] == ["137"]
    times = [r["timeNano"] for r in records]
    assert max(times) - min(times) < 60 * 10**9


def test_the_end_is_told_once(casemate, busybox):
    assert casemate.run("run", "--rm", busybox, "sh", "-c", "exit 3").status == 3
    casemate.ok("run", "-d", "--name", "box", busybox, "sh", "-c", "exit 4")
    casemate.ok("wait", "box")
    casemate.ok("ps", "-a")
    casemate.ok("start", "box")
    casemate.ok("wait", "box")
    casemate.ok("rm", "box")
    codes = [r["Actor"]["Attributes"]["exitCode"] for r in past(casemate, "-f", "event=die")]
    assert codes == ["3", "4", "4"]


def test_death_is_noticed_at_once(casemate, busybox):
    """Nobody waits for the container: the command that follows tells its end, with the time it had."""
    with Follower(casemate, "--filter", "event=die", "--format", "{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}} {{.timeNano}}") as seen:
        casemate.ok("run", "-d", "--name", "short", busybox, "sh", "-c", "sleep 0.3; exit 5")
        wait.until(lambda: seen.lines, 10)
        late = time.time_ns()
        name, code, when = seen.lines[0].split()
        assert (name, code) == ("short", "5") and late - int(when) < 5 * 10**9
        casemate.ok("run", "-d", "--rm", "--name", "gone", busybox, "sh", "-c", "sleep 0.2; exit 6")
        wait.until(lambda: len(seen.lines) == 2, 10)
        assert seen.lines[1].startswith("gone 6 ")
        wait.until(lambda: "gone" not in casemate.ok("ps", "-a", "--format", "{{.Names}}"), 10)
    assert len(seen.lines) == 2


def test_text_and_filters(casemate, busybox):
    casemate.ok("create", "--name", "one", "-l", "a=1", busybox)
    casemate.ok("create", "--name", "two", "-l", "a=2", busybox)
    casemate.ok("tag", busybox, "other:x")
    line, = casemate.ok("events", "--since", "1h", "--until", "0s", "-f", "container=one").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) container create [0-9a-f]{64} \(a=1, image=busybox:latest, name=one\)", line)
    ask = lambda *filters: [r["Actor"]["Attributes"]["name"] for r in past(casemate, *[w for f in filters for w in ("-f", f)])]
    assert ask("event=create") == ["one", "two"]
    assert ask("event=create", "label=a=2") == ["two"]
    assert ask("event=create", "label=a") == ["one", "two"]
    assert ask("event=create", "container=one", "container=two") == ["one", "two"]
    assert ask("type=image", "event=tag") == ["other:x"]
    assert ask("image=busybox", "type=container") == ["one", "two"]
    assert ask("type=volume") == []
    casemate.fails("events", "-f", "colour=red", status=1, says="invalid filter 'colour'")
    casemate.fails("events", "-f", "colour", status=1, says="bad format of filter")
    casemate.fails("events", "--since", "yesterday", status=1, says="yesterday")
    assert casemate.ok("events", "--since", "2000-01-01", "--until", "2000-01-02") == ""


def test_until_waits(casemate, busybox):
    begun = time.monotonic()
    done = casemate.popen("events", "--until", str(time.time() + 1.5), "--format", "{{.Action}}")
    casemate.ok("create", "--name", "one", busybox)
    out, _ = done.communicate(timeout=20)
    assert "create" in out.decode().split() and time.monotonic() - begun > 1.2


def test_rotation_loses_nothing_that_is_followed(casemate, busybox):
    """A log that is full is put aside; who follows it reads on in the next one; two files are kept."""
    casemate.ok("create", "--name", "one", busybox)
    log = os.path.join(casemate.root, "events/log")
    with open(log, encoding="utf-8") as f:
        record = [line for line in f if '"create"' in line][-1]
    with open(log, "a", encoding="utf-8") as f:
        f.write(record.replace('"create"', '"filler"') * ((4 << 20) // len(record)) + "not json\n")
    with Follower(casemate, "--format", "{{.Action}}", "-f", "event=create") as seen:
        wait.until(lambda: seen.lines, 10)
        casemate.ok("create", "--name", "two", busybox)
        casemate.ok("create", "--name", "three", busybox)
        wait.until(lambda: len(seen.lines) == 3, 10)
    assert sorted(os.listdir(os.path.join(casemate.root, "events"))) == ["log", "log.1"]
    assert os.path.getsize(log) < 65536 and len(past(casemate, "-f", "event=create", "-f", "container=three")) == 1


def test_values_cannot_forge_a_line(casemate, busybox):
    casemate.ok("create", "--name", "one", "-l", "x=\x1b[2J\n2026-11-24T00:00:00Z container die forged", busybox)
    lines = casemate.ok("events", "--since", "1h", "--until", "0s", "-f", "type=container").splitlines()
    assert len(lines) == 1 and "\x1b" not in lines[0]


def test_many_writers(casemate, busybox):
    """Records of commands that run at the same time stay whole."""
    running = [casemate.popen("create", "--name", "c%d" % i, busybox) for i in range(12)]
    for process in running:
        process.communicate(timeout=60)
    names = [r["Actor"]["Attributes"]["name"] for r in past(casemate, "-f", "event=create")]
    assert sorted(names) == sorted("c%d" % i for i in range(12))
