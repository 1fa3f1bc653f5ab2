# SPDX-License-Identifier: Apache-2.0
"""Filters of ps and images, and what ps shows on request."""
import json
import os
import re
import time

import pytest

from lib import images, wait


def load(casemate, tmp_path, name, **config):
    path = images.write_oci_archive(str(tmp_path / (name.replace("/", "-").replace(":", "-") + ".tar")), images.make_image(
        [images.busybox_layer(), images.Layer().file("mark", name)], {"Cmd": ["true"], "Env": [images.PATH], **config}), name)
    casemate.ok("load", "-i", path)


def test_ps_filters(casemate, busybox):
    casemate.ok("create", "--name", "web-1", "-l", "team=red", "-l", "tier=front", "--expose", "80", "--expose", "53/udp", busybox)
    casemate.ok("create", "--name", "web-2", "-l", "team=blue", "-v", "data:/data", "--health-cmd", "true", busybox)
    casemate.ok("run", "-d", "--name", "db", "-l", "team=red", busybox, "sleep", "100")
    casemate.run("run", "--name", "ended", busybox, "sh", "-c", "exit 3")

    def names(*filters):
        words = [w for f in filters for w in ("-f", f)]
        return casemate.ok("ps", "-a", "--format", "{{.Names}}", *words).split()

    for filters, expected in ((["name=web"], "web-2 web-1"), (["name=^/web-1$"], "web-1"), (["name=^web-[2-9]$"], "web-2"),
                              (["name=eb"], "web-2 web-1"), (["name=web-1", "name=db"], "db web-1"), (["label=team=red"], "db web-1"),
                              (["label=team"], "db web-2 web-1"), (["label=team=red", "label=tier"], "web-1"), (["status=exited"], "ended"),
                              (["status=created", "status=running"], "db web-2 web-1"), (["exited=3"], "ended"), (["exited=0"], ""),
                              (["volume=data"], "web-2"), (["volume=/data"], "web-2"), (["ancestor=busybox"], "ended db web-2 web-1"),
                              (["ancestor=busybox:latest", "name=db"], "db"), (["before=db"], "web-2 web-1"), (["since=web-2"], "ended db"),
                              (["expose=80"], "web-1"), (["expose=70-90/tcp"], "web-1"), (["expose=53/udp"], "web-1"), (["expose=53"], ""),
                              (["publish=80"], ""), (["is-task=true"], ""), (["is-task=false", "name=db"], "db"),
                              (["network=none"], "ended db web-2 web-1"), (["network=host"], ""), (["health=none", "name=db"], "db")):
        assert names(*filters) == expected.split(), filters
    assert casemate.ok("ps", "-f", "status=exited", "--format", "{{.Names}}") == "ended\n"
    for word, says in (("colour=red", "invalid filter 'colour'; there are id, name"), ("name", "bad format of filter 'name'"),
                       ("status=green", "invalid filter 'status=green'"), ("health=ill", "invalid filter"), ("expose=x", "not a port"),
                       ("name=(", "not a regular expression"), ("is-task=maybe", "true or false"), ("before=nobody", "No such container")):
        casemate.fails("ps", "-f", word, status=1, says=says)


def test_last_latest_and_size(casemate, busybox):
    casemate.run("run", "--name", "one", busybox, "sh", "-c", "head -c 100000 /dev/zero >/tmp/f")
    casemate.ok("create", "--name", "two", busybox)
    ask = lambda *words: casemate.ok("ps", "--format", "{{.Names}}", *words).split()
    assert ask("-l") == ["two"] and ask("-n", "1") == ["two"] and ask("-n", "5") == ["two", "one"] and ask("-n", "-1", "-a") == ["two", "one"]
    lines = casemate.ok("ps", "-a", "-s").splitlines()
    assert lines[0].split()[-1] == "SIZE" and "0B (virtual" in lines[1] and "100kB (virtual" in lines[2]
    assert "SIZE" not in casemate.ok("ps", "-a").splitlines()[0]
    assert re.fullmatch(r"100kB \(virtual .*\)", casemate.ok("ps", "-a", "--format", "{{.Size}}", "-f", "name=one").strip())


def test_images_filters(casemate, tmp_path):
    load(casemate, tmp_path, "team/old:1", Labels={"tier": "front"})
    load(casemate, tmp_path, "team/new:2", Labels={"tier": "back"})
    load(casemate, tmp_path, "other:1")

    def names(*filters):
        words = [w for f in filters for w in ("-f", f)]
        return sorted(casemate.ok("images", "--format", "{{.Repository}}:{{.Tag}}", *words).split())

    every = ["other:1", "team/new:2", "team/old:1"]
    for filters, expected in (([], every), (["label=tier"], every[1:]), (["label=tier=back"], ["team/new:2"]), (["dangling=true"], []),
                              (["dangling=false"], every), (["reference=team/*"], every[1:]), (["reference=team/*:1"], ["team/old:1"]),
                              (["reference=other"], ["other:1"]), (["reference=oth"], []), (["reference=other", "reference=team/old"],
                                                                                          ["other:1", "team/old:1"])):
        assert names(*filters) == expected, filters
    for word, says in (("colour=red", "invalid filter 'colour'"), ("dangling=x", "true or false"), ("since=nobody", "No such image")):
        casemate.fails("images", "-f", word, status=1, says=says)


