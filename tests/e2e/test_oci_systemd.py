# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver where there is no systemd: what is said, and that nothing is left. With one: tests/vm/guest/73-scopes.sh."""
import os

import pytest

from lib import bundle


@pytest.fixture
def oci(casemate):
    return bundle.ours(casemate, "--systemd-cgroup")


def path(value):
    return bundle.config(lambda c: c["linux"].update(cgroupsPath=value))


def refused(oci, document, **more):
    done = oci.run(document, **more)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and not os.listdir(oci.root), done.stderr
    return done.stderr


def test_without_a_bus_one_line_says_what_to_do(oci):
    if os.path.exists("/run/dbus/system_bus_socket"):
        pytest.skip("this machine has a D-Bus")
    assert "cgroup driver to cgroupfs" in refused(oci, path("system.slice:box:one"))


@pytest.mark.parametrize("value", ["/a/b", "system.slice:box", "system:box:one", "system.slice:box:one.slice"])
def test_a_path_of_another_form_is_refused_by_name(oci, value):
    assert "linux.cgroupsPath" in refused(oci, path(value))


def test_an_ordinary_user_without_a_session_is_told(oci):
    oci.env = {**oci.env, "XDG_RUNTIME_DIR": "", "DBUS_SESSION_BUS_ADDRESS": "nonsense"}
    oci.words = ["unshare", "--user", "--map-root-user", *oci.words]
    assert '"nonsense" is no address of a D-Bus' in refused(oci, path(""))
    oci.env["DBUS_SESSION_BUS_ADDRESS"] = ""
    assert "XDG_RUNTIME_DIR" in refused(oci, path(""))
