# SPDX-License-Identifier: Apache-2.0
"""The chain of a container's log (src/base/logchain.h), computed once more from its description alone."""
import hashlib
import json
import os
import re

LINE = re.compile(rb'\{"log":"((?:[^"\\]|\\.)*)(".*),"chain":"(\d+):([0-9a-f]{64})"\}\n')
PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
MASK = 0xffffffff


def _root_bits(n, power):
    """The first 32 bits of the fraction of a root, exactly: FIPS 180-4, 4.2.2."""
    scaled = n << (32 * power)
    low = int(round(scaled ** (1.0 / power)))
    while low ** power > scaled:
        low -= 1
    while (low + 1) ** power <= scaled:
        low += 1
    return low & MASK


CONSTANTS = [_root_bits(p, 3) for p in PRIMES[:64]]


def _rotate(x, n):
    return (x >> n | x << (32 - n)) & MASK


def _compress(state, block):
    w = [int.from_bytes(block[i:i + 4], "big") for i in range(0, 64, 4)]
    for i in range(16, 64):
        s0 = _rotate(w[i - 15], 7) ^ _rotate(w[i - 15], 18) ^ w[i - 15] >> 3
        s1 = _rotate(w[i - 2], 17) ^ _rotate(w[i - 2], 19) ^ w[i - 2] >> 10
        w.append((w[i - 16] + s0 + w[i - 7] + s1) & MASK)
    a, b, c, d, e, f, g, h = state
    for k, x in zip(CONSTANTS, w):
        one = h + (_rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)) + (e & f ^ ~e & g) + k + x
        two = (_rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (one + two) & MASK, a, b, c, (d + one) & MASK, e, f, g
    return [(x + y) & MASK for x, y in zip(state, (a, b, c, d, e, f, g, h))]


def following(hexhash, data):
    """SHA-256 of data with the hash before as its initial value."""
    state = [int(hexhash[i:i + 8], 16) for i in range(0, 64, 8)]
    data += b"\x80" + b"\0" * (-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    for at in range(0, len(data), 64):
        state = _compress(state, data[at:at + 64])
    return "".join("%08x" % x for x in state)


def beginning(container):
    return hashlib.sha256(b"casemate container log 1\n" + container.encode()).hexdigest()


def files(directory):
    """Log files, oldest first."""
    names = sorted((n for n in os.listdir(directory) if re.fullmatch(r"log(\.\d+)?", n)),
                   key=lambda n: -int(n.partition(".")[2] or 0))
    return [os.path.join(directory, n) for n in names]


def head(directory):
    """(origin, number and hash in front of the first record, number and hash of the last one)"""
    with open(os.path.join(directory, "head"), encoding="ascii") as f:
        text = f.read()
    assert len(text) == 192 and text.endswith("\n")
    word, version, origin, *rest = text.split()
    assert (word, version) == ("casemate-log", "1")
    return int(origin), int(rest[0]), rest[1], int(rest[2]), rest[3]


def check(directory, container):
    """Follows the whole chain; the records as (number, text)."""
    _, number, last, end, end_hash = head(directory)
    if number == 0:
        assert last == beginning(container)
    records = []
    for path in files(directory):
        tail = None
        with open(path, "rb") as f:
            for line in f:
                match = LINE.fullmatch(line)
                assert match, line
                number += 1
                last = following(last, match[1] + (b"" if match[2] == tail else match[2]))
                tail = match[2]
                assert int(match[3]) == number and match[4].decode() == last, (path, line)
                records.append((number, json.loads(line)["log"]))
    assert (number, last) == (end, end_hash)
    return records
