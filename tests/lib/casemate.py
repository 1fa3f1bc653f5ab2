# SPDX-License-Identifier: Apache-2.0
"""The binary under test: run apart from an installed Casemate, with a data root of its own, and nothing left behind."""
import collections
import glob
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from . import host, wait
from . import user as user_module

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("CASEMATE_BUILD", os.path.join(REPOSITORY, "build"))
CACHE = os.environ.get("CASEMATE_TEST_CACHE", os.path.join(REPOSITORY, ".cache"))

# Every directory that make_base has made; at the end of the suite none may be there (lib/leftovers.py).
MADE = []

Result = collections.namedtuple("Result", "status out err")

REPORT = re.compile(r"==ERROR: \w+Sanitizer|\.[ch]:\d+:\d+: runtime error: ")


def refuse_report(text):
    """A worker can open no file in its sandbox: it writes what a sanitizer finds to the standard error of the command."""
    if "ASAN_OPTIONS" in os.environ:
        text = text.decode(errors="replace") if isinstance(text, bytes) else text
        assert not REPORT.search(text), "a sanitizer reports: " + text[-3000:]


def make_base(prefix="casemate-test-"):
    """A directory that helpers with an id of their own can reach; not on tmpfs, which 6.1 cannot map ids on."""
    base = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("CASEMATE_TEST_DIR", "/var/tmp"))
    os.chmod(base, 0o755)
    MADE.append(base)
    return base


def group_name(rundir):
    """Of the group above all containers of a run directory, as engine/observe.c has it."""
    return "casemate-" + hashlib.sha256(rundir.encode()).hexdigest()[:8]


def groups_of(rundir):
    """The groups of a run directory in every hierarchy."""
    parent = group_name(rundir)
    roots = [host.CGROUP_ROOT, *glob.glob(host.CGROUP_ROOT + "/*")]
    return sorted(path for path in (os.path.join(root, parent) for root in roots) if os.path.isdir(path))


def uid_of(pid):
    """Real uid of a process of the host; -1 when it is gone."""
    return int((host.status_field(pid, "Uid") or "-1").split()[0])


class Installation:
    """The build, installed below a directory (meson's DESTDIR), or what CASEMATE_BIN and CASEMATE_LIBEXEC name."""

    def __init__(self, base):
        self.base = base
        if "CASEMATE_BIN" in os.environ:
            self.binary = os.environ["CASEMATE_BIN"]
            self.libexec = os.environ.get("CASEMATE_LIBEXEC")
            self.data = os.environ.get("CASEMATE_DATADIR")
            self.programs = [self.binary] + ([self.libexec] if self.libexec else [])
            return
        stage = os.path.join(base, "stage")
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", stage],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, "meson install: " + done.stdout[-1000:] + done.stderr[-1000:]
        self.programs = [stage]
        self.binary = self._find(stage, "bin/casemate")
        self.libexec = self._find(stage, "libexec/casemate")
        self.data = self._find(stage, "share/casemate")

    @staticmethod
    def _find(stage, tail):
        for where, dirs, files in os.walk(stage):
            for name in dirs + files:
                path = os.path.join(where, name)
                if path.endswith("/" + tail):
                    return path
        return None


