# SPDX-License-Identifier: Apache-2.0
"""--format: Go's templates as Docker's command line takes them. The engine of templates itself is tested by tests/unit/test_template.c
with what Go has made of the same cases; here Go makes it again, and Docker where its daemon starts."""
import json
import os
import shutil
import subprocess

import pytest

from lib import casemate as casemates

CASES = os.path.join(casemates.REPOSITORY, "tests/unit/template")
GO = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin:/usr/lib/go/bin")


@pytest.mark.skipif(not GO, reason="Go is not installed (golang-go)")
def test_cases_are_what_go_makes_of_them(tmp_path):
    """The recorded results of the unit test are those of the Go that is here; what its versions word differently is left out."""
    done = subprocess.run([GO, "run", os.path.join(casemates.REPOSITORY, "tests/tools/go/template.go"), CASES + "/data.json",
                           CASES + "/cases.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False,
                          env={**os.environ, "GOCACHE": str(tmp_path), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    with open(CASES + "/cases.json", encoding="utf-8") as f:
        recorded = json.load(f)
    made = json.loads(done.stdout)
    assert len(made) == len(recorded) > 100
    newer = ("{{range 3}}", "{{else with")  # Go 1.22 and 1.23
    for case, result in zip(recorded, made):
        if "output" in case and not any(word in case["template"] for word in newer):
            assert result.get("output") == case["output"], case["template"]
        elif "error" in case:
            assert "error" in result, case["template"]


@pytest.mark.parametrize("template, shown", [
    ("{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}", "created false 0"),
    ("{{range .Config.Env}}{{if eq (index (split . \"=\") 0) \"A\"}}{{println .}}{{end}}{{end}}", "A=1\n"),
    ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "b=2 team=red "),
    ("{{index .Config.Labels \"team\"}}|{{index .Config.Labels \"none\"}}|{{.Config.Labels.none}}", "red||<no value>"),
    ("{{range .Mounts}}{{.Type}} {{.Destination}}{{if .RW}} rw{{else}} ro{{end}};{{end}}", "volume /data ro;"),
    ("{{json .HostConfig.CapDrop}} {{.HostConfig.CapDrop}} {{len .HostConfig.CapDrop}}", "null [] 0"),
    ("{{range $n, $_ := .NetworkSettings.Networks}}{{$n}}{{end}}", "none"),
    ("{{if eq .State.Status \"running\"}}up{{else}}not running{{end}}", "not running"),
    ("{{slice .Id 0 0}}{{.Name | printf \"%-8s|\"}}{{upper .Name}}", "/box    |/BOX"),
    ("{{with .Config}}{{join .Cmd \" \"}}{{end}}", "sleep 100"),
    ("{{/* nothing */ -}}   x", "x"),
    ("{{printf \"%.3f\" 1.5}} {{len .Config.Cmd}}", "1.500 2"),
])
def test_inspect(casemate, busybox, template, shown):
    casemate.ok("create", "--name", "box", "-e", "A=1", "-l", "team=red", "-l", "b=2", "-v", "data:/data:ro", busybox, "sleep", "100")
    assert casemate.ok("inspect", "-f", template, "box") == shown + "\n"


def test_errors_say_where(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox)
    for words, says in ((["inspect", "-f", "{{.Stat}}", "box"], r'template parsing error: template: :1:2: executing "" at <.Stat>: '
                                                                 r'map has no entry for key "Stat" \(did you mean .State\?\)'),
                        (["inspect", "-f", "{{nofunc .Id}}", "box"], 'template parsing error: template: :1: function "nofunc" not defined'),
                        (["ps", "-a", "--format", "{{.ID}} {{.Nothing}}"], r"template: :1:10: .*Nothing"),
                        (["ps", "-a", "--format", "table {{.ID"], "unclosed action"),
                        (["images", "--format", "{{range .ID}}x{{end}}"], "range can't iterate over"),
                        (["version", "-f", "{{if}}"], "missing value for if"),
                        (["info", "-f", "{{define \"x\"}}{{end}}"], "define.* is not supported")):
        casemate.fails(*words, status=1, says=says)


def test_ps(casemate, busybox):
    casemate.ok("create", "--name", "first", "-l", "com.example.big-team=red", busybox, "sleep", "1")
    casemate.ok("run", "-d", "--name", "second", "-l", "x=y", busybox, "sleep", "100")
    ask = lambda template: casemate.ok("ps", "-a", "--format", template)
    assert ask('{{.Names}}={{.Label "x"}}') == "second=y\nfirst=\n"
    assert ask('{{if eq .State "running"}}{{.Names}} {{end}}').split() == ["second"]
    assert ask('{{range split .Labels "="}}[{{.}}]{{end}}') == "[x][y]\n[com.example.big-team][red]\n"
    assert ask("{{json .Names}}\\t{{.Networks}}") == '"second"\tnone\n"first"\tnone\n'
    table = [line.split() for line in ask('table {{.Names}}\\t{{.State}}\\t{{.Label "com.example.big-team"}}\\t{{upper .Names}}').splitlines()]
    assert table == [["NAMES", "STATE", "big", "team", "NAMES"], ["second", "running", "SECOND"], ["first", "created", "red", "FIRST"]]
    assert ask("table {{.Names}}").split() == ["NAMES", "second", "first"]
    lines = ask("table {{.ID}}\\t{{.Names}}").splitlines()
    assert len({line.index(name) for line, name in zip(lines, ("NAMES", "second", "first"))}) == 1


def test_version_and_info(casemate):
    assert casemate.ok("version", "--format", "{{if .Version}}{{.Os}}{{end}}") == "linux\n"
    assert casemate.ok("info", "-f", "{{.OSType}} {{printf \"%d\" .Containers}}") == "linux 0\n"
    json.loads(casemate.ok("info", "-f", "json"))
    json.loads(casemate.ok("version", "-f", "{{json .}}"))
