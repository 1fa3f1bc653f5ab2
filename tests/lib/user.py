# SPDX-License-Identifier: Apache-2.0
"""Ordinary users for tests, on a machine whose accounts are not touched: as a program it puts files with them over /etc/passwd,
/etc/group, /etc/subuid and /etc/subgid of its own mount namespace and executes a command there, as root.

    unshare --mount --propagation private python3 tests/lib/user.py COMMAND...

A Casemate (lib/casemate.py) runs as the user that CASEMATE_TEST_USER names, or as the one it is given.
"""
import collections
import ctypes
import os
import sys
import tempfile

User = collections.namedtuple("User", "name uid first count")

ALICE = User("cm-alice", 64101, 1000000000, 65536)
BOB = User("cm-bob", 64102, 1000065536, 65536)
ROOT = User("root", 0, 0, 0)
NOBODYS = User("cm-none", 64103, 0, 0)  # has no subordinate ids
FEW = User("cm-few", 64104, 1000200000, 100)
SOME = User("cm-some", 64105, 1000300000, 10000)  # enough, but not what an image may have
USERS = {user.name: user for user in (ALICE, BOB, NOBODYS, FEW, SOME)}

MS_BIND, MS_REMOUNT, MS_PRIVATE, MS_REC = 4096, 32, 1 << 18, 16384


def chosen():
    """The user that the environment names; None: root."""
    return USERS[os.environ["CASEMATE_TEST_USER"]] if os.environ.get("CASEMATE_TEST_USER") else None


def mount(source, target, kind="none", flags=0, data=""):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) < 0:
        raise OSError(ctypes.get_errno(), "mount on " + target)


def _cover(path, added):
    """A copy with lines added, mounted over a file; the file itself is made when it is not there."""
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            text = f.read()
    fd, copy = tempfile.mkstemp(prefix="casemate-account-", dir="/var/tmp")
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text.rstrip("\n") + "\n" + "".join(line + "\n" for line in added))
    os.chmod(copy, 0o644)
    mount(copy, path, flags=MS_BIND)
    os.unlink(copy)


def add_accounts():
    taken = [line.split(":")[2] for line in open("/etc/passwd", encoding="utf-8") if line.count(":") >= 2]
    assert not any(str(user.uid) in taken for user in USERS.values()), "a test user's uid is taken on this machine"
    _cover("/etc/passwd", ["%s:x:%d:%d::/nonexistent:/bin/sh" % (u.name, u.uid, u.uid) for u in USERS.values()])
    _cover("/etc/group", ["%s:x:%d:" % (u.name, u.uid) for u in USERS.values()])
    for path in ("/etc/subuid", "/etc/subgid"):
        _cover(path, ["%s:%d:%d" % (u.name, u.first, u.count) for u in USERS.values() if u.count])


def give_ids(user, first, count):
    """Other subordinate ids for a user, in our own copies."""
    for path in ("/etc/subuid", "/etc/subgid"):
        assert os.path.ismount(path) or any(line.split()[4] == path for line in open("/proc/self/mountinfo", encoding="utf-8"))
        with open(path, encoding="utf-8") as f:
            lines = [line for line in f if not line.startswith(user.name + ":")]
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join(lines) + ("%s:%d:%d\n" % (user.name, first, count) if count else ""))


if __name__ == "__main__":
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    add_accounts()
    os.execvp(sys.argv[1], sys.argv[1:])
