# SPDX-License-Identifier: Apache-2.0
"""What a kubelet asks of containerd, asked with crictl: a pod of two containers through casemate-runtime. The pod has the host's network, for the machine has no plugin for another."""
import json
import os

import pytest

from lib import golang, images, wait

from .test_oci_clients import daemon, need, output, runtime  # noqa: F401: fixtures

PACKAGE = "sigs.k8s.io/cri-tools/cmd/crictl"
IMAGE = "localhost/box:1"
HOST = 2  # NamespaceMode NODE
SLEEPS = "trap 'exit 3' TERM; echo $NAME begins; while :; do sleep 0.05; done"
CONFIG = """version = 2
root = "%(base)s/cri"
state = "%(base)s/cri-state"
[grpc]
address = "%(base)s/cri.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "%(image)s"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "casemate"
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.casemate]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.casemate.options]
BinaryName = "%(runtime)s"
"""


@pytest.fixture
def crictl(runtime, daemon):  # noqa: F811
    """Calls crictl; containerd runs, and has the image."""
    need("containerd", "ctr")
    programs, why = golang.modules("cri", (PACKAGE,))
    if why:
        pytest.skip("crictl cannot be built: " + why)
    base = os.path.dirname(runtime)
    with open(os.path.join(base, "cri.toml"), "w", encoding="utf-8") as f:
        f.write(CONFIG % {"base": base, "image": IMAGE, "runtime": runtime})
    archive = os.path.join(base, "image.tar")
    images.write_docker_archive(archive, images.busybox_image(config={"Cmd": ["sleep", "100000"]}), [IMAGE])
    socket = "unix://%s/cri.sock" % base
    words = [os.path.join(programs, "crictl"), "--runtime-endpoint", socket, "--image-endpoint", socket, "--timeout", "60s"]

    def call(*more, status=0):
        return output([*words, *[str(w) for w in more]], status)
    ctr = ["ctr", "-a", base + "/cri.sock", "-n", "k8s.io"]
    daemon(["containerd", "-c", os.path.join(base, "cri.toml")], os.path.join(base, "containerd.log"), lambda: os.path.exists(base + "/cri.sock"))
    wait.until(lambda: "RuntimeReady" in call("info"), what="containerd is ready")
    output([*ctr, "images", "import", "--snapshotter", "native", archive])
    wait.until(lambda: "localhost/box" in call("images"), what="the image is known")
    yield call
    for pod in call("pods", "-q").split():
        call("rmp", "-f", pod)


def write(base, name, document):
    path = os.path.join(base, name + ".json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(document, f)
    return path


def container(name, memory):
    return {"metadata": {"name": name}, "image": {"image": IMAGE}, "command": ["sh", "-c", SLEEPS], "envs": [{"key": "NAME", "value": name}],
            "log_path": name + ".log", "linux": {"resources": {"memory_limit_in_bytes": memory, "cpu_shares": 512},
                                                 "security_context": {"namespace_options": {"network": HOST}, "no_new_privs": True}}}


@pytest.mark.slow
def test_a_pod_of_two_containers(crictl, runtime):  # noqa: F811
    base = os.path.dirname(runtime)
    pod_file = write(base, "pod", {"metadata": {"name": "pod", "namespace": "default", "uid": "casemate", "attempt": 1}, "log_directory": base + "/logs",
                                   "linux": {"cgroup_parent": "", "security_context": {"namespace_options": {"network": HOST}}}})
    pod = crictl("runp", "--runtime", "casemate", pod_file).strip()
    ids = {}
    for name in ("one", "two"):
        ids[name] = crictl("create", pod, write(base, name, container(name, 64 << 20)), pod_file).strip()
        crictl("start", ids[name])
    for name, container_id in ids.items():
        wait.until(lambda n=name, i=container_id: crictl("logs", i) == n + " begins\n", what="the log of " + name)
        assert crictl("exec", "-s", container_id, "sh", "-c", "echo $NAME; id -u").split() == [name, "0"]
    assert crictl("exec", ids["one"], "cat", "/proc/self/cgroup") != crictl("exec", ids["two"], "cat", "/proc/self/cgroup")
    assert crictl("exec", "-s", ids["one"], "readlink", "/proc/self/ns/ipc") == crictl("exec", "-s", ids["two"], "readlink", "/proc/self/ns/ipc")
    crictl("exec", "-s", ids["one"], "false", status=1)
    stats = json.loads(crictl("stats", "-o", "json"))["stats"]
    assert {s["attributes"]["id"] for s in stats} == set(ids.values())
    assert all(int(s["memory"]["workingSetBytes"]["value"]) > 0 for s in stats)
    crictl("update", "--memory", 96 << 20, ids["one"])
    limits = {name: json.loads(crictl("inspect", i))["info"]["runtimeSpec"]["linux"]["resources"]["memory"]["limit"] for name, i in ids.items()}
    assert limits == {"one": 96 << 20, "two": 64 << 20}
    crictl("stop", "--timeout", 10, ids["one"])
    assert json.loads(crictl("inspect", ids["one"]))["status"]["exitCode"] == 3
    assert crictl("ps", "-q", "--no-trunc").split() == [ids["two"]]
    crictl("rm", ids["one"])
    crictl("stopp", pod)
    assert json.loads(crictl("inspectp", pod))["status"]["state"] == "SANDBOX_NOTREADY"
    crictl("rmp", pod)
    assert crictl("pods", "-q") == "" and crictl("ps", "-aq") == ""
