# SPDX-License-Identifier: Apache-2.0
"""What a container is refused while it runs: told at its end with the flag that allows it, kept for later, recorded."""
import json
import os
import re
import signal

import pytest

from lib import host, wait

SWITCH = "chown 5:5 /tmp; chroot / true; mount -t tmpfs none /mnt; "


def denials(casemate, name):
    return json.loads(casemate.ok("inspect", "--format", "{{json .State.Denials}}", name))


def records(casemate, event="denial"):
    lines = casemate.ok("log", "show", "--format", "json").splitlines()
    return [record for record in map(json.loads, lines) if record["event"] == event]


@pytest.mark.row(62)
def test_row_62_a_denied_call_is_visible_with_who_and_how_often(casemate, busybox):
    done = casemate.run("run", "--name", "web", busybox, "sh", "-c", SWITCH + "mount -t tmpfs none /srv; echo out; exit 3")
    assert done.status == 3 and done.out == "out\n"
    told = [line for line in done.err.splitlines() if line.startswith("casemate: ")]
    assert told == [
        "casemate: practice 6: chown was refused (process chown, 1 time); --cap-add CHOWN would allow it",
        "casemate: practice 7: chroot was refused (process chroot, 1 time); --cap-add SYS_CHROOT would allow it",
        "casemate: practice 7: mount was refused (process mount, 2 times); --cap-add SYS_ADMIN would allow it, where the "
        "policy has allow-capability = CAP_SYS_ADMIN"], done.err
    assert done.err.splitlines()[-3:] == told  # the last that is said

    assert [(d["Call"], d["Count"], d["Process"], d["Practice"]) for d in denials(casemate, "web")] == [
        ("chown", 1, "chown", 6), ("chroot", 1, "chroot", 7), ("mount", 2, "mount", 7)]
    assert re.match(r"Exited \(3\) .* ago \(chown, chroot … refused\)$",
                    casemate.ok("ps", "-a", "--format", "{{.Status}}").strip())
    explained = casemate.ok("explain", "web", "--format", "{{.Practice}}|{{.State}}|{{.What}}|{{.Value}}").splitlines()
    assert "capabilities|refused|chown was refused (process chown, 1 time)|--cap-add CHOWN would allow it" in explained
    assert casemate.run("logs", "web").out == "out\n"
    assert "practice" not in casemate.run("logs", "web").err  # no terminal: nothing but the log

    noted = records(casemate)
    assert [(r["name"], r["practice"], r["what"]) for r in noted] == [
        ("web", 6, "chown by chown, 1 time"), ("web", 7, "chroot by chroot, 1 time"), ("web", 7, "mount by mount, 2 times")]
    told = casemate.ok("events", "--since", "1h", "--until", "0s", "-f", "event=denied", "--format",
                       "{{with .Actor.Attributes}}{{.name}} {{.practice}} {{.call}} {{.process}} {{.count}}{{end}}").splitlines()
    assert told == ["web 6 chown chown 1", "web 7 chroot chroot 1", "web 7 mount mount 2"]
    casemate.ok("ps", "-a")
    assert len(records(casemate)) == 3  # once for each run
    casemate.run("start", "-a", "web")
    assert len(records(casemate)) == 6
    assert denials(casemate, "web")[0]["Count"] == 1  # of the last run


