# SPDX-License-Identifier: Apache-2.0
"""From a registry to a running container with a real Debian 12: what a newcomer does with a first image of their own."""
import os

import pytest

from lib import wait


@pytest.mark.slow
def test_a_debian_from_a_registry_from_pull_to_rm(casemate, registry_tls, debian_image):
    name = registry_tls.push(debian_image, "real/debian:12")
    casemate.ok("pull", "-q", "--ca-file", registry_tls.ca, name, timeout=120)
    casemate.ok("run", "--rm", name, "true")
    assert casemate.ok("run", "--rm", name, "cat", "/etc/debian_version").startswith("12")

    terminal = casemate.pty("run", "--rm", "-it", name, "sh")
    terminal.send("test -t 0 && echo on a $((40 + 2)) terminal; exit 3\n")
    terminal.expect("on a 42 terminal")
    assert terminal.wait() == 3

    casemate.ok("run", "-d", "--name", "web", name, "bash", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    following = casemate.popen("logs", "-f", "web")
    assert following.stdout.readline() == b"ready\n"
    assert casemate.ok("exec", "web", "dpkg-query", "-W", "-f", "${Status}", "bash") == "install ok installed"
    assert casemate.ok("stop", "web") == "web\n"
    out, _ = following.communicate(timeout=wait.seconds(20))
    assert out == b"bye\n" and following.returncode == 0
    assert casemate.ok("wait", "web") == "0\n"
    assert casemate.ok("rm", "web") == "web\n"


@pytest.mark.slow
def test_owners_of_a_volume_and_a_bind_with_a_debian(casemate, debian_image):
    casemate.load(debian_image, "debian:latest")
    source = os.path.join(casemate.base, "source")
    os.mkdir(source)
    os.chown(source, 1234, 1234)
    casemate.ok("run", "--rm", "-u", "www-data", "-v", "cache:/var/cache", "-v", source + ":/srv", "debian:latest",
                "sh", "-c", "touch /srv/mine && test \"$(stat -c %U /srv/mine)\" = www-data")
    made = os.stat(os.path.join(source, "mine"))
    assert (made.st_uid, made.st_gid) == (1234, 1234)
    # What root of one container makes is root's in the next, and nobody's on the host.
    casemate.ok("run", "--rm", "-v", "cache:/var/cache", "debian:latest", "touch", "/var/cache/kept")
    assert casemate.ok("run", "--rm", "-v", "cache:/var/cache", "debian:latest", "stat", "-c", "%U", "/var/cache/kept") == "root\n"
    kept = os.stat(os.path.join(casemate.root, "volumes", "cache", "data", "kept"))
    assert kept.st_uid == kept.st_gid == 1879048192
