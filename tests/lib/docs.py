# SPDX-License-Identifier: Apache-2.0
"""The examples of a document. In Markdown a block is what is indented by four spaces, in a man page what is indented in its
section EXAMPLES. Remarks behind three or more spaces are not part of a command. In Markdown a comment above a block says more:

    <!-- file: NAME -->         the block is the content of a file that commands name
    <!-- not run: REASON -->    the block is for the reader only
"""
import collections
import re

Block = collections.namedtuple("Block", "line text file not_run")
DIRECTIVE = re.compile(r"<!-- (file|not run): (.+?) -->$")
REMARK = re.compile(r"\s{3,}\S.*$")
# A block that runs something of Casemate's, or reads what it wrote.
OURS = re.compile(r"^casemate |/var/lib/casemate/", re.MULTILINE)


def markdown_blocks(text):
    """All indented blocks; the comment may stand above an empty line."""
    blocks, said, lines, first = [], {}, [], 0
    for number, line in enumerate(text.splitlines() + ["end"], 1):
        if line.startswith("    "):
            first = first if lines else number
            lines.append(line[4:])
            continue
        if lines:
            blocks.append(Block(first, "\n".join(lines) + "\n", said.get("file"), said.get("not run")))
            said, lines = {}, []
        directive = DIRECTIVE.match(line)
        if directive:
            said = {directive[1]: directive[2]}
        elif line:
            said = {}
    return blocks


def _man_examples(text):
    return re.search(r"^# EXAMPLES\n(.*?)(?=^# |\Z)", text, re.MULTILINE | re.DOTALL)


def man_blocks(text):
    """What is indented in EXAMPLES; scdoc breaks a line at ++."""
    found = _man_examples(text)
    if not found:
        return []
    first = text.count("\n", 0, found.start(1)) + 1
    blocks = re.finditer(r"^\t(.+(?:\n.+)*)\n", found[1], re.MULTILINE)
    return [Block(first + found[1].count("\n", 0, b.start()), re.sub(r"\+\+$", "", b[1], flags=re.MULTILINE) + "\n", None, None)
            for b in blocks]


def man_literals(text):
    """What stands between ``` in EXAMPLES."""
    found = _man_examples(text)
    return re.findall(r"^```\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL) if found else []


def commands(block):
    """One line each; a block with a here-document is one command."""
    if "<<" in block.text:
        return [block.text]
    return [REMARK.sub("", line) for line in block.text.splitlines() if line and not line.startswith(" ")]
