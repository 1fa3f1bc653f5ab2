# SPDX-License-Identifier: Apache-2.0
"""What a container that uses up all it can costs the one beside it: how long that one takes to answer, quiet and with each kind of
hostile neighbour (ATTACKS.md, GEN-forkbomb, -mem, -disk, -fd, -log)."""
import subprocess
import time

# What runs beside; each goes on until it is removed. The limits are those of a container without flags but for the first.
HOGS = {
    "a fork bomb": (["--pids-limit", "200"], ["sh", "-c", "f() { f | f & }; f; exec sleep 100000"]),
    "processor": ([], ["sh", "-c", "i=0; while [ $i -lt 8 ]; do (while :; do :; done) & i=$((i+1)); done; wait"]),
    "memory, ended and started again": (["--memory", "256m"], [
        "sh", "-c", "while :; do dd if=/dev/zero of=/dev/null bs=300M count=1 2>/dev/null; done"]),
    "tmpfs": ([], ["sh", "-c", "while :; do dd if=/dev/zero of=/dev/shm/x bs=1M count=60 2>/dev/null; rm /dev/shm/x; done"]),
    "writes to the disk": ([], ["sh", "-c", "while :; do dd if=/dev/zero of=/x bs=1M count=256 conv=fsync 2>/dev/null; done"]),
    "a flood of output": ([], ["sh", "-c", "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
}
ECHO = ["sh", "-c", "while read -r line; do echo \"$line\"; done"]


class Neighbour:
    """A process in the container `name` that answers each line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command.words, env=command.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0)
        self.answer()

    def answer(self):
        begin = time.monotonic()
        self.process.stdin.write(b"x\n")
        if self.process.stdout.readline() != b"x\n":
            raise RuntimeError("the neighbour does not answer")
        return time.monotonic() - begin

    def answers(self, count):
        """Seconds of each; a pause in between, so that the neighbour has to be woken."""
        taken = []
        for _ in range(count):
            taken.append(self.answer())
            time.sleep(0.002)
        return taken

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(engine, image, count):
    """{"quiet" or the hog's name: [seconds, ...]}"""
    result = {}
    engine.run_detached("perf-neighbour").output()
    neighbour = Neighbour(engine.command("exec", "-i", "perf-neighbour", *ECHO))
    try:
        result["quiet"] = neighbour.answers(count)
        for name, (flags, words) in HOGS.items():
            engine.command("run", "-d", "--name", "perf-hog", *flags, image, *words).output()
            time.sleep(1)
            result[name] = neighbour.answers(count)
            engine.remove("perf-hog").output()
    finally:
        neighbour.close()
        engine.remove("perf-neighbour").output()
    return result
