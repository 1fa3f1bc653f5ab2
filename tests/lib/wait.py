# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true. Nothing sleeps for a fixed time; slow machines scale the limits."""
import os
import time

SCALE = float(os.environ.get("CASEMATE_TEST_SCALE", "1"))


def seconds(limit):
    """A time limit in seconds on this machine."""
    return limit * SCALE


def until(condition, limit=10, what="the condition"):
    """Calls `condition` until it returns something true, which is returned; fails after `limit` seconds."""
    end = time.monotonic() + seconds(limit)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %g s: %s" % (seconds(limit), what))
        time.sleep(0.02)
