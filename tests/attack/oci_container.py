# SPDX-License-Identifier: Apache-2.0
"""Containers of the OCI runtime without a user namespace, for the attacks on it."""
import os

import pytest

from lib import bundle

CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_MKNOD", "CAP_SYS_CHROOT"]


def given(script, change=None):
    document = bundle.config(change)
    document["process"]["capabilities"] = {s: CAPABILITIES for s in ("bounding", "effective", "permitted")}
    document["process"]["args"] = ["sh", "-c", script]
    return document


@pytest.fixture
def oci(casemate):
    runtime = bundle.ours(casemate)
    runtime.name = "attack-" + os.urandom(4).hex()
    runtime.tmp = os.path.join(runtime.bundle, "rootfs/tmp")
    yield runtime
    runtime.clean()


def up(oci, script, change=None):
    status, error = oci.create(given(script, change), oci.name)
    assert status == 0, error
    oci.ok("start", oci.name)
