# SPDX-License-Identifier: Apache-2.0
"""The program `hello` of the build, run on the host: to test the probe itself and what the image's tools do."""
import json
import os
import subprocess

from . import casemate

# A clean environment; the probe reports the names of the variables.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def hello():
    """Path of the program."""
    if "CASEMATE_LIBEXEC" in os.environ:
        return os.path.join(os.environ["CASEMATE_LIBEXEC"], "hello")
    return os.path.join(casemate.BUILD, "src/hello/hello")


def image():
    """Path of the packed image."""
    if "CASEMATE_DATADIR" in os.environ:
        return os.path.join(os.environ["CASEMATE_DATADIR"], "hello.tar")
    return os.path.join(casemate.BUILD, "src/hello/hello.tar")


def run(*words, before=(), program=None, **how):
    """`before` are words in front: setpriv, unshare, chroot ... Returns the finished process with text output."""
    how.setdefault("env", ENVIRONMENT)
    return subprocess.run([*before, program or hello(), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **how)


def probe(before=(), **how):
    """The figures, as a dictionary."""
    done = run("probe", "--json", before=before, **how)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return json.loads(done.stdout)