@pytest.mark.row(8)
def test_row_8_last_use_of_an_image(casemate, busybox, tmp_path):
    """Starting a container is use, not making one. It is kept on the disk, not in the run directory: a boot does not lose it."""
    load(casemate, tmp_path, "never:1")
    ask = lambda: dict(line.split("\t") for line in casemate.ok("images", "--unused", "--format", "{{.Repository}}\t{{.LastUsed}}").splitlines())
    assert ask() == {"busybox": "never", "never": "never"}
    casemate.ok("create", "--name", "box", busybox, "true")
    assert ask() == {"never": "never"}
    casemate.ok("start", "box")
    casemate.ok("wait", "box")
    casemate.ok("rm", "box")
    shown = ask()
    assert shown["never"] == "never" and re.search(r"second.* ago$", shown["busybox"]), shown
    assert re.search(r"LAST USED", casemate.ok("images", "--unused").splitlines()[0])
    record = next(os.path.join(where, "record.json") for where, _, files in os.walk(os.path.join(casemate.root, "images"))
                  if "record.json" in files and time.time() - os.stat(os.path.join(where, "record.json")).st_mtime < 600)
    os.utime(record, (time.time() - 3 * 86400,) * 2)
    assert ask()["busybox"] == "3 days ago"


def test_json_rows_are_dockers(casemate, busybox):
    casemate.ok("create", "--name", "one", "-l", "a=b", busybox)
    row = json.loads(casemate.ok("ps", "-a", "--format", "json"))
    assert {"Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks", "Ports", "RunningFor", "Size",
            "State", "Status"} <= set(row)


def test_top(casemate, busybox):
    casemate.ok("run", "-d", "--name", "box", "--init", busybox, "sh", "-c", "sleep 1000 & sleep 1001")
    wait.until(lambda: {"sleep 1000", "sleep 1001"} <= set(casemate.ok("top", "box", "-o", "args").splitlines()))
    lines = casemate.ok("top", "box").splitlines()
    assert lines[0].split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    pid = str(casemate.pid("box"))
    assert any(line.split()[1] == pid for line in lines[1:])
    assert casemate.ok("top", "box", "-o", "pid,comm").splitlines()[0].split() == ["PID", "COMMAND"]
    assert casemate.ok("top", "box", "-eo", "args").splitlines().count("sleep 1000") == 1
    assert casemate.ok("top", "box", "aux").splitlines()[0].split()[:4] == ["USER", "PID", "%CPU", "%MEM"]
    assert casemate.ok("top", "box", "-ef").splitlines()[0].split() == lines[0].split()  # widths are of what is in the columns then
    casemate.fails("top", "box", "-o", "pid,wchan", status=1, says="no field 'wchan'; there are user uid")
    casemate.fails("top", "box", "--forest", status=1, says="not supported")
    casemate.ok("kill", "box")
    wait.until(lambda: casemate.run("top", "box").status == 1)
    casemate.fails("top", "box", status=1, says="is not running")


def test_rename(casemate, busybox):
    casemate.ok("run", "-d", "--name", "old", busybox, "sleep", "100")
    casemate.ok("create", "--name", "taken", busybox)
    casemate.ok("rename", "old", "new")
    assert sorted(casemate.ok("ps", "-a", "--format", "{{.Names}}").split()) == ["new", "taken"]
    assert casemate.ok("inspect", "-f", "{{.Name}}", "new") == "/new\n"
    casemate.fails("inspect", "old", status=1, says="No such object")
    casemate.fails("rename", "new", "taken", status=1, says="already in use")
    casemate.fails("rename", "new", "new", status=1, says="same name")
    casemate.fails("rename", "new", "_x", status=1, says="Invalid container name")
    casemate.fails("rename", "nobody", "x1", status=1, says="No such container")
    casemate.ok("create", "--name", "old", busybox)  # the name is free again
    assert casemate.ok("exec", "new", "echo", "in") == "in\n"
    casemate.ok("rm", "-f", "new")
    assert sorted(os.listdir(os.path.join(casemate.root, "names"))) == ["old", "taken"]
    assert "container.rename" in casemate.ok("log", "show", "--format", "json")


def test_port(casemate, busybox):
    casemate.ok("create", "--name", "box", busybox)
    assert casemate.ok("port", "box") == ""
    casemate.fails("port", "box", "80", status=1, says="No public port '80/tcp' published for box")
    casemate.fails("port", "box", "http", status=1, says="invalid port")
