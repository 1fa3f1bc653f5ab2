# SPDX-License-Identifier: Apache-2.0
"""What is stored, and how it goes: system df, the prunes, system reset; groups of commands."""
import json
import os

from lib import wait


def names(casemate):
    return sorted(casemate.ok("ps", "-a", "--format", "{{.Names}}").split())


def test_container_prune(casemate, busybox):
    casemate.ok("run", "-d", "--name", "runs", busybox, "sleep", "100")
    casemate.run("run", "--name", "ended", "-l", "keep=yes", "-v", "/anonymous", busybox, "sh", "-c", "head -c 50000 /dev/zero >/f")
    made = casemate.ok("create", "--name", "made", busybox).strip()
    refused = casemate.run("container", "prune", input="n\n")
    assert refused.status == 1 and refused.out == ("WARNING! This will remove all stopped containers.\n"
                                                   "Are you sure you want to continue? [y/N] ")
    assert casemate.run("container", "prune", input="").status == 1 and len(names(casemate)) == 3
    assert "Total reclaimed space: 0B" in casemate.ok("container", "prune", "-f", "--filter", "until=1h")
    assert casemate.ok("container", "prune", "-f", "--filter", "label!=keep=yes") == \
        "Deleted Containers:\n%s\n\nTotal reclaimed space: 0B\n" % made
    out = casemate.ok("container", "prune", input="y\n")
    assert "Total reclaimed space: 50kB" in out and names(casemate) == ["runs"]
    assert os.listdir(os.path.join(casemate.root, "volumes")) == []
    casemate.fails("container", "prune", "-f", "--filter", "colour=red", status=1, says="invalid filter 'colour'")


def test_image_prune(casemate, busybox):
    casemate.ok("create", "--name", "user", busybox)
    casemate.ok("tag", busybox, "mine:1")
    assert casemate.ok("image", "prune", "-f") == "Total reclaimed space: 0B\n"
    assert "Deleted" not in casemate.ok("image", "prune", "-af")
    casemate.ok("rm", "user")
    assert casemate.ok("image", "prune", "-af", "--filter", "label=x") == "Total reclaimed space: 0B\n"
    assert casemate.run("image", "prune", "-a", input="\n").out.startswith(
        "WARNING! This will remove all images without at least one container associated to them.\n")
    out = casemate.ok("image", "prune", "-af")
    assert out.startswith("Deleted Images:\nuntagged: ") and "deleted: sha256:" in out
    assert casemate.ok("images", "-q") == "" and os.listdir(os.path.join(casemate.root, "layers")) == []


def test_image_inspect(casemate, busybox):
    document, = json.loads(casemate.ok("image", "inspect", busybox))
    assert document["RepoTags"] == [busybox] and casemate.ok("image", "inspect", "-f", "{{.Os}} {{len .RootFS.Layers}}", busybox) == "linux 1\n"
    casemate.ok("create", "--name", "box", busybox)
    casemate.fails("image", "inspect", "box", status=1, says="No such image: box")


def df(casemate):
    rows = [json.loads(line) for line in casemate.ok("system", "df", "--format", "json").splitlines()]
    return {row["Type"]: (row["TotalCount"], row["Active"], row["Size"], row["Reclaimable"]) for row in rows}


