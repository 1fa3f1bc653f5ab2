# SPDX-License-Identifier: Apache-2.0
"""Commands in the documentation work: indented blocks, EXAMPLES of man pages, and their policies; those of one document in order
and in one data root. Examples with their output are in console blocks: test_doc_examples.py."""
import glob
import os

import pytest

from lib import docs, images
from lib.casemate import REPOSITORY, Terminal

READ = ["README.md", "SECURITY.md"] + sorted(
    os.path.relpath(path, REPOSITORY) for pattern in ("docs/*.md", "docs/practices/*.md", "docs/man/*.scd")
    for path in glob.glob(os.path.join(REPOSITORY, pattern)))

# Images that the documents name, here made of busybox: nothing is fetched.
SHELL_IMAGES = ["docker.io/library/debian:12"]
SERVICE_IMAGES = ["registry.example/web:1.4"]
SERVICE = {"Cmd": ["sh", "-c", "echo ready; exec sleep 1000"], "StopSignal": "SIGKILL"}


def text_of(name):
    with open(os.path.join(REPOSITORY, name), encoding="utf-8") as f:
        return f.read()


def blocks_of(name):
    blocks = docs.man_blocks(text_of(name)) if name.endswith(".scd") else docs.markdown_blocks(text_of(name))
    return [b for b in blocks if not b.not_run and (b.file or docs.OURS.search(b.text))]


@pytest.fixture
def typed(casemate):
    """Types a command as a reader would, with `casemate` and the images in place; `files` go to the working directory."""
    bash = images.Layer().file("bin/bash", "#!/bin/sh\nexec /bin/sh\n", mode=0o755)
    for reference in SHELL_IMAGES:
        casemate.load(images.busybox_image([bash], media=images.DOCKER), reference)
    for reference in SERVICE_IMAGES:
        casemate.load(images.busybox_image([bash], SERVICE, media=images.DOCKER), reference)
    work = os.path.join(casemate.base, "work")
    programs = os.path.join(casemate.base, "bin")
    for path in (work, programs):
        os.mkdir(path)
    os.symlink(casemate.installation.binary, os.path.join(programs, "casemate"))
    environment = {**casemate.env, "PATH": programs + ":" + casemate.env["PATH"]}

    def run(command, files):
        for name, content in files.items():
            with open(os.path.join(work, name), "w", encoding="utf-8") as f:
                f.write(content)
        here = "cd '%s' && " % work + command.replace("/var/lib/casemate", casemate.root)
        with Terminal(["/bin/bash", "-c", here], environment, size=(50, 200)) as terminal:
            if " -it " in command:
                terminal.expect(r"# ")
                terminal.send("exit\r")
            elif " logs -f " in command:
                terminal.expect("ready")
                terminal.send("\x03")
                return terminal.wait() - 130, terminal.shown.decode(errors="replace")
            return terminal.wait(60), terminal.shown.decode(errors="replace")
    return run


@pytest.mark.parametrize("name", [name for name in READ if any(not b.file for b in blocks_of(name))])
def test_examples_work(typed, name):
    blocks = blocks_of(name)
    files = {b.file: b.text for b in blocks if b.file}
    for block in blocks:
        for command in [] if block.file else docs.commands(block):
            status, shown = typed(command, files)
            assert status == 0, "%s:%d: %s: status %d: %s" % (name, block.line, command, status, shown[-2000:])


def test_policies_of_the_manual_are_taken(casemate):
    policies = docs.man_literals(text_of("docs/man/casemate.conf.5.scd"))
    words = ("run", "--rm", "-u", "1000", "casemate/hello", "true")
    for policy in policies:
        casemate.policy(policy)
        casemate.ok(*words)
    casemate.policy("".join(policies).replace(" = ", "-misspelt = "))
    casemate.fails(*words, says="misspelt")
    assert len(policies) >= 2


def test_examples_are_found():
    """In the documents, and in a text of which it is known what must be found."""
    assert len(docs.commands(blocks_of("README.md")[0])) >= 5
    assert blocks_of("docs/man/casemate-run.1.scd")
    text = ("    casemate one    remark\n    casemate two 'a  b'\n\nthen\n\n<!-- not run: why -->\n    casemate three\n\n"
            "<!-- file: x.json -->\n\n    {}\nend\n\n    casemate four\n")
    blocks = docs.markdown_blocks(text)
    assert [b.line for b in blocks] == [1, 7, 11, 14]
    assert docs.commands(blocks[0]) == ["casemate one", "casemate two 'a  b'"]
    assert [(b.file, b.not_run) for b in blocks] == [(None, None), (None, "why"), ("x.json", None), (None, None)]
    man = "# EXAMPLES\n\n\tcasemate a++\ncasemate b\n\n# SEE ALSO\n\n\tcasemate c\n"
    assert [docs.commands(b) for b in docs.man_blocks(man)] == [["casemate a", "casemate b"]]
