# SPDX-License-Identifier: Apache-2.0
"""ATTACKS.md, groups config, dos, image, kernel and mount: weaknesses that are answered by what the engine does not do at all."""
import json
import os

import pytest

from lib import host, images, wait

HELLO = "casemate/hello"
MIB = 1 << 20
# What other engines read from labels and annotations.
LABELS = {
    "io.kubernetes.cri-o.UnifiedCgroup.web": "memory.max=max;pids.max=max",
    "io.kubernetes.cri-o.userns-mode": "auto:keep-id=true",
    "org.systemd.property.MemoryMax": "uint64 18446744073709551615",
    "org.systemd.property.ExecStart": "[('/bin/touch', ['touch', '/canary'], false)]",
    "run.oci.keep_original_groups": "1",
    "run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup",
    "org.criu.config": "/etc/shadow",
    "module.wasm.image/variant": "compat",
    "com.docker.security.privileged": "true",
    "io.containerd.runc.v2.group": "other",
    "cdi.k8s.io/devices": "vendor.com/class=all",
}


def limits(casemate, name):
    pid = casemate.pid(name)
    return [host.cgroup_file(pid, *names) for names in (("memory", "memory.limit_in_bytes", "memory.max"), ("pids", "pids.max", "pids.max"),
                                                        ("cpu", "cpu.cfs_quota_us", "cpu.max"))]


def test_labels_mean_nothing_to_the_engine(casemate, canary):
    """CVE-2023-6476, CVE-2024-3154, CVE-2026-53492: neither those of an image nor those of a command line."""
    image = images.make_image([images.busybox_layer()], {"Cmd": ["sleep", "1000"], "Labels": LABELS})
    casemate.load(image, "labels:latest")
    casemate.load(images.make_image([images.busybox_layer()], {"Cmd": ["sleep", "1000"]}), "plain:latest")
    given = [word for name, value in LABELS.items() for word in ("--label", "%s=%s" % (name, value))]
    casemate.ok("run", "-d", "--name", "plain", "plain:latest")
    casemate.ok("run", "-d", "--name", "by-image", "labels:latest")
    casemate.ok("run", "-d", "--name", "by-words", *given, "plain:latest")
    for name in ("by-image", "by-words"):
        assert limits(casemate, name) == limits(casemate, "plain"), name
        status = host.read("/proc/%d/status" % casemate.pid(name))
        assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("power", ["userns_unshare", "userns_clone3", "fsopen", "mount", "open_tree_clone"])
def test_no_way_to_the_mount_interface(casemate, power):
    """CVE-2022-0185: a hole in fsconfig(2) needs a user namespace or a file system context first."""
    assert json.loads(casemate.ok("run", "--rm", HELLO, "probe", "--json"))["powers"][power] == 0


def test_no_crypto_sockets(casemate):
    """CVE-2026-31431: AF_ALG wrote into the page cache of shared layers; not by socketcall of the 32-bit ABI either."""
    probe = json.loads(casemate.ok("run", "--rm", HELLO, "probe", "--json"))
    assert "ALG" not in probe["socket_families"] and not probe["int80_works"]


def resident(pid):
    return int(host.status_field(pid, "VmRSS").split()[0]) << 10


def test_output_that_nobody_reads_fills_no_memory(casemate, busybox):
    """CVE-2022-1708, CVE-2022-23471: exec presses back, and a flood of window sizes is one size."""
    casemate.ok("run", "-d", "--name", "web", busybox, "sleep", "1000")
    flood = casemate.popen("exec", "web", "yes")
    try:
        wait.until(lambda: "yes" in casemate.ok("exec", "web", "ps"), what="yes runs")
        terminal = casemate.pty("exec", "-it", "web", "sh", "-c", "echo up; sleep 1000")
        terminal.expect("up")
        for number in range(20000):
            terminal.resize(10 + number % 50, 20 + number % 100)
        assert resident(flood.pid) < 64 * MIB and resident(terminal.pid) < 64 * MIB
        assert resident(int(host.status_field(casemate.pid("web"), "PPid"))) < 64 * MIB
        assert casemate.ok("exec", "web", "echo", "alive") == "alive\n"
    finally:
        flood.kill()
        flood.communicate()
        casemate.ok("kill", "web")
        terminal.wait()


@pytest.mark.parametrize("target", ["/proc", "/proc/sys", "/sys", "/sys/fs/cgroup", "/proc/self/attr"])
def test_no_mount_over_the_kernels_files(casemate, busybox, canary, target):
    """CVE-2019-19921, CVE-2025-52881: what would make the engine write its settings into a file of the container's."""
    for flags in (("-v", "data:" + target), ("--tmpfs", target), ("-v", canary.path + ":" + target)):
        said = casemate.fails("run", "--rm", *flags, busybox, "true", status=125)
        assert "practice 5" in said, said


def test_settings_are_where_the_kernel_keeps_them(casemate, busybox):
    """CVE-2025-52881, CVE-2019-16884: read by the host, behind a volume whose names point at /proc."""
    casemate.ok("run", "--rm", "-v", "data:/data", busybox, "sh", "-c", "ln -s /proc /data/proc; ln -s /proc/self /data/self")
    casemate.ok("run", "-d", "--name", "web", "-v", "data:/data", "--sysctl", "net.ipv4.ip_default_ttl=42", busybox, "sleep", "1000")
    pid = casemate.pid("web")
    status = host.read("/proc/%d/status" % pid)
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert int(host.read("/proc/%d/oom_score_adj" % pid)) > 0
    assert casemate.ok("exec", "web", "cat", "/proc/sys/net/ipv4/ip_default_ttl") == "42\n"


def test_a_terminal_over_links_of_the_image(casemate, canary):
    """CVE-2025-52565: /dev/console and /dev/pts of the image are never looked at."""
    layer = images.busybox_layer().dir("dev").symlink("dev/console", "/proc/sys/kernel/core_pattern").symlink("dev/pts", "/proc")
    casemate.load(images.make_image([layer], {"Cmd": ["sh"]}), "links:latest")
    terminal = casemate.pty("run", "-t", "--rm", "links:latest", "sh", "-c", "test -t 0 && tty && ls -l /dev/console; echo done")
    shown = terminal.expect("done")
    assert shown
    assert terminal.wait() == 0
    probe = json.loads(casemate.ok("run", "--rm", HELLO, "probe", "--json"))
    assert len(probe["proc_writable"]) <= 1


def test_no_plugins(casemate, tmp_path):
    """CVE-2025-15558, CVE-2026-33997: nothing is loaded or run from the current or the home directory, or along PATH."""
    marker = tmp_path / "marker"
    for place in (".docker/cli-plugins", ".casemate/cli-plugins", ".config/casemate", "."):
        directory = tmp_path / place
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("docker-extra", "casemate-extra", "extra"):
            (directory / name).write_text("#!/bin/sh\ntouch %s\n" % marker)
            (directory / name).chmod(0o755)
    env = {"HOME": str(tmp_path), "PATH": "%s:/usr/bin:/bin" % tmp_path, "DOCKER_CONFIG": str(tmp_path / ".docker")}
    result = casemate.run("extra", env=env, cwd=str(tmp_path))
    assert result.status == 1 and len(result.err.splitlines()) <= 2, result
    casemate.ok("version", env=env, cwd=str(tmp_path))
    assert not os.path.exists(marker)
