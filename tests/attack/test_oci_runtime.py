# SPDX-License-Identifier: Apache-2.0
"""Escapes from a container of the OCI runtime that has no user namespace, as schedulers run it (ATTACKS.md, groups runtime and mount): root in there is root."""
import os
import re

import pytest

from lib import host, wait
from attack.oci_container import given, oci, up  # oci: a fixture

WATCH = "while :; do for l in /proc/[0-9]*/fd/* /proc/[0-9]*/exe /proc/[0-9]*/cwd; do readlink $l; done >>/tmp/seen 2>/dev/null; done"
WRITE = "touch /tmp/begun; while :; do for f in /proc/[0-9]*/exe; do echo hostile 2>/dev/null >$f; done; done 2>/dev/null"
ALLOWED = re.compile(r"^(/|/tmp/seen|/bin/\w+|/dev/(null|pts/\d+|console)|pipe:\[\d+\]|socket:\[\d+\]|/proc|/proc/\d+(/fd)?|/etc/passwd)$")
EXECS = 20
RACES = 20


def test_exec_brings_nothing_of_the_host_along(oci, canary):
    """CVE-2016-9962, CVE-2024-21626: no descriptor, directory or program of the host is ever seen inside."""
    up(oci, WATCH)
    wait.until(lambda: os.path.exists(os.path.join(oci.tmp, "seen")), what="the watcher has begun")
    for _ in range(EXECS):
        oci.ok("exec", oci.name, "true")
    seen = set(host.read(os.path.join(oci.tmp, "seen")).splitlines())
    assert "/bin/busybox" in seen, seen
    given_by_us = os.path.join(oci.base, "create.err")  # its standard error
    assert not {line for line in seen if not ALLOWED.match(line) and line != given_by_us}


def test_the_programs_are_not_overwritten_by_root(oci, canary):
    """CVE-2019-5736: root of the container, which is root of the host, writes to the program of everything that enters."""
    up(oci, WRITE)
    wait.until(lambda: os.path.exists(os.path.join(oci.tmp, "begun")), what="the attacker has begun")
    for _ in range(EXECS):
        oci.call("exec", oci.name, "/proc/self/exe", "version")
        oci.call("exec", oci.name, "true")
    canary.check()


@pytest.mark.parametrize("number", range(3, 12))
def test_exec_in_a_directory_by_number(oci, canary, number):
    """CVE-2024-21626."""
    up(oci, "sleep 1000")
    for tail in ("", "/../../../.."):
        done = oci.call("exec", "--cwd", "/proc/self/fd/%d%s" % (number, tail), oci.name, "cat", canary.path[1:] + "/secret")
        assert done.returncode != 0 and canary.word not in done.stdout, done


def test_target_of_a_mount_changes_meanwhile(oci, canary):
    """CVE-2021-30465: a container that turns the target of another's mount into a link puts nothing on the host."""
    shared = os.path.join(oci.base, "shared")
    os.makedirs(shared)
    climb = "../" * 12 + canary.path[1:] + "/dir"

    def volume(c):
        c["mounts"].append({"destination": "/data", "type": "bind", "source": shared, "options": ["rbind"]})
    up(oci, "cd /data; mkdir -p real; touch begun; while :; do ln -sfn %s n && mv -T n sub; ln -sfn real n && mv -T n sub; done" % climb, volume)
    wait.until(lambda: os.path.exists(os.path.join(shared, "begun")), what="the attacker has begun")

    def below(c):
        volume(c)
        c["mounts"].append({"destination": "/data/sub/x", "type": "tmpfs", "source": "tmpfs"})
    for _ in range(RACES):
        done = oci.run(given("true", below), name=oci.name + "-b")
        assert done.returncode in (0, 1), done
        canary.check()
