# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation do what they say: ```console blocks, line by line, with the output that stands there."""
import os
import re
import subprocess

import pytest

from lib import casemate as casemate_module
from lib import wait

DOCS = os.path.join(casemate_module.REPOSITORY, "docs")
ANY = "…"


def files():
    found = [os.path.join(casemate_module.REPOSITORY, "README.md")]
    for where, _, names in os.walk(DOCS):
        found += [os.path.join(where, name) for name in names if name.endswith(".md")]
    return sorted(found)


def examples(path):
    """[(line number, command, [expected lines])] of one page, in order."""
    found, inside = [], False
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f.read().splitlines(), 1):
            if line.startswith("```"):
                inside = line == "```console"
            elif inside and line.startswith("$ "):
                found.append((number, line[2:], []))
            elif inside:
                assert found, "%s:%d: output without a command" % (path, number)
                found[-1][2].append(line)
    return found


def matches(expected, lines):
    """A line that is "…" stands for any number of lines, and within a line for any text."""
    pattern = "".join("(?:.*\n)*" if line.strip() == ANY else
                      ".*".join(re.escape(part) for part in line.split(ANY)) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in lines)) is not None


def test_the_comparison_can_fail():
    assert matches([], []) and matches(["a"], ["a"]) and matches([ANY], ["x", "y"]) and matches(["a " + ANY, ANY], ["a b"])
    for expected, lines in (([], ["a"]), (["a"], []), (["a"], ["b"]), (["a"], ["a", "b"]), (["a" + ANY], ["b"]), ([ANY, "b"], ["b", "c"])):
        assert not matches(expected, lines), (expected, lines)


def test_there_are_examples():
    assert sum(len(examples(path)) for path in files()) >= 20


@pytest.mark.parametrize("path", [path for path in files() if examples(path)],
                         ids=lambda path: os.path.relpath(path, casemate_module.REPOSITORY))
def test_examples(casemate, busybox, path):
    bin_dir = os.path.dirname(casemate.installation.binary)
    env = {**casemate.env, "PATH": bin_dir + ":" + casemate.env["PATH"], "HOME": casemate.base}
    for number, command, expected in examples(path):
        where = "%s:%d: %s" % (os.path.relpath(path, casemate_module.REPOSITORY), number, command)

        def run():
            done = subprocess.run(["bash", "-c", command], env=env, cwd=casemate.base, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=wait.seconds(60))
            return done.stdout.splitlines()

        lines = run()
        if command.startswith("casemate logs"):  # what was just started may not have written yet
            wait.until(lambda: matches(expected, run()), what=where)
        else:
            assert matches(expected, lines), "%s\nexpected: %s\ngot: %s" % (where, "\n".join(expected), "\n".join(lines))
