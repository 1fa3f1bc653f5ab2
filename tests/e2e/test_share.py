# SPDX-License-Identifier: Apache-2.0
"""--pid container:X and --ipc container:X: what is shared, what is not, and that ids stay whose they are."""
import json
import os
import re

import pytest

from lib import host, wait

HELLO = "casemate/hello"


@pytest.fixture
def owner(casemate, busybox):
    casemate.ok("run", "-d", "--name", "owner", "--ipc", "shareable", busybox, "sh", "-c",
                "echo secret > /dev/shm/shared; echo file > /own; exec sleep 1000")
    wait.until(lambda: casemate.run("exec", "owner", "test", "-e", "/own").status == 0, what="the owner is ready")
    return casemate


def namespaces(pid):
    return {name: os.readlink("/proc/%d/ns/%s" % (pid, name)) for name in ("user", "pid", "ipc", "mnt", "net", "uts", "cgroup")}


def block(pid):
    return int(re.search(r"^Uid:\t(\d+)", host.read("/proc/%d/status" % pid), re.M).group(1))


def claims(casemate):
    return sorted(n for n in os.listdir(casemate.rundir + "/ids") if n.isdigit())


def joined(casemate):
    path = casemate.rundir + "/joined"
    return os.listdir(path) if os.path.isdir(path) else []


def test_processes_are_shared_and_nothing_else(owner, busybox):
    owner.ok("run", "-d", "--name", "joiner", "--pid", "container:owner", busybox, "sleep", "999")
    a, b = namespaces(owner.pid("owner")), namespaces(owner.pid("joiner"))
    assert {name for name in a if a[name] == b[name]} == {"user", "pid"}
    assert block(owner.pid("owner")) == block(owner.pid("joiner"))
    assert claims(owner) == [str((block(owner.pid("owner")) - 1879048192) // 65536)] and len(joined(owner)) == 1
    seen = owner.ok("exec", "joiner", "ps")
    assert "sleep 1000" in seen and "sleep 999" in seen
    assert owner.run("exec", "joiner", "cat", "/own").status != 0
    assert owner.run("exec", "joiner", "cat", "/proc/1/root/own").status != 0  # Landlock: not by the way of /proc either
    assert owner.run("exec", "joiner", "kill", "-0", "1").status == 0
    groups = [host.cgroup_of(owner.pid(n)) for n in ("owner", "joiner")]
    assert all(groups[0][k] != groups[1][k] for k in groups[0] if "casemate" in groups[0][k])
    whole = json.loads(owner.ok("inspect", "joiner"))[0]
    assert whole["HostConfig"]["PidMode"] == "container:" + json.loads(owner.ok("inspect", "owner"))[0]["Id"]
    assert [g["Practice"] for g in whole["Casemate"]["Grants"]] == [5]
    assert "broken" not in owner.ok("explain", "joiner")
    # Its shim works: output, signals, status.
    assert owner.ok("run", "--rm", "--pid", "container:owner", busybox, "echo", "said") == "said\n"
    owner.ok("stop", "joiner")
    assert owner.ok("wait", "joiner").strip() == "143"  # not the first process of its processes: SIGTERM ends it
    assert joined(owner) == []
    owner.ok("exec", "owner", "true")


def test_ipc_with_its_dev_shm(owner, busybox):
    out = owner.ok("run", "--rm", "--name", "joiner", "--ipc", "container:owner", busybox, "sh", "-c",
                   "cat /dev/shm/shared; echo more > /dev/shm/more; ls /own 2>&1; ps | wc -l")
    assert out.startswith("secret\n") and "No such file" in out and int(out.split()[-1]) <= 5
    assert owner.ok("exec", "owner", "cat", "/dev/shm/more") == "more\n"
    owner.ok("run", "-d", "--name", "both", "--pid", "container:owner", "--ipc", "container:owner", busybox, "sleep", "999")
    a, b = namespaces(owner.pid("owner")), namespaces(owner.pid("both"))
    assert {name for name in a if a[name] == b[name]} == {"user", "pid", "ipc"}


def test_what_is_refused(owner, busybox):
    owner.ok("run", "-d", "--name", "other", busybox, "sleep", "1000")
    owner.fails("run", "--ipc", "container:other", busybox, status=125, says="--ipc shareable.*practice 5")
    owner.fails("run", "--pid", "container:absent", busybox, status=125, says="No such container: absent")
    owner.fails("run", "--pid", "container:other", "--ipc", "container:owner", busybox, "true", status=125, says="two containers")
    owner.ok("create", "--name", "later", "--pid", "container:other", busybox, "sleep", "999")
    owner.ok("stop", "-t", "0", "other")
    owner.fails("start", "later", says="does not run: other")
    owner.ok("start", "other")
    owner.ok("start", "later")
    assert block(owner.pid("later")) == block(owner.pid("other"))


def test_the_end_of_the_owner_ends_who_shares_its_processes(owner, busybox):
    owner.ok("run", "-d", "--name", "joiner", "--pid", "container:owner", busybox, "sleep", "999")
    owner.ok("kill", "owner")
    assert owner.ok("wait", "joiner").strip() == "137"
    owner.ok("ps")
    assert claims(owner) == [] and joined(owner) == []


def test_ids_stay_taken_until_the_last_has_ended(owner, busybox):
    """With IPC alone the joiner goes on without its owner; nobody else gets the ids meanwhile."""
    owner.ok("run", "-d", "--name", "joiner", "--ipc", "container:owner", busybox, "sleep", "999")
    ids = block(owner.pid("joiner"))
    owner.ok("rm", "-f", "owner")
    assert len(claims(owner)) == 1 and joined(owner) == []
    for number in range(3):
        owner.ok("run", "-d", "--name", "new%d" % number, busybox, "sleep", "999")
        assert block(owner.pid("new%d" % number)) != ids
    assert owner.ok("exec", "joiner", "cat", "/dev/shm/shared") == "secret\n"
    owner.ok("rm", "-f", "joiner", "new0", "new1", "new2")
    assert claims(owner) == []


def test_a_child_of_the_joiner_ends_with_it(owner, busybox):
    owner.ok("run", "-d", "--name", "joiner", "--pid", "container:owner", busybox, "sh", "-c",
             "sleep 888 & sleep 887 & exec sleep 886")
    wait.until(lambda: "sleep 888" in owner.ok("exec", "owner", "ps"), what="the children have started")
    owner.ok("kill", "joiner")
    assert "sleep 88" not in owner.ok("exec", "owner", "ps")
