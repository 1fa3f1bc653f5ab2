# SPDX-License-Identifier: Apache-2.0
"""Text for a program to write: lines of printable characters, no two alike, as a log has them."""
import random

LENGTHS = (100, 1000)
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;=-_/()[]"
POOL = 4096


def write(path, length, size):
    """Writes `size` bytes of lines of `length` bytes, the newline included."""
    choose = random.Random(length)
    pool = ["".join(choose.choices(ALPHABET, k=length - 9)) for _ in range(POOL)]
    with open(path, "w", encoding="ascii") as f:
        for number in range(size // length):
            f.write("%07d %s\n" % (number % 10**7, pool[choose.randrange(POOL)]))
