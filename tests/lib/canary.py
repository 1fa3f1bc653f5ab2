# SPDX-License-Identifier: Apache-2.0
"""A canary: things on the host that no container, image or archive may change, with a check that they did not."""
import os

from . import host

# Files through which a container could run code on the host, or become somebody there.
KERNEL = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
          "/proc/sys/kernel/hostname", "/proc/sys/kernel/poweroff_cmd", "/proc/sys/fs/binfmt_misc/status",
          "/sys/kernel/uevent_helper"]
HOST = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
        "/etc/ld.so.preload", "/root/.ssh/authorized_keys"]


class Canary:
    """`path` is a directory with files of every kind, owned by root, one of them secret ("secret", `word` inside)."""

    word = "canary-5f1c9f0e"

    def __init__(self, path, programs=()):
        self.path = str(path)
        self.programs = [str(p) for p in programs]
        self._make()
        self.before = self.state()

    def _make(self):
        os.makedirs(self.path + "/dir/deep")
        for name, mode in (("file", 0o644), ("secret", 0o600), ("dir/program", 0o755), ("dir/deep/open", 0o666)):
            with open(os.path.join(self.path, name), "w", encoding="utf-8") as f:
                f.write("%s %s\n" % (self.word, name))
            os.chmod(os.path.join(self.path, name), mode)
        os.symlink("../file", self.path + "/dir/link")
        os.mkfifo(self.path + "/fifo", 0o600)

    def state(self):
        """Everything watched, as name -> value."""
        state = dict(host.tree(self.path))
        for path in self.programs:
            state.update(host.tree(path))
        for path in KERNEL + HOST:
            state[path] = host.read(path, "absent")
        state["mount table"] = sorted(m[0] for m in host.mounts())
        return state

    def check(self):
        """Fails with what changed."""
        now = self.state()
        changed = ["%s: %s -> %s" % (name, self.before.get(name, "absent"), now.get(name, "absent"))
                   for name in sorted(self.before.keys() | now.keys()) if self.before.get(name) != now.get(name)]
        assert not changed, "the host was changed:\n" + "\n".join(changed)