class Casemate:
    """One data root. `run` gives a Result; `ok` insists on success; `fails` insists on a one-line error. `user`: who types
    (lib/user.py), by default whom the environment names, else root."""

    def __init__(self, installation, base, user=None):
        self.installation, self.base = installation, base
        self.user = user or user_module.chosen()
        if self.user == user_module.ROOT:
            self.user = None
        if self.user:
            os.chown(base, self.user.uid, self.user.uid)
        self.root, self.rundir = os.path.join(base, "root"), os.path.join(base, "run")
        self.conf = os.path.join(base, "casemate.conf")
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": base,
                    "TERM": "xterm", "LC_ALL": "C.UTF-8", "CASEMATE_ROOT": self.root, "CASEMATE_RUN": self.rundir,
                    "CASEMATE_CONF": self.conf}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        if installation.libexec:
            self.env["CASEMATE_LIBEXEC"] = installation.libexec
        if installation.data:
            self.env["CASEMATE_DATADIR"] = installation.data

    def policy(self, text):
        """Writes the policy file of this data root."""
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def _words(self, args):
        return [self.installation.binary, *[str(a) for a in args]]

    def popen(self, *args, env=None, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        if self.user:
            more = {"user": self.user.uid, "group": self.user.uid, "extra_groups": [], **more}
        return subprocess.Popen(self._words(args), env={**self.env, **(env or {})}, **more)

    def run(self, *args, input=None, timeout=60, text=True, **more):
        """Runs `casemate ARGS`; input and output are text unless text=False."""
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        process = self.popen(*args, stdin=stdin, **more)
        try:
            data = input.encode() if isinstance(input, str) else input
            out, err = process.communicate(data, wait.seconds(timeout))
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError("casemate %s: not done after %g s; stdout %r, stderr %r"
                                 % (" ".join(map(str, args)), wait.seconds(timeout), out[-500:], err[-500:]))
        refuse_report(err)
        if text:
            out, err = out.decode(errors="replace"), err.decode(errors="replace")
        return Result(process.returncode, out, err)

    def ok(self, *args, **more):
        """stdout of a command that must succeed."""
        result = self.run(*args, **more)
        assert result.status == 0, "casemate %s: status %d: %s" % (" ".join(map(str, args)), result.status,
                                                                   result.err[-2000:])
        return result.out

    def fails(self, *args, status=None, says=None, **more):
        """stderr of a command that must fail with exactly one line, which matches the regular expression `says`."""
        result = self.run(*args, **more)
        shown = "casemate %s: status %d, stderr %r" % (" ".join(map(str, args)), result.status, result.err[-2000:])
        assert result.status != 0 if status is None else result.status == status, shown
        assert result.status > 0, "ended by a signal: " + shown
        assert len(result.err.strip().splitlines()) == 1, "not one line: " + shown
        assert says is None or re.search(says, result.err), "does not say %r: %s" % (says, shown)
        return result.err

    def pty(self, *args, size=(24, 80), **more):
        return Terminal(self._words(args), {**self.env, **more.get("env", {})}, size, self.user)

    def pid(self, container):
        """Host id of the first process of a container, as `inspect` says."""
        return int(self.ok("inspect", "--format", "{{.State.Pid}}", container).strip())

    def load(self, image, reference):
        """Loads an image made by lib.images under `reference`, without a registry."""
        from . import images
        path = os.path.join(self.base, "load-%s.tar" % image.digest[7:19])
        try:
            if image.media == images.DOCKER:
                images.write_docker_archive(path, image, [reference])
            else:
                images.write_oci_archive(path, image, reference)
            return self.ok("load", "-i", path, timeout=120)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    # What must not be left.

    def _processes(self):
        """Processes that run one of our programs with this data root, or sit in a cgroup of ours."""
        found = []
        groups = {os.path.basename(path) for path in groups_of(self.rundir)}
        for pid in host.pids():
            program = host.exe(pid).replace(" (deleted)", "")
            ours = any(program.startswith(p) for p in self.installation.programs)
            if ours and self.rundir in host.read("/proc/%d/environ" % pid):
                found.append(pid)
            elif self.user and self.user.first <= uid_of(pid) < self.user.first + self.user.count:
                found.append(pid)
            elif any(c in path for path in host.cgroup_of(pid).values() for c in groups):
                found.append(pid)
        return found

    @staticmethod
    def _empty_parent(path):
        """The group above all containers stays between runs, and that of shims, with nothing in them: here they are taken away."""
        try:
            if os.path.isdir(path + "/shims"):
                os.rmdir(path + "/shims")
            os.rmdir(path)
        except OSError:
            return False
        return True

    def leftovers(self):
        """What is left of this data root on the host, as lines; empty when it is clean."""
        left = ["process %d: %s" % (pid, host.command(pid)) for pid in self._processes()]
        left += ["mount " + m[0] for m in host.mounts() if m[0].startswith(self.base + "/")]
        left += ["cgroup " + path for path in groups_of(self.rundir) if not self._empty_parent(path)]
        for name in ("ids", "exited"):
            directory = os.path.join(self.rundir, name)
            if os.path.isdir(directory):
                left += ["%s/%s" % (name, entry) for entry in os.listdir(directory) if entry != "next"]
        for name in ("containers", "names"):
            directory = os.path.join(self.root, name)
            if os.path.isdir(directory):
                left += ["%s/%s" % (name, entry) for entry in os.listdir(directory)]
        return left

    def remove_containers(self):
        listed = self.run("ps", "-a", "-q", timeout=30)
        if listed.status == 0 and listed.out.split():
            self.run("rm", "-f", *listed.out.split(), timeout=120)

    def assert_clean(self):
        end = time.monotonic() + wait.seconds(5)
        while (left := self.leftovers()) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left, "left behind:\n" + "\n".join(left)

    def destroy(self):
        """The end of a test: removes the containers, the data, and fails if anything stayed behind."""
        try:
            if os.path.isdir(self.root):
                self.remove_containers()
            self.assert_clean()
        finally:
            self._kill_rest()
            shutil.rmtree(self.base, ignore_errors=True)

    def _kill_rest(self):
        for pid in self._processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Terminal:
    """A command on a terminal of its own: send() types, expect() waits for a regular expression in what was shown."""

    def __init__(self, words, env, size=(24, 80), user=None):
        self.shown = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if user:
                os.fchown(0, user.uid, -1)
                os.setgroups([])
                os.setresgid(user.uid, user.uid, user.uid)
                os.setresuid(user.uid, user.uid, user.uid)
            os.execve(words[0], words, env)
        self.resize(*size)

    def resize(self, rows, columns):
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def _read(self, limit):
        """Reads what is there within `limit` seconds; False at the end of the terminal."""
        ready, _, _ = select.select([self.fd], [], [], limit)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.shown += data
        return bool(data)

    def expect(self, pattern, limit=20):
        """The match; what came before and with it is taken out of `shown`."""
        regex = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        end = time.monotonic() + wait.seconds(limit)
        more = True
        while True:
            match = regex.search(self.shown)
            if match:
                self.shown = self.shown[match.end():]
                return match
            assert more and time.monotonic() < end, "expected %r, the terminal shows %r" % (pattern, self.shown[-2000:])
            more = self._read(0.1)

    def wait(self, limit=20):
        """The exit status (128+N after signal N)."""
        end = time.monotonic() + wait.seconds(limit)
        while self.status is None:
            self._read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
            elif time.monotonic() > end:
                raise AssertionError("still running; the terminal shows %r" % self.shown[-2000:])
        while self._read(0) and select.select([self.fd], [], [], 0)[0]:
            pass
        refuse_report(self.shown)
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