def test_system_df(casemate, busybox):
    casemate.ok("run", "-d", "--name", "runs", "-v", "data:/data", busybox, "sh", "-c",
                "head -c 30000 /dev/zero >/f; head -c 20000 /dev/zero >/data/f; echo done; sleep 100")
    wait.until(lambda: casemate.ok("logs", "runs") == "done\n")
    casemate.ok("volume", "create", "spare")
    shown = df(casemate)
    assert shown["Containers"] == ("1", "1", "30kB", "0B (0%)")
    assert shown["Local Volumes"] == ("2", "1", "20kB", "0B (0%)")
    assert shown["Images"][:2] == ("1", "1") and shown["Images"][3] == "0B (0%)"
    assert shown["Container Logs"][:2] == ("1", "1") and shown["Container Logs"][2] != "0B"
    casemate.ok("kill", "runs")
    casemate.ok("wait", "runs")
    assert df(casemate)["Containers"] == ("1", "0", "30kB", "30kB (100%)")
    assert casemate.ok("system", "df").splitlines()[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    text = casemate.ok("system", "df", "-v")
    for part in ("Images space usage:", "Containers space usage:", "Local Volumes space usage:", "UNIQUE SIZE", "LINKS", "spare", "runs"):
        assert part in text, part


def test_system_prune(casemate, busybox):
    casemate.ok("run", "-d", "--name", "runs", busybox, "sleep", "100")
    casemate.ok("create", "--name", "made", busybox)
    casemate.ok("volume", "create", "named")
    refused = casemate.run("system", "prune", input="no\n")
    assert refused.status == 1 and "WARNING! This will remove:\n  - all stopped containers\n  - all dangling images\n" in refused.out
    assert "associated to them" in casemate.run("system", "prune", "-a", input="\n").out
    casemate.fails("system", "prune", "-f", "--volumes", "--filter", "until=1h", status=1, says="until")
    out = casemate.ok("system", "prune", "-af", "--volumes")
    assert "Deleted Containers:" in out and "Total reclaimed space:" in out
    assert names(casemate) == ["runs"] and casemate.ok("images", "-q") and "named" in casemate.ok("volume", "ls", "-q")


def test_system_reset(casemate, busybox):
    casemate.ok("run", "-d", "--name", "runs", "-v", "data:/data", busybox, "sleep", "100")
    casemate.fails("system", "reset", status=1, says="container runs is running")
    casemate.ok("kill", "runs")
    casemate.ok("wait", "runs")
    refused = casemate.run("system", "reset", input="y\n")
    assert refused.status == 1 and "Type \"reset\"" in refused.out and names(casemate) == ["runs"]
    casemate.ok("start", "runs")
    casemate.ok("system", "reset", "-f")
    assert names(casemate) == [] and casemate.ok("images", "-q") == "" and casemate.ok("volume", "ls", "-q") == ""
    kept = {name for name in os.listdir(casemate.root) if os.path.isdir(os.path.join(casemate.root, name))
            and os.listdir(os.path.join(casemate.root, name))}
    assert kept <= {"audit", "events"}, kept
    assert casemate.ok("log", "verify").strip()
    assert casemate.ok("run", "--rm", "casemate/hello")


def test_aliases_of_groups(casemate, busybox):
    casemate.ok("container", "create", "--name", "box", busybox)
    assert casemate.ok("container", "ls", "-a", "-q") == casemate.ok("container", "list", "-aq") == casemate.ok("ps", "-aq")
    assert casemate.ok("image", "ls", "-q") == casemate.ok("image", "list", "-q") == casemate.ok("images", "-q")
    casemate.ok("container", "rename", "box", "crate")
    casemate.ok("container", "rm", "crate")
    assert casemate.ok("system", "info", "-f", "{{.Containers}}") == "0\n"
    casemate.ok("system", "events", "--since", "1h", "--until", "0s")


def test_help_of_groups(casemate):
    for group, words in (("container", ("ls", "run", "prune", "rename", "top")), ("image", ("ls", "inspect", "prune", "rm", "history")),
                         ("volume", ("create", "ls", "prune")), ("system", ("df", "prune", "info", "reset", "events"))):
        text = casemate.ok(group)
        assert text == casemate.ok(group, "--help") == casemate.ok("help", group)
        for word in words:
            assert "\n  %s " % word in text, (group, word)
        offered = casemate.ok("__complete", "--", group, "").split()
        assert set(words) <= set(offered) and group in casemate.ok("__complete", "--", group[:3]).split()
    casemate.fails("container", "lss", status=1, says="unknown command: casemate container lss; see 'casemate container --help'")
