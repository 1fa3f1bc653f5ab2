# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, wrong words, listings, inspect, completion in a real shell."""
import json
import os
import re
import shutil
import subprocess

import pytest

from lib import wait

ID = re.compile(r"[0-9a-f]{64}\n")


def test_help_lists_every_verb(casemate):
    text = casemate.ok("--help")
    for verb in ("run", "create", "start", "stop", "kill", "wait", "rm", "ps", "logs", "exec", "inspect", "explain",
                 "attach", "version", "info"):
        assert re.search(r"^  %s +\S" % verb, text, re.M), verb
        assert casemate.ok(verb, "--help").startswith("Usage:"), verb


@pytest.mark.parametrize("words, status, says", [
    (["run"], 1, "requires at least 1 argument"),
    (["run", "--nope", "x"], 125, r"unknown flag: --nope"),
    (["run", "--memroy", "1g", "x"], 125, "did you mean --memory"),
    (["run", "-p", "80:80", "x"], 125, "--publish is not supported yet"),
    (["run", "--privileged", "x"], 125, "practice 6"),
    (["run", "--pid", "host", "x"], 125, "practice 5"),
    (["run", "-u", "4294967296", "x"], 125, "4294967296"),
    (["run", "-u", " 0", "x"], 125, "user"),
    (["run", "-m", "lots", "x"], 125, "lots"),
    (["run", "--ulimit", "nofile=5:4", "x"], 125, "soft limit"),
    (["run", "--sysctl", "kernel.core_pattern=|/x", "x"], 125, "sysctl"),
    (["run", "-v", "/a:b", "x"], 125, "absolute"),
    (["run", "--mount", "type=npipe,target=/x", "x"], 125, "npipe"),
    (["run", "--tmpfs", "/t:suid", "x"], 125, "nosuid"),
    (["run", "-e", "=v", "x"], 125, "variable name"),
    (["run", "--env-file", "/nonexistent/file", "x"], 125, "/nonexistent/file"),
    (["run", "--detach-keys", "ctrl-?", "x"], 125, "detach"),
    (["run", "--pull", "never", "no/such:image"], 125, "no/such:image"),
    (["run", "UPPER/case"], 125, "UPPER"),
    (["create", "--nope", "x"], 125, "unknown flag"),
    (["exec", "nobody", "true"], 1, "No such container: nobody"),
    (["exec", "--privileged", "nobody", "true"], 125, "practice"),
    (["logs", "nobody"], 1, "No such container: nobody"),
    (["logs", "--tail", "x", "nobody"], 1, "tail"),
    (["stop", "nobody"], 1, "No such container: nobody"),
    (["kill", "-s", "SIGFOO", "nobody"], 1, "SIGFOO"),
    (["rm", "nobody"], 1, "No such container: nobody"),
    (["inspect", "nobody"], 1, "No such object: nobody"),
    (["ps", "--filter", "colour=red"], 1, "colour"),
    (["ps", "--filter", "status=green"], 1, "green"),
    (["ps", "--format", "{{range .}}"], 1, "unexpected EOF"),
    (["wait", "nobody"], 1, "No such container"),
    (["sotp"], 1, "did you mean stop"),
])
def test_wrong_words(casemate, words, status, says):
    """One line that says what is wrong, Docker's exit status."""
    casemate.fails(*words, status=status, says=says)


def test_rm_force_of_a_missing_container_is_no_failure(casemate):
    result = casemate.run("rm", "-f", "nobody")
    assert result.status == 0 and "No such container" in result.err


def test_ps(casemate, busybox):
    first = casemate.ok("create", "--name", "first", "-l", "team=a", busybox, "echo", "a long command line, longer").strip()
    second = casemate.ok("run", "-d", "--name", "second", "-l", "team=b", busybox, "sleep", "300").strip()
    lines = casemate.ok("ps").splitlines()
    assert lines[0].split("  ")[0] == "CONTAINER ID" and lines[0].rstrip().endswith("NAMES")
    assert len(lines) == 2 and lines[1].startswith(second[:12]) and " Up " in lines[1] and lines[1].rstrip().endswith("second")
    assert casemate.ok("ps", "-q") == second[:12] + "\n"
    assert casemate.ok("ps", "-aq", "--no-trunc").split() == [second, first]
    everything = casemate.ok("ps", "-a")
    assert "Created" in everything and "\"echo 'a long comman…\"" in everything
    rows = [json.loads(line) for line in casemate.ok("ps", "-a", "--format", "json").splitlines()]
    assert [r["Names"] for r in rows] == ["second", "first"]
    assert [r["State"] for r in rows] == ["running", "created"]
    for words, names in ((["-f", "label=team=a"], "first"), (["-f", "name=sec"], "second"), (["-f", "id=" + first[:8]], "first"),
                         (["-f", "status=created"], "first"), (["-f", "since=first"], "second"), (["-f", "before=second"], "first"),
                         (["-f", "label=team"], "second first"), (["-f", "ancestor=busybox"], "second first"), (["-l"], "second"),
                         (["-n", "1"], "second"), (["-f", "name=first", "-f", "status=running"], "")):
        assert casemate.ok("ps", "-a", "--format", "{{.Names}}", *words).split() == names.split(), words
    assert casemate.ok("ps", "--format", "table {{.Names}}\\t{{.State}}").split() == ["NAMES", "STATE", "second", "running"]
    casemate.ok("kill", "second")
    assert re.search(r"Exited \(137\) ", casemate.ok("ps", "-a", "-f", "exited=137"))


def test_ps_neutralizes_what_came_from_outside(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox, "echo", "\x1b[2J")
    assert "\x1b" not in casemate.ok("ps", "-a", "--no-trunc")


