# SPDX-License-Identifier: Apache-2.0
"""[runtime] in the policy: what becomes of the practices in containers that others schedule, and where it is recorded."""
import json
import os

import pytest

from lib import bundle, host
from lib.bundle import BOX

SLEEP = ["sh", "-c", "trap exit TERM; while :; do sleep 0.05; done"]


@pytest.fixture
def oci(casemate):
    runtime = bundle.ours(casemate)
    runtime.policy = casemate.policy
    runtime.records = lambda: [json.loads(line) for line in casemate.ok("log", "show", "--format", "json").splitlines()]
    yield runtime
    runtime.clean()


def shell(script, change=None):
    document = bundle.config(change)
    document["process"]["args"] = ["sh", "-c", script]
    return document


def events(oci, *kinds):
    return [(r["event"], r.get("name"), r["what"]) for r in oci.records() if r["event"] in kinds]


LOOK = ("grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; grep -qE ' /proc/(acpi|kcore|keys|timer_list) ' /proc/mounts && echo masked; "
        "grep -q ' /proc/sys ' /proc/mounts && echo ro; true")


def open_bundle(document):
    document["process"]["noNewPrivileges"] = False
    document["linux"].update(maskedPaths=[], readonlyPaths=[])


def test_warn_changes_nothing_and_records_all(oci):
    log = os.path.join(oci.base, "log")
    done = oci.run(shell(LOOK, open_bundle), log=log)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "NoNewPrivs:\t0" in done.stdout and "Seccomp:\t0" in done.stdout and not {"ro", "masked"} & set(done.stdout.split())
    [(kind, name, what)] = events(oci, "runtime.warn", "runtime.tighten", "refusal", "grant")
    assert (kind, name) == ("runtime.warn", BOX)
    for part in ("gain privileges (practice 11)", "files of /proc and /sys", "any number of processes (practice 4)", "every system call is open to it (practice 7)"):
        assert part in what, what
    assert json.loads(host.read(log).splitlines()[0])["level"] == "warning"


def test_a_careful_bundle_is_not_spoken_of(oci):
    def change(document):
        document["linux"]["maskedPaths"] = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
                                            "/proc/scsi", "/sys/firmware"]
        document["linux"]["readonlyPaths"] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        document["linux"]["resources"].update(pids={"limit": 100}, memory={"limit": 64 << 20})
        document["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    oci.policy("[runtime]\npractices = enforce\n")
    done = oci.run(shell("true", change))
    assert done.returncode == 0, done.stderr
    assert not events(oci, "runtime.warn", "runtime.tighten", "refusal", "grant")


def test_off_is_a_plain_runtime(oci):
    oci.policy("[runtime]\npractices = off\n")
    document = shell("true", open_bundle)
    document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != "ipc"]
    done = oci.run(document)
    assert done.returncode == 0, done.stderr
    assert not events(oci, "runtime.warn", "runtime.tighten", "refusal", "grant")


def test_enforce_tightens_the_container_and_what_is_executed_in_it(oci):
    oci.policy("[runtime]\npractices = enforce\n[practice \"limits\"]\npids = 77\nmemory = 100m\nmemory-min = 1m\n")
    document = bundle.config(open_bundle)
    document["process"]["args"] = SLEEP
    document["linux"]["cgroupsPath"] = "/casemate-oci-test-" + BOX
    status, error = oci.create(document)
    assert status == 0, error
    oci.ok("start", BOX)
    said = oci.ok("exec", BOX, "sh", "-c", LOOK)
    assert "NoNewPrivs:\t1" in said and "Seccomp:\t2" in said and said.endswith("masked\nro\n"), said
    stats = json.loads(oci.ok("events", "--stats", BOX))["data"]
    assert stats["pids"]["limit"] == 77 and stats["memory"]["usage"]["limit"] == 100 << 20, stats
    [(_, name, what)] = events(oci, "runtime.tighten")
    assert name == BOX and "every system call" in what and "all memory" in what
    rows = [json.loads(line) for line in oci.ok("explain", "--format", "json", BOX).splitlines()]
    assert {r["State"] for r in rows} == {"tightened"} and {int(r["Practice"]) for r in rows} == {4, 5, 7, 11}
    process = dict(document["process"], args=["grep", "NoNewPrivs", "/proc/self/status"], noNewPrivileges=False)
    wanted = os.path.join(oci.base, "process.json")
    with open(wanted, "w", encoding="utf-8") as f:
        json.dump(process, f)
    assert oci.ok("exec", "--process", wanted, BOX) == "NoNewPrivs:\t1\n"
    refused = oci.call("exec", "--cap", "CAP_SYS_ADMIN", BOX, "true")
    assert refused.returncode != 0 and "CAP_SYS_ADMIN" in refused.stderr and "practice 6" in refused.stderr
    assert any("CAP_SYS_ADMIN" in what for _, _, what in events(oci, "refusal"))


