# SPDX-License-Identifier: Apache-2.0
"""Images on the command line: pull from a real registry, images, tag, rmi, load, login, and run that pulls."""
import json
import os
import re
import sqlite3
import stat

from lib import images, registry as registries

PLAIN = "--tls-verify=false"


def hello_image(text, layers=2, **more):
    made = [images.busybox_layer()] + [images.Layer().file("layer%d" % i, text) for i in range(1, layers)]
    return images.make_image(made, {"Cmd": ["cat", "/layer1"], "Env": [images.PATH]}, **more)


def test_pull_and_run(casemate, registry):
    name = registry.push(hello_image("from a registry\n", 4), "cli/hello:1") or "%s/cli/hello:1" % registry.host
    pulled = casemate.run("pull", PLAIN, name)
    assert pulled.status == 0, pulled.err
    assert pulled.out == name + "\n" and re.search(r"Digest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image", pulled.err)
    assert casemate.ok("run", "--rm", name) == "from a registry\n"
    again = casemate.run("pull", PLAIN, name)
    assert "Image is up to date" in again.err
    assert casemate.run("pull", "-q", PLAIN, name).err == ""


def test_run_pulls_what_is_missing(casemate, registry_tls):
    registry_tls.push(hello_image("pulled by run\n"), "cli/run:1")
    name = "%s/cli/run:1" % registry_tls.host
    casemate.policy('[registry "%s"]\nca-file = %s\n' % (registry_tls.host, registry_tls.ca))
    result = casemate.run("run", "--rm", name)
    assert result.status == 0 and result.out == "pulled by run\n", result
    assert "Unable to find image" in result.err and "Downloaded newer image" in result.err
    assert casemate.run("run", "--rm", name).err == ""
    casemate.fails("run", "--rm", "--pull", "never", name + "2", status=125, says="--pull never")


def test_an_unknown_authority_is_refused(casemate, registry_tls):
    registry_tls.push(hello_image("x"), "cli/tls:1")
    name = "%s/cli/tls:1" % registry_tls.host
    casemate.fails("pull", "-q", name, status=1)
    assert casemate.ok("pull", "--ca-file", registry_tls.ca, name) == name + "\n"


def test_plain_http_needs_the_option(casemate, registry):
    registry.push(hello_image("x"), "cli/plain:1")
    casemate.fails("pull", "-q", "%s/cli/plain:1" % registry.host, status=1)
    casemate.fails("pull", "-q", PLAIN, "registry.example/x", status=1, says="loopback|this machine")


def test_images_tag_rmi(casemate, busybox):
    casemate.ok("tag", busybox, "mine/copy:two")
    rows = [json.loads(line) for line in casemate.ok("images", "--format", "json").splitlines()]
    assert {(r["Repository"], r["Tag"]) for r in rows} == {("busybox", "latest"), ("mine/copy", "two")}
    assert len({r["ID"] for r in rows}) == 1
    assert casemate.ok("images").split("\n")[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert casemate.ok("images", "--format", "{{.Tag}}", "mine/copy") == "two\n"
    assert casemate.ok("images", "-q", "-f", "dangling=true") == ""
    identifier = rows[0]["ID"]
    casemate.fails("rmi", identifier, status=1, says="force|several|more than one|multiple")
    casemate.ok("create", "--name", "user", "mine/copy:two")
    assert casemate.ok("rmi", "busybox") == "Untagged: busybox:latest\n"
    casemate.fails("rmi", "mine/copy:two", status=1, says="container")
    casemate.ok("rm", "user")
    out = casemate.ok("rmi", "mine/copy:two")
    assert out.startswith("Untagged: mine/copy:two\nDeleted: sha256:")
    assert casemate.ok("images", "-q") == ""
    assert os.listdir(os.path.join(casemate.root, "layers")) == []
    casemate.fails("rmi", "busybox", status=1, says="No such image: busybox")
    assert casemate.run("rmi", "-f", "busybox").status == 0


def test_load_from_standard_input(casemate, tmp_path):
    path = images.write_oci_archive(str(tmp_path / "a.tar"), hello_image("loaded\n"), "mine/loaded:1")
    with open(path, "rb") as f:
        out = casemate.ok("load", input=f.read())
    assert out == "Loaded image: mine/loaded:1\n"
    assert casemate.ok("run", "--rm", "mine/loaded:1") == "loaded\n"
    casemate.fails("load", "-i", "/etc/passwd", status=1)
    casemate.fails("load", "-i", "/nonexistent", status=1, says="/nonexistent")


def test_login(casemate, registry_auth):
    made = hello_image("secret\n")
    registry_auth.push(made, "cli/auth:1")
    name = "%s/cli/auth:1" % registry_auth.host
    ca = ("--ca-file", registry_auth.ca)
    casemate.fails("pull", "-q", *ca, name, status=1, says="login|denied|authoriz")
    casemate.fails("login", *ca, "-u", registries.USER, "--password-stdin", registry_auth.host, input="wrong\n", status=1)
    assert casemate.ok("login", *ca, "-u", registries.USER, "--password-stdin", registry_auth.host,
                       input=registries.PASSWORD + "\n") == "Login Succeeded\n"
    kept = os.path.join(casemate.base, ".config/casemate/auth.json")
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    assert casemate.ok("pull", *ca, name) == name + "\n"
    assert "Removing login credentials" in casemate.ok("logout", registry_auth.host)
    assert "Not logged in" in casemate.ok("logout", registry_auth.host)


def test_completion_of_images(casemate, busybox):
    assert busybox in casemate.ok("__complete", "--", "rmi", "busy").split()


def test_an_index_without_origins_is_taken_over(casemate, registry):
    """As written before names had one: those of a pull keep their grants, others lose them until a user says them."""
    name = "%s/cli/origin:1" % registry.host
    registry.push(hello_image("old\n"), "cli/origin:1")
    casemate.policy('[grant "%s/cli/*"]\ncapability = CAP_KILL\n' % registry.host)
    casemate.ok("pull", PLAIN, name)
    casemate.ok("tag", name, "%s/cli2/origin:1" % registry.host)
    with sqlite3.connect(casemate.root + "/index.db") as db:
        db.executescript("ALTER TABLE names DROP COLUMN origin; PRAGMA user_version = 1;")
    db.close()
    casemate.ok("create", "--name", "old", name)
    assert "policy: casemate.conf:2" in casemate.ok("explain", "old")
    with sqlite3.connect(casemate.root + "/index.db") as db:
        assert sorted(db.execute("SELECT name LIKE '%/cli2/%', origin FROM names")) == [(0, 1), (0, 1), (1, 0)]
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()