def test_inspect(casemate, busybox):
    identifier = casemate.ok("create", "--name", "box", "-e", "A=1", "-w", "/tmp", "-u", "app", "-l", "k=v", "-m", "64m", "--pids-limit",
                             "33", "--cap-add", "CHOWN", "-v", "data:/data:ro", "--tmpfs", "/t", "-h", "host1", busybox, "sh", "-c", "exit 4").strip()
    document, = json.loads(casemate.ok("inspect", "box"))
    assert document["Id"] == identifier and document["Name"] == "/box"
    assert document["Path"] == "sh" and document["Args"] == ["-c", "exit 4"]
    assert document["State"]["Status"] == "created" and document["State"]["Running"] is False
    config, host = document["Config"], document["HostConfig"]
    assert "A=1" in config["Env"] and config["WorkingDir"] == "/tmp" and config["User"] == "app"
    assert config["Labels"] == {"k": "v"} and config["Hostname"] == "host1" and config["Image"] == busybox
    assert host["Memory"] == 64 << 20 and host["PidsLimit"] == 33 and host["CapAdd"] == ["CHOWN"]
    assert host["NetworkMode"] == "none" and host["Privileged"] is False
    mounts = {m["Destination"]: m for m in document["Mounts"]}
    assert mounts["/data"]["Type"] == "volume" and mounts["/data"]["Name"] == "data" and mounts["/data"]["RW"] is False
    assert mounts["/t"]["Type"] == "tmpfs"
    assert any("CHOWN" in g["What"] for g in document["Casemate"]["Grants"])
    assert casemate.ok("inspect", "-f", "{{.State.Status}} {{json .Config.Labels}}", identifier[:10]) == 'created {"k":"v"}\n'
    casemate.run("start", "-a", "box")
    state = json.loads(casemate.ok("inspect", "box"))[0]["State"]
    assert state["Status"] == "exited" and state["ExitCode"] == 4 and state["Pid"] == 0
    assert state["StartedAt"] < state["FinishedAt"]


def test_inspect_of_an_image(casemate, busybox):
    document, = json.loads(casemate.ok("inspect", "--type", "image", busybox))
    assert document["RepoTags"] == [busybox] and document["Config"]["Cmd"] == ["/bin/sh"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", document["Id"])


def test_inspect_goes_on_after_a_name_that_is_not_there(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox)
    result = casemate.run("inspect", "nobody", "box")
    assert result.status == 1 and "No such object: nobody" in result.err
    assert [c["Name"] for c in json.loads(result.out)] == ["/box"]


def test_names(casemate, busybox):
    identifier = casemate.ok("create", "--name", "box", busybox).strip()
    casemate.fails("create", "--name", "box", busybox, says="already in use")
    casemate.fails("create", "--name", "-x", busybox, status=125, says="only \\[a-zA-Z0-9\\]")
    assert casemate.ok("inspect", "-f", "{{.Name}}", identifier[:6]) == "/box\n"
    casemate.ok("rm", "box")
    casemate.ok("create", "--name", "box", busybox)


def test_cidfile(casemate, busybox, tmp_path):
    path = tmp_path / "cid"
    identifier = casemate.ok("create", "--cidfile", path, busybox)
    assert ID.fullmatch(identifier) and path.read_text() == identifier.strip()
    casemate.fails("create", "--cidfile", path, busybox, says="container ID file found")
    assert len(casemate.ok("ps", "-aq").split()) == 1


def test_version_and_info(casemate):
    assert casemate.ok("--version").startswith("Casemate version ")
    version = json.loads(casemate.ok("version", "--format", "json"))
    assert version["KernelVersion"] == os.uname().release
    info = json.loads(casemate.ok("info", "-f", "json"))
    assert info["Containers"] == 0 and info["DockerRootDir"] == casemate.root and info["NCPU"] == os.cpu_count()
    assert "Kernel Version: " + os.uname().release in casemate.ok("info")


def complete_in_bash(casemate, line):
    """What a real bash offers for a command line whose cursor is at its end."""
    script = r'''
. <("$CASEMATE_BINARY" completion bash)
casemate() { "$CASEMATE_BINARY" "$@"; }
spec=$(complete -p casemate); [[ $spec =~ -F\ ([^ ]+) ]]; function=${BASH_REMATCH[1]}
COMP_LINE=$1; COMP_POINT=${#1}
read -ra COMP_WORDS <<<"$1"; [[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
$function casemate "${COMP_WORDS[COMP_CWORD]}" ""
printf '%s\n' "${COMPREPLY[@]}"
'''
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", line], env={**casemate.env, "CASEMATE_BINARY": casemate.installation.binary,
                          "PATH": os.path.dirname(casemate.installation.binary) + ":" + casemate.env["PATH"]},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_completion_in_bash(casemate, busybox):
    casemate.ok("create", "--name", "completed", busybox)
    offered = complete_in_bash(casemate, "casemate r")
    assert {"run", "rm"} <= set(offered) and all(word.startswith("r") for word in offered)
    assert complete_in_bash(casemate, "casemate run --cap-") == ["--cap-add", "--cap-drop"]
    assert complete_in_bash(casemate, "casemate run --pull ") == ["missing", "always", "never"]
    assert complete_in_bash(casemate, "casemate rm com") == ["completed"]
    assert complete_in_bash(casemate, "casemate rm -f com") == ["completed"]
    assert "--publish" not in complete_in_bash(casemate, "casemate run --p")


def test_output_that_cannot_be_written_is_a_failure(casemate):
    with open("/dev/full", "wb") as full:
        process = casemate.popen("version", stdout=full)
        _, err = process.communicate(timeout=wait.seconds(30))
    assert process.returncode == 1 and b"No space left" in err
