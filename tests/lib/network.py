# SPDX-License-Identifier: Apache-2.0
"""A network of its own for the calling thread and what it starts: loopback, and one address that no program takes for loopback."""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct

ADDRESS = "192.0.2.1"
CLONE_NEWNET = 0x40000000
SIOCSIFADDR, SIOCSIFFLAGS = 0x8916, 0x8914
IFF_UP_RUNNING = 0x41

libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _configure():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_RUNNING))
        fcntl.ioctl(s, SIOCSIFADDR, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(ADDRESS)))


@contextlib.contextmanager
def own():
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(libc.unshare(CLONE_NEWNET))
        try:
            _configure()
            yield ADDRESS
        finally:
            _check(libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)
