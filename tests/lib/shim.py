# SPDX-License-Identifier: Apache-2.0
"""The real casemate-shim with a process of the test as its container, without an engine around it; and a client of its
socket that speaks the protocol of src/base/shimproto.h packet by packet."""
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import termios

from lib import casemate, wait

TTY, STDIN_OPEN, STDIN_ONCE, AWAIT_CLIENT = 1, 2, 4, 8
HELLO, WELCOME, STDIN, STDIN_END, RESIZE, STDOUT, STDERR, EXIT = range(1, 9)
WANT_STDIN, WANT_STDOUT, WANT_STDERR, WANT_ALL = 1, 2, 4, 7
DATA_MAX = 32768

SHIM_ID = 2147350000  # no account and no container has it
CONTAINER_ID = "c0ffee" + "0" * 58

PR_SET_PDEATHSIG = 1
F_SETPIPE_SZ, PIPE_SIZE = 1031, 256 << 10  # as src/engine/supervise.c has it


def program(name="casemate-shim"):
    """A helper of the build under test."""
    build = os.environ.get("CASEMATE_BUILD") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
    folder = {"casemate-shim": "shim", "casemate-init": "init"}[name]
    return os.path.abspath(os.path.join(build, "src", folder, name))


def _move(fds):
    """Puts descriptors at fixed numbers (number -> descriptor), whatever stands there now."""
    high = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for number, fd in fds.items()}
    for number, fd in high.items():
        os.dup2(fd, number, inheritable=True)
    os.closerange(max(fds) + 1, 256)