@pytest.mark.row(62)
def test_row_62_told_while_it_runs_and_for_rm(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", SWITCH + "echo tried; sleep 100")
    wait.until(lambda: "tried" in casemate.ok("logs", "web"), what="the calls")
    assert [d["Call"] for d in denials(casemate, "web")] == ["chown", "chroot", "mount"]
    assert "refused" not in casemate.ok("ps", "--format", "{{.Status}}")
    casemate.ok("rm", "-f", "web")
    assert len(records(casemate)) == 3
    done = casemate.run("run", "--rm", busybox, "sh", "-c", "chown 5:5 /tmp; false")
    assert done.status == 1 and "--cap-add CHOWN would allow it" in done.err.splitlines()[-1]
    assert len(records(casemate)) == 4


def test_what_ends_well_says_nothing(casemate, busybox):
    done = casemate.run("run", "--rm", busybox, "sh", "-c", "chown 5:5 /tmp 2>/dev/null; chown 0:0 /tmp")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert [r["what"] for r in records(casemate)] == ["chown by chown, 1 time"]


def test_what_the_kernel_allows_is_no_denial(casemate, busybox):
    script = "chown 0:0 /tmp && chown -h 0 /tmp && touch /tmp/x && chown :0 /tmp/x && su root -c true; exit 1"
    casemate.run("run", "--name", "web", busybox, "sh", "-c", script)
    assert all(d["Call"] in ("setgroups",) for d in denials(casemate, "web")), denials(casemate, "web")
    casemate.ok("rm", "web")
    granted = casemate.run("run", "--name", "web", "--cap-add", "@switch-user", busybox, "sh", "-c",
                           "chown 5:5 /tmp && su app -s /bin/sh -c 'id -u'; exit 1")
    assert granted.out == "1000\n" and denials(casemate, "web") == []


def test_a_switch_of_user_names_the_grant(casemate, busybox):
    done = casemate.run("run", "--rm", busybox, "su", "app", "-s", "/bin/sh", "-c", "id")
    assert done.status != 0
    assert re.search(r"practice 6: set\w+(, set\w+)* w\w+ refused \(process su, \d+ times?\); --cap-add @switch-user or "
                     r"--user N would allow it$", done.err.strip()), done.err


def test_limits_are_told(casemate, busybox):
    done = casemate.run("run", "--rm", "--pids-limit", "4", busybox, "sh", "-c",
                        "for i in 1 2 3 4 5 6; do sleep 5 & done; wait; exit 2")
    assert done.status == 2
    assert re.search(r"practice 4: .*; the limit is 4: --pids-limit N sets another$", done.err.strip()), done.err
    done = casemate.run("run", "--rm", "--memory", "16m", busybox, "sh", "-c", "tail /dev/zero")
    assert done.status != 0
    assert "practice 4: the kernel ended a process for want of memory; the limit is 16 MiB: --memory SIZE" in done.err


def notice_process(casemate, name):
    """The child of the shim that is not the container's first process."""
    first = casemate.pid(name)
    shim = int(host.status_field(first, "PPid"))
    children = [pid for pid in host.pids() if host.status_field(pid, "PPid") == str(shim) and pid != first]
    assert len(children) == 1, children
    return shim, children[0]


def test_the_notice_process_has_nothing_but_its_work(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sleep", "100")
    shim, pid = notice_process(casemate, "web")
    held = {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)}
    own = os.path.join(casemate.root, "containers")
    assert {link for link in held if not link.startswith(own)} == {"/dev/null", "/proc", "anon_inode:seccomp notify"}
    assert not any("seccomp notify" in os.readlink("/proc/%d/fd/%s" % (shim, fd)) for fd in os.listdir("/proc/%d/fd" % shim))
    status = host.read("/proc/%d/status" % pid)
    assert re.search(r"^CapEff:\s*0+$", status, re.M) and re.search(r"^Seccomp:\s*2$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.M)
    casemate.ok("rm", "-f", "web")
    wait.until(lambda: not os.path.exists("/proc/%d" % pid) or "zombie" in (host.status_field(pid, "State") or "zombie"), what="its end")


def test_without_the_notice_process_nothing_is_allowed_and_nothing_hangs(casemate, busybox):
    casemate.ok("run", "-d", "--name", "web", busybox, "sh", "-c", "while :; do mount -t tmpfs n /mnt && echo weak; "
                "chown 5:5 /tmp && echo weak; unshare -U true && echo weak; chown 0:0 /tmp && echo turn; sleep 0.1; done")
    _, pid = notice_process(casemate, "web")
    wait.until(lambda: "turn" in casemate.ok("logs", "web"), what="a first turn")
    os.kill(pid, signal.SIGKILL)
    turns = casemate.ok("logs", "web").count("turn")
    wait.until(lambda: casemate.ok("logs", "web").count("turn") > turns + 3, what="turns without it")
    assert "weak" not in casemate.ok("logs", "web")
    assert "Function not implemented" in casemate.run("logs", "web").err
    # A process of exec is under the plain filter, which needs nobody.
    tried = casemate.run("exec", "web", "unshare", "-U", "true")
    assert tried.status != 0 and "Operation not permitted" in tried.err, tried.err
    casemate.ok("rm", "-f", "web")


def test_a_flood_of_denials_is_bounded(casemate, busybox):
    script = "mkdir /tmp/d; cd /tmp/d; i=0; while [ $i -lt 3000 ]; do : > f$i; i=$((i+1)); done; chown -R 5:5 /tmp/d; exit 1"
    done = casemate.run("run", "--name", "web", busybox, "sh", "-c", script + " 2>/dev/null")
    assert done.status == 1
    assert [(d["Count"], d["Process"]) for d in denials(casemate, "web")] == [(3001, "chown")]
    record, = (name for name in os.listdir(host_dir(casemate)) if name.startswith("denials"))
    assert os.path.getsize(os.path.join(host_dir(casemate), record)) == 160


def host_dir(casemate):
    identifier = casemate.ok("ps", "-a", "-q", "--no-trunc").strip()
    return os.path.join(casemate.root, "containers", identifier, "shim")


def test_run_offers_to_keep_the_grant_on_a_terminal(casemate, busybox):
    made = os.path.join(casemate.base, "conf.d")
    words = ("run", "--rm", busybox, "chown", "5:5", "/tmp")
    for answer in ("n\n", "\n", "yes please\n"):
        with casemate.pty(*words) as terminal:
            terminal.expect(r"give CAP_CHOWN to this image \(sha256:[0-9a-f]{12}\) from now on\? \[y/N\] ")
            terminal.send(answer)
            assert terminal.wait() == 1
        assert not os.path.exists(made)
    with casemate.pty(*words) as terminal:
        terminal.expect(r"\[y/N\] ")
        terminal.send("y\n")
        terminal.expect(r"written to \S*/conf.d/image-[0-9a-f]{12}.conf")
        assert terminal.wait() == 1
    done = casemate.run(*words)  # now without a flag
    assert (done.status, done.err) == (0, "")
    grants = records(casemate, "grant")
    assert grants[-1]["what"] == "capability CAP_CHOWN" and re.match(r"policy: image-[0-9a-f]{12}.conf:\d", grants[-1]["source"])


def test_run_asks_nobody_who_cannot_answer(casemate, busybox):
    done = casemate.run("run", "--rm", busybox, "chown", "5:5", "/tmp", input="y\n")
    assert done.status == 1 and "[y/N]" not in done.err
    assert not os.path.exists(os.path.join(casemate.base, "conf.d"))
