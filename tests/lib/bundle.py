# SPDX-License-Identifier: Apache-2.0
"""Bundles for the OCI runtime, and runtimes that run them: ours, and those that ours is compared with."""
import copy
import json
import os
import shutil
import subprocess

BUSYBOX = "/usr/bin/busybox" if os.path.exists("/usr/bin/busybox") else "/bin/busybox"
APPLETS = ["sh", "cat", "id", "ls", "mount", "sleep", "true", "false", "env", "pwd", "grep", "hostname", "touch", "stat", "ps", "tty", "kill", "head", "wc",
           "sort", "readlink", "mkdir", "test", "echo", "chmod", "dd", "sed", "date", "sysctl", "ip", "awk", "umask", "printf", "ln", "mv"]

# A container, and so its control group: several processes of tests may share the machine.
BOX = "box-" + os.urandom(4).hex()

# What `runc spec` gives, shortened: the same for every runtime.
CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"user": {"uid": 0, "gid": 0}, "args": ["true"], "env": ["PATH=/bin"], "cwd": "/",
                "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1000, "hard": 1000}], "noNewPrivileges": True},
    "root": {"path": "rootfs"},
    "hostname": "box",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {"namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")],
              "resources": {"devices": [{"allow": False, "access": "rwm"}]},
              "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"], "readonlyPaths": ["/proc/sys", "/proc/bus"]},
}


def make_rootfs(path):
    for name in ("bin", "etc", "proc", "dev", "sys", "tmp", "data/inner", "root"):
        os.makedirs(os.path.join(path, name))
    shutil.copy(BUSYBOX, os.path.join(path, "bin", "busybox"))
    for applet in APPLETS:
        os.symlink("busybox", os.path.join(path, "bin", applet))
    for name, text in (("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("data/file", "of the image\n"), ("data/inner/deep", "deep\n")):
        with open(os.path.join(path, name), "w", encoding="utf-8") as f:
            f.write(text)
    os.chmod(os.path.join(path, "tmp"), 0o1777)


def config(change=None):
    """A configuration; `change` is called with a copy of the common one."""
    document = copy.deepcopy(CONFIG)
    if change:
        change(document)
    return document


def ours(casemate, *options):
    """The build's runtime, with a bundle of its own below the installation's base."""
    base = os.path.join(casemate.base, "oci")
    os.makedirs(base)
    make_rootfs(os.path.join(base, "bundle", "rootfs"))
    return Runtime([casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime"), *options], base, casemate.env)


class Runtime:
    """One runtime with a state directory of its own."""

    def __init__(self, words, base, env=None):
        self.words, self.base, self.env = words, base, env
        self.bundle = os.path.join(base, "bundle")
        self.root = os.path.join(base, "state-" + os.path.basename(words[0]))
        self.made = set()

    def write(self, document):
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as f:
            f.write(document if isinstance(document, str) else json.dumps(document))

    def call(self, *args, log=None, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        logging = ["--log", log, "--log-format", "json"] if log else []
        more.setdefault("timeout", 60)
        return subprocess.run([*self.words, *logging, "--root", self.root, *[str(a) for a in args]], capture_output=True, text=True,
                              cwd=self.bundle, env=self.env, check=False, **more)

    def ok(self, *args, **more):
        done = self.call(*args, **more)
        assert done.returncode == 0, "%s: %d: %s" % (args, done.returncode, done.stderr)
        return done.stdout

    def run(self, document, name=BOX, **more):
        """(exit status, output) of `run`."""
        self.write(document)
        done = self.call("run", name, **more)
        self.call("delete", "--force", name)
        return done

    def create(self, document, name=BOX):
        """`create` with the container's streams at /dev/null: a pipe of ours would never end."""
        self.write(document)
        self.made.add(name)
        error = os.path.join(self.base, "create.err")
        with open(error, "w", encoding="utf-8") as f:
            done = subprocess.run([*self.words, "--root", self.root, "create", "--pid-file", os.path.join(self.base, "pid"), name],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=f, cwd=self.bundle, env=self.env, check=False)
        with open(error, encoding="utf-8") as f:
            return done.returncode, f.read()

    def state(self, name=BOX):
        return json.loads(self.ok("state", name))

    def clean(self):
        for name in self.made:
            self.call("delete", "--force", name)
