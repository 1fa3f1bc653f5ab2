# SPDX-License-Identifier: Apache-2.0
"""casemate logs and --log-driver, --log-opt: as Docker's are used, with real receivers."""
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

import pytest

from lib import wait

ID = re.compile(r"[0-9a-f]{64}")


def shim_log(casemate, name):
    where = casemate.ok("inspect", "-f", "{{.LogPath}}", name).strip()
    with open(where, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


# --- reading ---

def test_tail_since_until_and_timestamps(casemate, busybox):
    casemate.ok("run", "--name", "web", busybox, "sh", "-c", "echo one; echo two; sleep 0.3; echo three; echo four >&2")
    assert casemate.ok("logs", "-n", "2", "web") + casemate.run("logs", "web").err == "three\nfour\n"
    assert casemate.ok("logs", "--tail", "0", "web") == "" and casemate.ok("logs", "--tail", "-1", "web").count("\n") == 3
    stamped = [line.split(" ", 1) for line in casemate.ok("logs", "-t", "web").splitlines()]
    assert [text for _, text in stamped] == ["one", "two", "three"]
    third = stamped[2][0]
    assert casemate.ok("logs", "--since", third, "web") == "three\n"
    assert casemate.ok("logs", "--until", stamped[1][0], "web") == "one\ntwo\n"
    assert casemate.ok("logs", "--since", "10m", "--until", "1h", "web") == ""
    assert casemate.ok("logs", "--since", "%d" % (time.time() - 600), "web") == "one\ntwo\nthree\n"


def test_follow_over_rotation_and_restart(casemate, busybox):
    script = "echo begin; i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done; read x </tmp/go; echo end; exit 1"
    casemate.ok("run", "-d", "--name", "web", "--restart", "on-failure:1", "--log-opt", "max-size=16k", "--log-opt",
                "max-file=20", busybox, "sh", "-c", "mkfifo /tmp/go 2>/dev/null; " + script)
    follower = casemate.popen("logs", "-f", "web")
    for run in (1, 2):
        wait.until(lambda n=run: casemate.ok("logs", "web").count("line 399\n") == n, 20, "the script waits")
        casemate.ok("exec", "web", "sh", "-c", "echo >/tmp/go")
    out, err = follower.communicate(timeout=wait.seconds(30))
    expected = ["begin", *["line %d" % i for i in range(400)], "end"]
    assert out.decode().splitlines() == 2 * expected and err == b""
    assert follower.returncode == 0
    assert casemate.ok("logs", "web").splitlines() == 2 * expected


def test_tail_of_one_who_writes_faster_than_anybody_reads(casemate, busybox):
    """So many lines as were asked for, one after the other, and an end; over rotations, too."""
    casemate.ok("run", "-d", "--name", "web", "--log-opt", "max-size=64k", "--log-opt", "max-file=3", busybox, "seq", "1000000000")
    wait.until(lambda: len(casemate.ok("logs", "--tail", "5", "web").split()) == 5, what="five lines")
    for wanted in (1, 10, 500):
        numbers = [int(line) for line in casemate.ok("logs", "--tail", wanted, "web").split()]
        assert len(numbers) <= wanted and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    casemate.ok("rm", "-f", "web")


def test_details_show_what_the_options_name(casemate, busybox):
    casemate.ok("run", "--name", "web", "-l", "team=blue", "-l", "x=1", "-e", "STAGE=test", "-e", "SECRET=no", "--log-opt",
                "labels=team", "--log-opt", "env-regex=^STA", "--log-opt", "tag={{.Name}}/{{.ImageName}}", busybox, "echo", "hello")
    assert casemate.ok("logs", "--details", "web") == "tag=web/%s,team=blue,STAGE=test hello\n" % busybox
    assert shim_log(casemate, "web")[0]["attrs"] == {"tag": "web/" + busybox, "team": "blue", "STAGE": "test"}
    assert "intact" in casemate.ok("log", "verify", "web")


def test_unknown_words_are_named(casemate, busybox):
    for words, says in ((["--log-driver", "gelf"], "log driver 'gelf' is not known: json-file"),
                        (["--log-opt", "max-sice=1m"], "unknown log opt 'max-sice' for json-file log driver; there are: max-size"),
                        (["--log-driver", "none", "--log-opt", "max-size=1m"], "unknown log opt 'max-size' for none"),
                        (["--log-opt", "max-size"], "not KEY=VALUE"), (["--log-opt", "max-size=x"], "max-size"),
                        (["--log-opt", "max-file=0"], "a number of 1 to 64"), (["--log-opt", "mode=fast"], "none of blocking"),
                        (["--log-opt", "max-buffer-size=1m"], "max-buffer-size is for mode=non-blocking"),
                        (["--log-driver", "local", "--log-opt", "tag={{.Foo}}"], "{{.Foo}} is none of .ID"),
                        (["--log-opt", "labels-regex=["], "no regular expression"),
                        (["--log-driver", "syslog", "--log-opt", "syslog-address=udp://1.2.3.4"], "only unix:///PATH"),
                        (["--log-opt", "max-size=-1"], "every log has a size")):
        casemate.fails("run", "--rm", *words, busybox, "true", status=125, says=re.escape(says))


def test_driver_none_keeps_nothing_and_says_so(casemate, busybox):
    assert casemate.ok("run", "--name", "web", "--log-driver", "none", busybox, "echo", "shown") == "shown\n"
    casemate.fails("logs", "web", status=1, says="configured logging driver does not support reading: none")
    assert not os.path.exists(casemate.ok("inspect", "-f", "{{.LogPath}}", "web").strip())
    assert casemate.ok("inspect", "-f", "{{.HostConfig.LogConfig.Type}}", "web") == "none\n"


def test_driver_local_and_policy(casemate, busybox):
    casemate.policy('[practice "files"]\nlog-driver = local\nlog-size = 8k\nlog-files = 2\n')
    casemate.ok("run", "--name", "web", busybox, "seq", "1", "1000")
    where = os.path.dirname(casemate.ok("inspect", "-f", "{{.LogPath}}", "web").strip())
    assert sorted(os.listdir(where)) == ["head", "log", "log.1"]
    assert all(os.path.getsize(os.path.join(where, n)) <= 8192 for n in os.listdir(where))
    assert casemate.ok("logs", "web").splitlines()[-1] == "1000"


# --- journal and syslog ---

class Receiver(socket.socket):
    path = None


@pytest.fixture
def receiver(casemate):
    """A datagram socket as a syslog or journal service has; the path is one that any policy of mounts allows."""
    path = os.path.join(casemate.base, "receiver")
    made = Receiver(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(path)
    made.settimeout(wait.seconds(20))
    made.path = path
    yield made
    made.close()


def syslog(receiver, *more):
    return ["--log-driver", "syslog", "--log-opt", "syslog-address=unix://" + receiver.path, *more]


def test_syslog_formats(casemate, busybox, receiver):
    for form, pattern in (("rfc3164", r"<158>\w{3} [ \d]\d \d\d:\d\d:\d\d web\[\d+\]: it's <b>$"),
                          ("rfc5424", r"<158>1 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ web \d+ web - it's <b>$"),
                          ("rfc5424micro", r"<158>1 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z \S+ web \d+ web - it's <b>$")):
        casemate.ok("run", "--rm", *syslog(receiver, "--log-opt", "syslog-format=" + form, "--log-opt", "syslog-facility=local3",
                                           "--log-opt", "tag=web"), busybox, "echo", "it's <b>")
        assert re.fullmatch(pattern, receiver.recv(65536).decode())


def test_syslog_presses_back_and_loses_nothing(casemate, busybox, receiver):
    casemate.ok("run", "-d", "--name", "web", *syslog(receiver), busybox, "seq", "1", "20000")
    got = [receiver.recv(65536) for _ in range(20000)]
    assert [int(m.rpartition(b": ")[2]) for m in got] == list(range(1, 20001))
    casemate.ok("wait", "web")
    assert casemate.ok("logs", "web").count("\n") == 20000


def test_mode_drop_passes_over_a_receiver_that_does_not_take_it(casemate, busybox, receiver):
    casemate.ok("run", "--name", "web", *syslog(receiver, "--log-opt", "mode=drop"), busybox, "seq", "1", "20000")
    assert casemate.ok("logs", "web").count("\n") == 20000
    unsent = sum(record.get("unsent", 0) for record in shim_log(casemate, "web"))
    receiver.setblocking(False)
    got = 0
    while select.select([receiver], [], [], 0)[0]:
        got += len(receiver.recv(65536).rpartition(b": ")[2]) + 1
    assert unsent > 0 and got + unsent == len("".join("%d\n" % i for i in range(1, 20001)))
    assert "intact" in casemate.ok("log", "verify", "web")


def test_receiver_that_goes_away_does_not_hold_the_container_up(casemate, busybox, receiver):
    casemate.ok("run", "-d", "--name", "web", *syslog(receiver), busybox, "sh", "-c", "echo a; read x </tmp/go; echo b; mkfifo /tmp/x")
    assert receiver.recv(65536).endswith(b": a")
    receiver.close()
    casemate.run("exec", "web", "sh", "-c", "echo >/tmp/go")
    casemate.ok("wait", "web")
    assert "a\n" in casemate.ok("logs", "web")


def test_no_receiver_is_an_error_before_the_start(casemate, busybox):
    casemate.fails("run", "--rm", "--log-driver", "syslog", "--log-opt", "syslog-address=unix:///nowhere/log", busybox, "true",
                   status=125, says="no syslog on this machine can be reached at /nowhere/log .*--log-driver json-file")
    if not os.path.exists("/run/systemd/journal/socket"):
        casemate.fails("run", "--rm", "--log-driver", "journald", busybox, "true", status=125, says="no journal on this machine")


def journal_fields(data):
    """The native protocol of the journal: a list of (key, bytes)."""
    fields, at = [], 0
    while at < len(data):
        line, _, _ = data[at:].partition(b"\n")
        at += len(line) + 1
        key, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", data[at:at + 8])[0]
            value, at = data[at + 8:at + 8 + size], at + 8 + size + 1
        fields.append((key.decode(), value))
    return fields


def test_journal_protocol(casemate, busybox):
    """In a mount namespace of its own, where /run/systemd/journal/socket is ours."""
    path = os.path.join(casemate.base, "journal")
    os.mkdir(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path + "/socket")
        receiver.settimeout(wait.seconds(20))
        script = 'mkdir -p /run/systemd; mount -t tmpfs none /run/systemd; mkdir /run/systemd/journal; ' \
            'mount --bind "$1" /run/systemd/journal; shift; "$@"; exit $?'
        command = casemate._words(["run", "--name", "web", "-l", "a-b=c\nMESSAGE=forged", "--log-driver", "journald", "--log-opt",
                                   "labels=a-b", "--log-opt", "tag=T", busybox, "sh", "-c",
                                   "echo 'PRIORITY=0'; echo error >&2"])
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", path, *command],
                              env=casemate.env, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        both = {dict(fields)["MESSAGE"]: fields for fields in (journal_fields(receiver.recv(65536)) for _ in range(2))}
    fields = both[b"PRIORITY=0"]
    container = casemate.ok("inspect", "-f", "{{.Id}}", "web").strip().encode()
    assert fields == [("CONTAINER_ID", container[:12]), ("CONTAINER_ID_FULL", container), ("CONTAINER_NAME", b"web"),
                      ("CONTAINER_TAG", b"T"), ("SYSLOG_IDENTIFIER", b"T"), ("IMAGE_NAME", busybox.encode()),
                      ("A_B", b"c\nMESSAGE=forged"), ("PRIORITY", b"6"), ("MESSAGE", b"PRIORITY=0")]
    assert dict(both[b"error"])["PRIORITY"] == b"3"
    assert casemate.run("logs", "web") == (0, "PRIORITY=0\n", "error\n")


JOURNALD = r"""
mkdir -p /run/systemd /run/log
mount -t tmpfs none /run/systemd && mount -t tmpfs none /run/log || exit
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToWall=no\nRateLimitBurst=0\n' >/run/systemd/journald.conf.d/test.conf
/lib/systemd/systemd-journald </dev/null >/dev/null 2>&1 &
until [ -S /run/systemd/journal/socket ]; do kill -0 $! || exit; sleep 0.05; done
"$@" || exit
for i in $(seq 200); do
    journalctl -q -D /run/log/journal/* -o json --no-pager CONTAINER_TAG=web >/run/log/shown
    grep -q '"300"' /run/log/shown && break
    sleep 0.05
done
cat /run/log/shown
kill $!
wait
"""


def test_journald_gets_it(casemate, busybox):
    """A real one, in a mount namespace of its own."""
    if not os.path.exists("/lib/systemd/systemd-journald") or not os.path.exists("/etc/machine-id"):
        pytest.skip("systemd-journald is not installed (package systemd)")
    command = casemate._words(["run", "--rm", "--name", "box", "--log-driver", "journald", "--log-opt", "tag=web", "-l", "team=a\nMESSAGE=forged",
                               "--log-opt", "labels=team", busybox, "sh", "-c", "printf 'two\\001 bytes\\n'; echo error >&2; seq 1 300"])
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", JOURNALD, "bash", *command], env=casemate.env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=wait.seconds(60), check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0 and len(lines) == 302, done
    shown = {bytes(line["MESSAGE"]).decode() if isinstance(line["MESSAGE"], list) else line["MESSAGE"]: line for line in lines}
    assert set(shown) == {"two\1 bytes", "error", *[str(n) for n in range(1, 301)]}
    assert shown["error"]["PRIORITY"] == "3" and shown["7"]["PRIORITY"] == "6"
    assert shown["7"]["CONTAINER_NAME"] == "box" and shown["7"]["IMAGE_NAME"] == busybox and shown["7"]["TEAM"] == "a\nMESSAGE=forged"
    assert [line["MESSAGE"] for line in lines if line["MESSAGE"] in ("1", "2", "300")] == ["1", "2", "300"]


def test_rsyslogd_gets_it(casemate, busybox):
    program = "/usr/sbin/rsyslogd"
    if not os.path.exists(program):
        pytest.skip("rsyslogd is not installed (package rsyslog)")
    path, out, conf = (os.path.join(casemate.base, name) for name in ("rsyslog", "out", "conf"))
    with open(conf, "w", encoding="ascii") as f:
        f.write('module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="%s")\n'
                'template(name="t" type="string" string="%%syslogfacility-text%%.%%syslogseverity-text%% %%programname%% %%msg%%\\n")\n'
                '*.* action(type="omfile" file="%s" template="t")\n' % (path, out))
    server = subprocess.Popen([program, "-n", "-f", conf, "-i", "NONE"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait.until(lambda: os.path.exists(path), what="rsyslogd listens")
        casemate.ok("run", "--rm", "--log-driver", "syslog", "--log-opt", "syslog-address=unix://" + path, "--log-opt", "tag=web",
                    busybox, "seq", "1", "300")
        def lines():
            with open(out, encoding="utf-8") as f:
                return f.read().splitlines()
        wait.until(lambda: os.path.exists(out) and len(lines()) == 300, what="all lines are there")
        assert [line.split() for line in lines()] == [["daemon.info", "web", str(i)] for i in range(1, 301)]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(wait.seconds(20))
