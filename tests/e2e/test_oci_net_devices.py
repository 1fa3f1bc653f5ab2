# SPDX-License-Identifier: Apache-2.0
"""linux.netDevices: interfaces that a container gets, in network namespaces of the test's own."""
import json
import os
import shutil
import subprocess

import pytest

from lib import bundle
from lib.bundle import BOX


def can_make_veth():
    done = subprocess.run(["unshare", "--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = [pytest.mark.skipif(not shutil.which("ip"), reason="ip is not installed"),
              pytest.mark.skipif(shutil.which("ip") and not can_make_veth(), reason="this kernel makes no veth pairs")]

# Two pairs with addresses of all kinds; what stays of them is told at the end.
SETUP = """set -e
ip link add v0 type veth peer name v1
ip link add w0 type veth peer name w1
ip address add 192.0.2.1/24 dev v0 label v0
ip address add 192.0.2.9/32 dev v0 label v0:9
ip address add 198.51.100.1 peer 198.51.100.2/32 dev v0
ip -6 address add 2001:db8::1/64 dev v0 nodad
ip address add 203.0.113.1/24 dev v0 valid_lft 3600 preferred_lft 1800
ip address add 169.254.7.7/16 dev v0 scope link
ip link set v0 up
ip link set v1 up
set +e
"$@"
status=$?
ip -json address show > "$STATE"
exit $status
"""


@pytest.fixture
def oci(casemate):
    base = os.path.join(casemate.base, "oci")
    os.makedirs(base)
    bundle.make_rootfs(os.path.join(base, "bundle", "rootfs"))
    state = os.path.join(base, "host.json")
    words = ["unshare", "--net", "env", "STATE=" + state, "sh", "-c", SETUP, "sh", casemate.installation.binary.replace("bin/casemate", "bin/casemate-runtime")]
    runtime = bundle.Runtime(words, base, casemate.env)
    runtime.host = lambda: json.load(open(state, encoding="utf-8"))
    yield runtime
    assert not os.path.isdir(runtime.root) or not os.listdir(runtime.root)


def with_devices(devices, script="ip address; ip route"):
    document = bundle.config()
    document["linux"]["netDevices"] = devices
    document["process"]["args"] = ["sh", "-c", script]
    return document


def run(oci, document):
    oci.write(document)
    return oci.call("run", BOX)


def names(state):
    return sorted(i["ifname"] for i in state)


def test_an_interface_moves_with_its_lasting_addresses(oci):
    done = run(oci, with_devices({"v0": {"name": "eth0"}, "w0": {}}))
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "eth0" in said and " w0" in said and "v0" not in said
    for kept in ("192.0.2.1/24", "192.0.2.9/32", "198.51.100.1 peer 198.51.100.2/32", "2001:db8::1/64"):
        assert kept in said, kept + "\n" + said
    for gone in ("203.0.113.1", "169.254.7.7"):
        assert gone not in said, said
    assert "eth0:9" in said, "a label follows the name"
    assert said.count("UP") >= 2 and "192.0.2.0/24 dev eth0" in said
    assert not {"v0", "w0"} & set(names(oci.host()))


def test_a_number_is_found_for_a_template(oci):
    done = run(oci, with_devices({"v0": {"name": "net%d"}, "w0": {"name": "net%d"}}, "ls /sys/class/net"))
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ["lo", "net0", "net1"]


@pytest.mark.parametrize("devices,says", [
    ({"absent": {}}, "linux.netDevices.absent"),
    ({"v0": {"name": "lo"}}, "has an interface lo already"),
    ({"v0": {"name": "a/b"}}, "linux.netDevices.v0.name"),
    ({"v0": {"name": "0123456789abcdef"}}, "linux.netDevices.v0.name"),
    ({"v0": {"name": "%d%d"}}, "linux.netDevices.v0.name"),
    ({"v0": {"name": "x"}, "w0": {"name": "x"}}, "occurs twice"),
    ({"v%d": {}}, "is no name of an interface"),
    ({"lo": {"name": "other"}}, "linux.netDevices.lo"),
])
def test_what_cannot_be_is_named_and_nothing_moved(oci, devices, says):
    done = run(oci, with_devices(devices))
    assert done.returncode == 1 and says in done.stderr, done.stderr
    assert names(oci.host()) == ["lo", "v0", "v1", "w0", "w1"]


@pytest.mark.parametrize("fails", ["the second of two", "a hook"])
def test_a_creation_that_fails_gives_them_back(oci, fails):
    document = with_devices({"v0": {"name": "eth0"}})
    if fails == "a hook":
        document["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    else:
        document["linux"]["netDevices"]["absent"] = {}
    done = run(oci, document)
    assert done.returncode == 1, done.stderr
    host = oci.host()
    assert names(host) == ["lo", "v0", "v1", "w0", "w1"]
    [v0] = [i for i in host if i["ifname"] == "v0"]
    assert "UP" in v0["flags"] and {"192.0.2.1", "2001:db8::1"} <= {a["local"] for a in v0["addr_info"]}


def test_it_needs_a_network_namespace(oci):
    document = with_devices({"v0": {}})
    document["linux"]["namespaces"] = [n for n in document["linux"]["namespaces"] if n["type"] != "network"]
    done = run(oci, document)
    assert done.returncode == 1 and "linux.netDevices" in done.stderr and "network" in done.stderr


def test_features(oci):
    assert json.loads(oci.ok("features"))["linux"]["netDevices"] == {"enabled": True}
