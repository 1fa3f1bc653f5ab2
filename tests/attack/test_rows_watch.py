# SPDX-License-Identifier: Apache-2.0
"""REQUIREMENTS, practice 13: row 100. The engine's own files are watched while the tender runs, and judged by the next command without it."""
import json
import os
import shutil
import stat

import pytest

from lib import casemate as casemate_module
from lib import wait
from lib.casemate import Installation

HELLO = "casemate/hello"


@pytest.fixture
def own():
    """An installation of its own, since its programs are changed."""
    base = casemate_module.make_base("casemate-watch-")
    try:
        installation = Installation(base)
        if len(installation.programs) != 1 or "CASEMATE_BIN" in os.environ:
            pytest.skip("the programs are not an installation of the test's own")
        made = casemate_module.Casemate(installation, casemate_module.make_base())
        made.policy("[casemate]\nprofile = standard\n")
        made.ok("run", "--rm", HELLO, "true")
        yield made
        made.destroy()
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def watched(own):
    tender = own.popen("tend", "--keep")
    wait.until(lambda: os.path.exists(own.rundir + "/tend") and "casemate-tend" in open(own.rundir + "/tend", encoding="ascii").read()
               and any("inotify" in os.readlink("/proc/%d/fd/%s" % (tender.pid, fd)) for fd in os.listdir("/proc/%d/fd" % tender.pid)),
               what="the tender to watch")
    wait.until(lambda: sum("inotify" in os.readlink("/proc/%d/fd/%s" % (tender.pid, fd))
                           for fd in os.listdir("/proc/%d/fd" % tender.pid)) == 2, what="both watches")
    yield own
    tender.terminate()
    tender.communicate()


def alerts(casemate):
    return json.loads(casemate.ok("info", "--format", "json"))["Alerts"]


def recorded(casemate):
    records = [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    return [(record["name"], record["what"]) for record in records if record["event"] == "state.alert"]


def lines(casemate):
    """Of run/alerts: also while commands refuse to look."""
    path = os.path.join(casemate.rundir, "alerts")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


@pytest.mark.row(100)
@pytest.mark.parametrize("part", ["index.db", "audit/log", "containers", ""])
@pytest.mark.parametrize("change,says", [(lambda path: os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o002), "can be written by others"),
                                         (lambda path: os.chown(path, 1000, -1), "belongs to another user")])
def test_row_100_owner_and_mode_are_watched(watched, part, change, says):
    path = os.path.join(watched.root, part).rstrip("/")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    change(path)
    wait.until(lambda: any(says in line and path in line for line in lines(watched)), what="the alert")
    watched.fails("ps", status=1, says=says)
    os.chown(path, 0, -1)
    os.chmod(path, mode)
    assert any(says in line and path in line for line in alerts(watched))
    assert any(says in what for _, what in recorded(watched))
    told = [json.loads(line) for line in watched.ok("events", "--since", "1h", "--until", "0s", "--filter", "type=daemon", "--format",
                                                    "json").splitlines()]
    assert any(event["Action"] == "alert" and says in event["Actor"]["Attributes"]["what"] for event in told)
    watched.ok("log", "verify")
    assert stat.S_IMODE(os.stat(os.path.join(watched.rundir, "alerts")).st_mode) == 0o600


@pytest.mark.row(100)
def test_row_100_changes_of_policy_and_programs(watched):
    fetch = os.path.join(watched.installation.libexec, "casemate-fetch")
    watched.policy("[casemate]\nprofile = compat\n")
    wait.until(lambda: any("the policy was changed: " + watched.conf in line for line in lines(watched)), what="the policy's alert")
    with open(fetch, "ab") as f:
        f.write(b"more")
    wait.until(lambda: any("a program of Casemate was changed: " + fetch in line for line in lines(watched)), what="the program's alert")
    os.chmod(watched.conf, 0o666)
    wait.until(lambda: any("may be written by others" in line for line in lines(watched)), what="the mode's alert")
    os.chmod(watched.conf, 0o644)
    os.rename(fetch, fetch + ".away")
    wait.until(lambda: any("taken away: " + fetch in line for line in lines(watched)), what="the alert of one that is gone")
    assert "Alerts" in watched.ok("info") and len(recorded(watched)) >= 4
    terminal = watched.pty("ps")
    terminal.expect("casemate info")
    assert terminal.wait() == 0
    watched.ok("tend", "--forget-alerts")
    assert alerts(watched) == [] and "Alerts" not in watched.ok("info")


@pytest.mark.row(100)
def test_row_100_what_the_engine_does_is_no_alert(watched):
    watched.ok("run", "-d", "--name", "web", "--restart", "always", "--health-cmd", "true", "-v", "data:/d", HELLO, "sleep", "1000")
    for words in (("exec", "web", "/hello", "true"), ("stop", "-t", "0", "web"), ("start", "web"), ("commit", "web", "made:1"),
                  ("images",), ("rm", "-f", "web"), ("rmi", "made:1"), ("volume", "rm", "data"), ("info",)):
        watched.ok(*words)
    assert lines(watched) == []


@pytest.mark.row(100)
def test_row_100_found_by_the_next_command_without_a_tender(own):
    """Programs, too: what others could have changed is not executed."""
    for name in ("casemate-shim", "casemate-files", ""):
        path = os.path.join(own.installation.libexec, name).rstrip("/")
        mode = stat.S_IMODE(os.stat(path).st_mode)
        words = ("run", "--rm", HELLO, "true") if name != "casemate-files" else ("cp", "web:/hello", "-")
        if name == "casemate-files":
            own.ok("create", "--name", "web", HELLO)
        os.chmod(path, mode | 0o002)
        assert "chmod go-w " + path in own.fails(*words, says="can be written by others")
        os.chmod(path, mode)
        os.chown(path, 1000, -1)
        assert "chown root:root " + path in own.fails(*words, says="belongs to another user")
        os.chown(path, 0, 0)
        os.chmod(path, mode)
        assert own.run(*words, text=False).status == 0
