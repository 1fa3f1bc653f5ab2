# SPDX-License-Identifier: Apache-2.0
"""Attached clients: input and its end, several at once, those that come and go."""
import os
import signal
import threading
import time

from lib import wait


def start(casemate, image, *options, script, name="web"):
    casemate.ok("run", "-d", "--name", name, *options, image, "sh", "-c", script)


def logs(casemate, name="web"):
    return casemate.ok("logs", name)


def test_input_and_its_end(casemate, busybox):
    """As `echo x | docker attach`: the end of input of one client does not end that of a container that was started without it."""
    start(casemate, busybox, "-i", script="while read -r line; do echo got $line; done; echo end")
    client = casemate.popen("attach", "web", stdin=-1)
    client.stdin.write(b"one\n")
    client.stdin.flush()
    assert client.stdout.readline() == b"got one\n"
    client.stdin.close()
    wait.until(lambda: logs(casemate) == "got one\n", what="the line in the log")
    assert client.poll() is None, "output is still relayed"
    other = casemate.popen("attach", "web", stdin=-1)
    other.stdin.write(b"two\n")
    other.stdin.flush()
    assert other.stdout.readline() == b"got two\n"
    assert client.stdout.readline() == b"got two\n", "every client sees all output"
    for process in (client, other):
        process.kill()
        process.wait()
    assert "Up" in casemate.ok("ps"), "it goes on without them"


def test_end_of_input_of_run(casemate, busybox):
    """The client of `run -i` is the one whose end of input is the container's."""
    result = casemate.run("run", "--rm", "-i", busybox, "sh", "-c", "cat; echo end", input="a\nb\n")
    assert (result.status, result.out) == (0, "a\nb\nend\n")


def test_end_of_input_of_start(casemate, busybox):
    casemate.ok("create", "-i", "--name", "web", busybox, "sh", "-c", "cat; echo end; exit 3")
    result = casemate.run("start", "-ai", "web", input="a\n")
    assert (result.status, result.out) == (3, "a\nend\n")


def test_half_closed_input_still_gets_all_output(casemate, busybox):
    size = 4 << 20
    result = casemate.run("run", "--rm", "-i", busybox, "sh", "-c", "wc -c; head -c %d /dev/zero" % size, input=b"x" * 70000,
                          text=False)
    assert result.status == 0 and result.out == b"70000\n" + bytes(size)


def test_streams_are_kept_apart(casemate, busybox):
    start(casemate, busybox, "-i", script="read x; echo out; echo err >&2; exit 5")
    result = casemate.run("attach", "web", input="go\n")
    assert (result.status, result.out, result.err) == (5, "out\n", "err\n")


def test_without_open_input(casemate, busybox):
    """A container without -i reads from /dev/null; the input of the client is not touched."""
    start(casemate, busybox, script="trap 'exit 0' TERM; cat; while true; do echo eof; sleep 0.1; done")
    client = casemate.popen("attach", "web", stdin=-1)
    assert client.stdout.readline() == b"eof\n", "its input has ended at once"
    client.send_signal(signal.SIGTERM)
    assert client.wait(wait.seconds(20)) == 0, "signals are passed on, the status is the container's"
    client.communicate()


def test_signals_are_not_passed_on_when_not_wanted(casemate, busybox):
    start(casemate, busybox, script="trap 'exit 9' TERM; while true; do echo on; sleep 0.1; done")
    client = casemate.popen("attach", "--no-stdin", "--sig-proxy=false", "web")
    assert client.stdout.readline() == b"on\n"
    client.terminate()
    assert client.wait(wait.seconds(20)) in (143, -15)
    client.communicate()
    assert "Up" in casemate.ok("ps")


def test_a_slow_client_loses_nothing(casemate, busybox):
    """Output is held back for one that does not read; the others wait for it."""
    start(casemate, busybox, script="while [ ! -e /go ]; do echo tick; sleep 0.05; done; echo go; seq 1 100000; exit 0")
    expected = "".join("%d\n" % n for n in range(1, 100001)).encode()
    slow = casemate.popen("attach", "--no-stdin", "web")
    fast = casemate.popen("attach", "--no-stdin", "web")
    for client in (slow, fast):
        assert client.stdout.readline() == b"tick\n"
    got = []
    reader = threading.Thread(target=lambda: got.append(fast.stdout.read()))
    reader.start()
    casemate.ok("exec", "web", "touch", "/go")
    first = slow.stdout.read(10)
    assert fast.poll() is None, "held back"
    rest = slow.stdout.read()
    reader.join()
    assert [process.wait(wait.seconds(30)) for process in (slow, fast)] == [0, 0]
    for out in (first + rest, got[0]):
        assert out.split(b"go\n", 1)[1] == expected
    for process in (slow, fast):
        process.stdout.close()
        process.stderr.close()


def test_rm_is_not_held_up_by_a_client_that_does_not_read(casemate, busybox):
    start(casemate, busybox, script="while true; do seq 1 100000; done")
    client = casemate.popen("attach", "--no-stdin", "web")
    assert client.stdout.read(10)
    client.send_signal(signal.SIGSTOP)
    log = casemate.ok("inspect", "--format", "{{.LogPath}}", "web").strip()

    def stands_still():
        size = os.stat(log).st_size
        time.sleep(0.3)
        return os.stat(log).st_size == size
    wait.until(stands_still, what="the container to be held back")
    casemate.ok("rm", "-f", "web", timeout=60)
    client.kill()
    client.communicate()


def test_many_clients(casemate, busybox):
    start(casemate, busybox, script="while [ ! -e /go ]; do echo tick; sleep 0.05; done; echo done; exit 6")
    clients = [casemate.popen("attach", "--no-stdin", "web") for _ in range(8)]
    for client in clients:
        assert client.stdout.readline() == b"tick\n"
    casemate.ok("exec", "web", "touch", "/go")
    for client in clients:
        out, _ = client.communicate(timeout=wait.seconds(20))
        assert client.returncode == 6 and out.endswith(b"done\n")


def test_detach_and_attach_again(casemate, busybox):
    with casemate.pty("run", "-it", "--name", "web", busybox, "sh") as terminal:
        terminal.expect("#|\\$")
        terminal.send("echo fir''st\r")
        terminal.expect("first")
        terminal.send("\x10\x11")
        assert terminal.wait() == 0
    with casemate.pty("attach", "web") as terminal:
        terminal.send("echo sec''ond\r")
        terminal.expect("second")
        terminal.send("exit 4\r")
        assert terminal.wait() == 4


def test_terminal_without_terminal(casemate, busybox):
    casemate.ok("run", "-d", "-it", "--name", "web", busybox, "sh")
    casemate.fails("attach", "web", input="x\n", says="the input device is not a TTY")
