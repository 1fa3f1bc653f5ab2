# SPDX-License-Identifier: Apache-2.0
"""The practices on real containers: what is refused names what grants just that, a line of policy does grant it, and explain says what
the kernel does."""
import json
import os
import re

import pytest

SLEEP = ("casemate/hello", "sleep", "300")


def evidence(casemate, name, number, what):
    """The line of explain about one fact."""
    lines = [json.loads(line) for line in casemate.ok("explain", "--format", "json", name).splitlines()]
    found = [l for l in lines if int(l["Number"]) == number and l["What"] == what]
    assert len(found) == 1, lines
    return found[0]


def granted(casemate, name, number):
    lines = [json.loads(line) for line in casemate.ok("explain", "--format", "json", name).splitlines()]
    return {l["Value"]: l["Source"] for l in lines if int(l["Number"]) == number and l["State"] == "granted" and l["What"] == "grant"}


def test_all_fourteen_are_shown(casemate):
    """Without a flag nothing is granted and nothing is broken; what has no mechanism says so."""
    casemate.ok("run", "-d", "--name", "box", *SLEEP)
    lines = [json.loads(line) for line in casemate.ok("explain", "--format", "json", "box").splitlines()]
    assert {int(l["Number"]) for l in lines} == set(range(1, 15))
    assert not [l for l in lines if l["State"] in ("broken", "granted")]
    for number in (1, 2, 8, 10, 14):
        assert {l["State"] for l in lines if int(l["Number"]) == number} == {"not enforced yet"}
    for number in (3, 4, 5, 6, 7, 9, 11, 12, 13):
        assert "holds" in {l["State"] for l in lines if int(l["Number"]) == number}


def test_rows_27_28_29_in_the_kernel(casemate):
    casemate.ok("run", "-d", "--name", "box", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "33", *SLEEP)
    assert evidence(casemate, "box", 4, "memory")["Value"] == "64 MiB"
    assert evidence(casemate, "box", 4, "processors")["Value"] == "0.50"
    line = evidence(casemate, "box", 4, "processes")
    assert line["Value"] == "33"
    with open(line["Source"], encoding="ascii") as f:
        assert f.read() == "33\n"


@pytest.mark.parametrize("source", ["/", "/etc", "/proc", "/sys", "/dev", "/boot", "/etc/shadow", "/proc/self/root", "/tmp/../etc", "/run"])
def test_row_43_refused(casemate, source):
    if not os.path.exists(source):
        pytest.skip(source + " is not there")
    casemate.fails("run", "--rm", "-v", source + ":/x:ro", "casemate/hello", "true", status=125,
                   says=r"bind source .* is refused: .*\(practice 5\)")
    assert casemate.ok("ps", "-aq") == ""


def test_row_43_link(casemate, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/etc")
    casemate.fails("run", "--rm", "-v", "%s:/x:ro" % link, "casemate/hello", "true", status=125, says=r"\(practice 5\)")


@pytest.mark.parametrize("source", ["/etc/localtime", "/etc/timezone", "/etc/ssl/certs", "/usr/share/zoneinfo"])
def test_row_43_fine(casemate, source):
    if not os.path.exists(source):
        pytest.skip(source + " is not there")
    casemate.ok("run", "--rm", "-v", source + ":/x:ro", "casemate/hello", "true")


def test_row_43_own_state(casemate):
    casemate.policy('[practice "isolation"]\nallow-host-path = /\n')
    casemate.ok("run", "--rm", "-v", "/etc/hostname:/x:ro", "casemate/hello", "true")
    casemate.fails("run", "--rm", "-v", casemate.root + ":/x:ro", "casemate/hello", "true", status=125, says="which no policy opens")


def test_host_path_granted_and_withdrawn(casemate):
    """A line that was taken out counts from the next start on."""
    casemate.policy('[grant "casemate/hello"]\nallow-host-path = /etc/hostname\n')
    casemate.ok("create", "--name", "box", "-v", "/etc/hostname:/x:ro", "casemate/hello", "true")
    casemate.ok("start", "box")
    casemate.ok("wait", "box")
    assert granted(casemate, "box", 5) == {"read-only bind of /etc/hostname": "policy: casemate.conf:2"}
    casemate.policy("")
    casemate.fails("start", "box", says="bind source /etc/hostname is refused")


def test_row_50(casemate):
    casemate.fails("run", "--rm", "--cap-add", "SYS_PTRACE", "casemate/hello", "true", status=125,
                   says=re.escape("put 'allow-capability = CAP_SYS_PTRACE' under [practice \"capabilities\"] in " + casemate.conf))
    casemate.policy('[practice "capabilities"]\nallow-capability = CAP_SYS_PTRACE\n')
    casemate.ok("run", "-d", "--name", "box", "--cap-add", "SYS_PTRACE", *SLEEP)
    assert evidence(casemate, "box", 6, "effective capabilities")["Value"] == "CAP_SYS_PTRACE"
    assert granted(casemate, "box", 6) == {"capability CAP_SYS_PTRACE": "policy: casemate.conf:2"}


def test_unlimited(casemate):
    casemate.fails("run", "--rm", "--pids-limit", "-1", "casemate/hello", "true", status=125, says="allow-unlimited = pids")
    casemate.policy('[practice "limits"]\nallow-unlimited = pids\n')
    casemate.ok("run", "-d", "--name", "box", "--pids-limit", "-1", *SLEEP)
    line = evidence(casemate, "box", 4, "processes")
    assert (line["Value"], line["State"]) == ("not limited", "granted")


def test_row_83_strict(casemate):
    casemate.fails("run", "--rm", "--profile", "strict", "casemate/hello", "true", status=125, says=r"\(practice 11\)")
    casemate.ok("run", "-d", "--name", "box", "--profile", "strict", "--user", "1000", *SLEEP)
    assert evidence(casemate, "box", 13, "root file system")["Value"] == "overlay, read-only"
    assert evidence(casemate, "box", 11, "user")["Value"].startswith("uid 1000, host id ")


def test_policy_errors_are_one_line(casemate):
    casemate.policy("[casemate]\ncolour = red\n")
    casemate.fails("run", "--rm", "casemate/hello", "true", status=125, says="casemate.conf:2: unknown key 'colour'")
    casemate.policy("")
    os.chmod(casemate.conf, 0o666)
    casemate.fails("run", "--rm", "casemate/hello", "true", status=125, says="may be written by others than root")