def more_capabilities(document):
    for name in ("bounding", "effective", "permitted"):
        document["process"]["capabilities"][name] = ["CAP_KILL", "CAP_SYS_ADMIN"]


def no_namespace(kind):
    def change(document):
        document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != kind]
        if kind == "network":
            document["mounts"] = [m for m in document["mounts"] if m["type"] != "sysfs"]
    return change


def bind(source, *options):
    return lambda d: d["mounts"].append({"destination": "/mnt", "type": "bind", "source": source, "options": ["rbind", *options]})


REFUSED = [
    ("capability", "CAP_SYS_ADMIN", 6, more_capabilities),
    ("host-namespace", "network", 3, no_namespace("network")),
    ("host-namespace", "ipc", 5, no_namespace("ipc")),
    ("host-path", "/etc", 5, bind("/etc", "ro")),
    ("host-path", "/proc/sys", 5, bind("/proc/sys")),
    ("device", "all", 5, lambda d: d["linux"]["resources"].update(devices=[{"allow": True, "access": "rwm"}])),
    ("device", "/dev/mem", 5, lambda d: d["linux"].update(devices=[{"path": "/dev/mem", "type": "c", "major": 1, "minor": 1}])),
]


@pytest.mark.parametrize("what,value,practice,change", REFUSED, ids=["%s=%s" % r[:2] for r in REFUSED])
def test_enforce_refuses_and_a_line_with_an_annotation_grants(oci, what, value, practice, change):
    grant = "casemate.grant.%s" % what

    def annotated(document):
        change(document)
        document["annotations"] = {grant: "nothing,%s" % value}
    oci.policy("[runtime]\npractices = enforce\n")
    for wanted in (change, annotated):
        done = oci.run(shell("true", wanted))
        assert done.returncode == 1, "an annotation alone grants nothing"
        assert "allow-annotation = %s=%s" % (grant, value) in done.stderr and "practice %d" % practice in done.stderr, done.stderr
        assert not os.listdir(oci.root)
    assert len(events(oci, "refusal")) == 2 and not events(oci, "grant")
    oci.policy("[runtime]\npractices = enforce\nallow-annotation = %s=%s\n" % (grant, value))
    assert oci.run(shell("true", change)).returncode == 1, "the line alone grants nothing"
    done = oci.run(shell("true", annotated))
    assert done.returncode == 0, done.stderr
    [record] = [r for r in oci.records() if r["event"] == "grant"]
    assert record["practice"] == practice and record["source"].startswith("policy: casemate.conf:3") and record["name"] == BOX
    oci.policy("[runtime]\npractices = enforce\nallow-annotation = %s=other\n" % grant)
    assert oci.run(shell("true", annotated)).returncode == 1, "the line is for another value"


def test_dangerous_capabilities_are_dropped_where_the_policy_says_so(oci):
    oci.policy("[runtime]\npractices = enforce\ndrop-capabilities = yes\n")
    done = oci.run(shell("grep CapBnd /proc/self/status", more_capabilities))
    assert (done.returncode, done.stdout.split()) == (0, ["CapBnd:", "0000000000000020"]), done.stderr
    assert any("CAP_SYS_ADMIN" in what for _, _, what in events(oci, "runtime.tighten"))


def test_what_the_command_line_may_ask_for_needs_no_annotation(oci):
    oci.policy("[runtime]\npractices = enforce\n[practice \"capabilities\"]\nallow-capability = CAP_SYS_ADMIN\n")
    done = oci.run(shell("grep CapBnd /proc/self/status", more_capabilities))
    assert (done.returncode, done.stdout.split()[1]) == (0, "0000000000200020"), done.stderr
    assert len(events(oci, "grant")) == 1


def test_a_wrong_line_is_named(oci):
    for line, says in (("practices = maybe", "none of off, warn, enforce"), ("allow-annotation = casemate.grant.all", "no annotation that grants"),
                       ("practise = off", "unknown key")):
        oci.policy("[runtime]\n%s\n" % line)
        done = oci.run(shell("true"))
        assert done.returncode == 1 and says in done.stderr and "casemate.conf:2" in done.stderr, done.stderr