class Shim:
    """`run` is the container: an argv, or a function that is called in the forked child."""

    def __init__(self, run, flags=0, log_size=1 << 30, log_files=3, oom=None, oom_baseline=0, root=None, client=None,
                 setup=None, owned=False):
        self.owned = owned  # the shim may signal the container, as it may in life, where it owns its user namespace
        self.root = root or casemate.make_base("casemate-shim-")
        self.dir = os.path.join(self.root, "shim")
        self.exited = os.path.join(self.root, "exited")
        self.tty = bool(flags & TTY)
        for path in (self.dir, self.exited):
            os.makedirs(path, mode=0o700, exist_ok=True)
            os.chown(path, SHIM_ID, SHIM_ID)
        self.oom = os.path.join(self.root, "oom")
        with open(self.oom, "w", encoding="ascii") as f:
            f.write(oom or "")
        if setup:
            setup(self)
        record = os.path.join(self.dir, "exit.new")  # the engine takes its room before the start
        with open(record, "x", encoding="ascii"):
            pass
        subprocess.run(["fallocate", "--keep-size", "--length", "128", record], check=True)
        os.chown(record, SHIM_ID, SHIM_ID)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.path.join(self.dir, "attach.sock")
        if os.path.exists(path):
            os.unlink(path)
        self.listener.bind(path)
        self.listener.listen(16)
        self.lock = os.open(os.path.join(self.dir, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.first = None
        if client is not None:
            self.first = Client(self, client)
            flags |= AWAIT_CLIENT
        config = struct.pack("=II65s7xQII", 1, flags, CONTAINER_ID.encode(), log_size, log_files, oom_baseline)
        self.child_pid = None
        told, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(told)
                self._supervise(run, config, tell)
            finally:
                os._exit(99)
        os.close(tell)
        self.listener.close()
        os.close(self.lock)
        self.child_pid = int(os.read(told, 32) or b"0")
        os.close(told)
        self.status = None

    def _supervise(self, run, config, tell):
        null = os.open("/dev/null", os.O_RDWR)
        memory = os.memfd_create("config", os.MFD_ALLOW_SEALING)
        os.write(memory, config)
        if self.tty:
            master, slave = os.openpty()
            inner = (slave, slave, slave)
            outer = (master, null, null)
        else:
            (in_r, in_w), (out_r, out_w), (err_r, err_w) = os.pipe(), os.pipe(), os.pipe()
            for fd in (in_r, out_r, err_r):
                fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE)
            inner = (in_r, out_w, err_w)
            outer = (in_w, out_r, err_r)
        child = os.fork()
        if child == 0:
            self._contain(run, inner)
        os.write(tell, b"%d" % child)
        pidfd = os.pidfd_open(child)
        dirs = [os.open(p, os.O_RDONLY | os.O_DIRECTORY) for p in (self.dir, self.exited)]
        oom = os.open(self.oom, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.setgroups([])
        os.setresgid(SHIM_ID, SHIM_ID, SHIM_ID)
        os.setresuid(SHIM_ID, SHIM_ID, SHIM_ID)
        _move({3: memory, 4: pidfd, 5: self.lock, 6: dirs[0], 7: self.listener.fileno(), 8: outer[0], 9: outer[1],
               10: outer[2], 11: dirs[1], 12: oom, 13: null, 14: null, 15: null})
        os.execv(program(), ["casemate-shim"])

    def _contain(self, run, inner):
        try:
            os.setsid()
            if self.owned:
                os.setresuid(SHIM_ID, SHIM_ID, SHIM_ID)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            for number, fd in enumerate(inner):
                os.dup2(fd, number)
            os.closerange(3, 256)
            if self.tty:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for sig in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
                signal.signal(sig, signal.SIG_DFL)
            if callable(run):
                run()
                os._exit(0)
            os.execvp(run[0], run)
        finally:
            os._exit(98)

    def wait(self, limit=30):
        """Exit status of the shim itself."""
        def ended():
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None
        wait.until(ended, limit, "the shim ends")
        return self.status

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def record(self):
        """The fields of shim/exit as numbers: code, signal, oom, time, lost."""
        with open(os.path.join(self.dir, "exit"), encoding="ascii") as f:
            text = f.read()
        words = text.split(" ")
        assert text.endswith("\n") and words[:2] == ["casemate-exit", "1"] and len(words) == 7
        return [int(w) for w in words[2:]]

    def log_files(self):
        """Log files, oldest first."""
        folder = os.path.join(self.dir, "log")
        if not os.path.isdir(folder):  # the shim has not come so far
            return []
        names = sorted((n for n in os.listdir(folder) if n != "head"), key=lambda n: -int(n.partition(".")[2] or 0))
        return [os.path.join(folder, n) for n in names]

    def log(self):
        data = b""
        for path in self.log_files():
            with open(path, "rb") as f:
                data += f.read()
        return data

    def memory(self):
        """PSS of the shim in kB."""
        with open("/proc/%d/smaps_rollup" % self.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


class Client:
    def __init__(self, shim, want=WANT_ALL):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        here = os.open(shim.dir, os.O_PATH)
        self.sock.connect("/proc/self/fd/%d/attach.sock" % here)
        os.close(here)
        self.sock.settimeout(wait.seconds(30))
        self.exit = None
        self.welcome = None
        self.send(HELLO, struct.pack("=II", 1, want))

    def send(self, kind, payload=b""):
        self.sock.send(struct.pack("=HHI", kind, 0, len(payload)) + payload)

    def write(self, data):
        for at in range(0, len(data), DATA_MAX):
            self.send(STDIN, data[at:at + DATA_MAX])

    def resize(self, rows, columns):
        self.send(RESIZE, struct.pack("=HH", rows, columns))

    def receive(self):
        """The next packet as (type, payload); (None, b"") when the shim has closed."""
        try:
            packet = self.sock.recv(DATA_MAX + 64)
        except ConnectionResetError:
            packet = self.sock.recv(DATA_MAX + 64)
        if not packet:
            return None, b""
        kind, reserved, length = struct.unpack("=HHI", packet[:8])
        assert reserved == 0 and length == len(packet) - 8
        if kind == EXIT:
            self.exit = struct.unpack("=iiiiq", packet[8:])
        if kind == WELCOME:
            self.welcome = struct.unpack("=II", packet[8:])
        return kind, packet[8:]

    def read(self, kinds=(STDOUT,), until=None, take=None):
        """Bytes of these streams up to the end, or until `until` is among them; `take` gets each piece instead."""
        data = bytearray()
        while True:
            kind, payload = self.receive()
            if kind is None:
                assert until is None, "the shim closed before %r came; got %r" % (until, bytes(data))
                return bytes(data)
            if kind in kinds:
                if take:
                    take(payload)
                else:
                    data += payload
                    if until is not None and until in data:
                        return bytes(data)

    def close(self):
        self.sock.close()
