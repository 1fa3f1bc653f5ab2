# SPDX-License-Identifier: Apache-2.0
"""Times commands, several of them in turns, so that whatever else the machine does hits all of them alike."""
import math
import os
import subprocess
import threading
import time

NULL = ((os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0))


class Failed(Exception):
    """A command that should have succeeded did not; the text says which and why."""


class Command:
    """Words and an environment: something that can be run and timed."""

    def __init__(self, words, env):
        self.words, self.env = [str(w) for w in words], env

    def output(self, limit=300):
        """Runs it and returns its standard output; Failed when it does not succeed."""
        done = subprocess.run(self.words, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=limit, check=False)
        if done.returncode != 0:
            raise Failed("%s: status %d: %s" % (" ".join(self.words), done.returncode,
                                                (done.stderr or done.stdout).strip()[-600:]))
        return done.stdout

    def seconds(self):
        """Runs it once, from nothing to its end: spawned without a copy of this process, output thrown away."""
        begin = time.monotonic()
        pid = os.posix_spawn(self.words[0], self.words, self.env, file_actions=NULL)
        _, status = os.waitpid(pid, 0)
        took = time.monotonic() - begin
        if status != 0:
            self.output()
            raise Failed("%s: wait status %d, once" % (" ".join(self.words), status))
        return took


def in_turns(commands, count, before=None):
    """{name: [seconds, ...]} of `count` runs of each of {name: Command}, A B C A B C; the first of each is not counted.

    `before(name)` is called, untimed, before each run.
    """
    taken = {name: [] for name in commands}
    for turn in range(count + 1):
        for name, command in commands.items():
            if before:
                before(name)
            took = command.seconds()
            if turn > 0:
                taken[name].append(took)
    return taken


def at_once(commands, parallel):
    """Runs all of them, at most `parallel` at the same time. Returns the seconds until the last has ended."""
    waiting, failed = iter(commands), []
    lock = threading.Lock()

    def work():
        try:
            while not failed:
                with lock:
                    command = next(waiting, None)
                if command is None:
                    return
                command.seconds()
        except Failed as e:
            failed.append(e)

    threads = [threading.Thread(target=work) for _ in range(parallel)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.monotonic() - begin


def rates_in_turns(commands, runs, turns, parallel=2):
    """{name: [runs per second, ...]}, one for each turn: `parallel` are always under way, `runs` of each."""
    taken = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            count = parallel * runs
            taken[name].append(count / at_once([command] * count, parallel))
    return taken


def percentile(values, percent):
    """The smallest value that at least `percent` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
