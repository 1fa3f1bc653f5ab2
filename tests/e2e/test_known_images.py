# SPDX-License-Identifier: Apache-2.0
"""Images of servers and run-times as people run them serve a request, with at most one grant: what docs/images.md says of each is so."""
import os
import re
import tempfile

import pytest

from conftest import debian_root
from lib import casemate as casemate_module
from lib import golang, servers, wait

PAGE = os.path.join(casemate_module.REPOSITORY, "docs", "images.md")
ROW = re.compile(r"^\| `(\w+)` \| (none|`[^`]+`) \|", re.M)


@pytest.fixture(scope="module")
def loaded(installation):
    minbase, _ = debian_root("minbase")
    base = os.path.join(casemate_module.CACHE, "servers.tar.zst")
    if not os.path.exists(base):
        with tempfile.TemporaryDirectory(prefix="casemate-servers-", dir="/var/tmp") as work:
            why = servers.make_base(minbase, base, work)
        if why:
            pytest.skip(why)
    made = casemate_module.Casemate(installation, casemate_module.make_base())
    try:
        layer, users = servers.base_layer(base), servers.users_layer(minbase)
        program, made.no_go = golang.program()
        if program:
            servers.add_go(next(s for s in servers.IMAGES if s.name == "goserver"), program)
        path = os.path.join(made.base, "servers.tar")
        servers.archive(path, [(servers.make(s, layer, users), s.name + ":latest") for s in servers.IMAGES if program or s.name != "goserver"])
        made.ok("load", "-i", path, timeout=300)
        os.unlink(path)
        for server in servers.IMAGES:
            if program or server.name != "goserver":
                made.ok("tag", server.name, server.name)
        yield made
    finally:
        made.destroy()


@pytest.mark.slow
@pytest.mark.parametrize("server", servers.IMAGES, ids=lambda server: server.name)
def test_serves_a_request_with_the_grant_that_the_page_names(loaded, server):
    if server.name == "goserver" and loaded.no_go:
        pytest.skip(loaded.no_go)
    started = loaded.run("run", "-d", "--name", server.name + "-1", server.name, timeout=120)
    try:
        assert started.status == 0 and started.err == "", started
        wait.until(lambda: "serves" in loaded.run("exec", server.name + "-1", *server.wants, timeout=60).out, 60,
                   server.name + ": " + str(loaded.run("logs", server.name + "-1")))
        sources = set(loaded.ok("explain", server.name + "-1", "--format", "{{.State}}|{{.Source}}").splitlines())
        known = [s for s in sources if s == "granted|known image docker.io/library/" + server.name]
        with open(PAGE, encoding="utf-8") as f:
            grants = dict(ROW.findall(f.read()))
        assert (grants[server.name] == "`@switch-user`") == bool(known), (grants, sources)
    finally:
        loaded.run("rm", "-f", "-v", server.name + "-1", timeout=60)


@pytest.mark.slow
def test_a_name_of_another_registry_gets_nothing(loaded):
    loaded.ok("tag", "python:latest", "example.com/library/redis:latest")
    loaded.ok("create", "--name", "other", "example.com/library/redis:latest")
    try:
        assert "known image" not in loaded.ok("explain", "other")
    finally:
        loaded.ok("rm", "other")
        loaded.ok("rmi", "example.com/library/redis:latest")


def test_the_page_names_each_image():
    with open(PAGE, encoding="utf-8") as f:
        assert sorted(name for name, _ in ROW.findall(f.read())) == sorted(server.name for server in servers.IMAGES)
