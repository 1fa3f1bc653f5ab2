# SPDX-License-Identifier: Apache-2.0
"""Hostile images that unpack well (ATTACKS.md, group image): what their configuration asks for and where their directories lead
changes nothing on the host and never makes a container more than it is."""
import os
import resource
import time

import pytest

from lib import images

Layer = images.Layer


def load(casemate, *layers, config=None, **more):
    image = images.busybox_image(layers, config, **more)
    casemate.load(image, "attack:latest")
    return "attack:latest"


def refused_at_load(casemate, says=None, **more):
    image = images.busybox_image((), media=images.DOCKER, **more)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, ["attack:latest"])
    said = casemate.fails("load", "-i", path, status=1, says=says)
    assert casemate.ok("images", "-q") == ""
    for name in ("layers", "images", "staging"):
        assert os.listdir(os.path.join(casemate.root, name)) == [], name
    return said


def tries(casemate, *words, **more):
    """A run that may be refused or not, but ends soon and not by a signal of ours; its result."""
    result = casemate.run("run", "--rm", *words, timeout=30, **more)
    assert 0 <= result.status < 128 or result.status in (137, 143), result
    return result


# --- configuration ------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("user", ["4294967296", "-1", "2147483648", "0x0", " 0", "+0", "root\n", "99999999999999999999", "0:-1",
                                  "1000:4294967296", "\u0660", "a" * 5000, "1000:root:x", "ro\x00ot"])
def test_users_that_wrap_or_evade(casemate, user):
    """CVE-2024-40635, CVE-2026-46680: refused, or at least never uid 0."""
    image = images.busybox_image((), {"User": user}, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, ["attack:latest"])
    done = casemate.run("load", "-i", path)
    assert done.status in (0, 1)
    if done.status == 0:
        result = tries(casemate, "attack:latest", "id", "-u")
        assert result.status != 0 and "uid" not in result.out and result.out != "0\n", result


@pytest.mark.parametrize("volume", ["/proc", "/sys", "/dev", "/proc/self", "/sys/fs/cgroup", "/dev/shm/../pts", "/"])
def test_volumes_over_the_kernels_directories(casemate, canary, volume):
    """CVE-2019-16884: /proc stays the kernel's, whatever the image declares."""
    image = images.busybox_image((), {"Volumes": {volume: {}}}, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, ["attack:latest"])
    if casemate.run("load", "-i", path).status != 0:
        return
    result = tries(casemate, "attack:latest", "sh", "-c", "stat -f -c %T /proc /sys; grep NoNewPrivs /proc/self/status")
    assert result.status != 0 or (result.out.split()[:2] == ["proc", "sysfs"] and result.out.split()[-1] == "1"), result


@pytest.mark.parametrize("volume", ["/../../../../../..{canary}", "/vol/../../../..{canary}", "relative", "", "/a\nb", "/" + "a/" * 3000])
def test_volumes_that_climb_out(casemate, canary, volume):
    """CVE-2022-23648: nothing of the host is copied into the volume."""
    image = images.busybox_image((), {"Volumes": {volume.format(canary=canary.path): {}}}, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, ["attack:latest"])
    if casemate.run("load", "-i", path).status != 0:
        return
    result = tries(casemate, "attack:latest", "sh", "-c", "grep -r %s / --exclude-dir=proc --exclude-dir=sys; true" % canary.word[:6])
    assert canary.word not in result.out


CONFIGS = {
    "nul in entrypoint": {"Entrypoint": ["/bin/sh\x00x"]}, "entrypoint is an object": {"Entrypoint": {}},
    "env without name": {"Env": ["=x"]}, "env is text": {"Env": "A=b"}, "nul in env": {"Env": ["A=b\x00c"]},
    "stop signal 99": {"StopSignal": "99"}, "stop signal text": {"StopSignal": "SIGEVIL"}, "command of numbers": {"Cmd": [1]},
    "relative working directory": {"WorkingDir": "../../x"}, "volumes is a list": {"Volumes": ["/x"]},
    "port 0": {"ExposedPorts": {"0/tcp": {}}}, "port 99999": {"ExposedPorts": {"99999/tcp": {}}},
    "labels of numbers": {"Labels": {"a": 1}}, "a million words": {"Cmd": ["x"] * 200000},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_configurations_are_read_strictly(casemate, config):
    """GEN-config-injection."""
    refused_at_load(casemate, config=config)


def test_what_images_may_not_choose(casemate):
    """Keys that other engines read, and those of a run's own options: none of them weakens a container."""
    def change(document):
        document["config"].update({"Privileged": True, "CapAdd": ["ALL"], "SecurityOpt": ["seccomp=unconfined"], "OnBuild": ["RUN x"],
                                   "Binds": ["/:/host"], "NetworkMode": "host", "Shell": ["/x"], "Memory": 0})
        document["HostConfig"] = {"Privileged": True, "Binds": ["/:/host"]}
    image = images.busybox_image((), media=images.DOCKER, change_config=change)
    casemate.load(image, "attack:latest")
    out = casemate.ok("run", "--rm", "attack:latest", "sh", "-c",
                      "grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; ls -d /host 2>&1; ls /sys/class/net")
    words = dict(line.split(":\t") for line in out.splitlines() if ":\t" in line)
    assert int(words["CapEff"], 16) == int(words["CapBnd"], 16) == 0
    assert words["NoNewPrivs"] == "1" and words["Seccomp"] == "2"
    assert "/host: No such file" in out and out.splitlines()[-1] == "lo"


def test_environment_of_the_image_is_not_the_engines(casemate, canary):
    """CVE-2024-0132's class: LD_PRELOAD and what our own programs read reach the container's process only."""
    marker = os.path.join(canary.path, "marker")
    name = load(casemate, config={"Env": [images.PATH, "LD_PRELOAD=%s/evil.so" % canary.path, "CASEMATE_ROOT=" + canary.path,
                                          "CASEMATE_LIBEXEC=" + canary.path, "MARK=" + marker]})
    assert canary.path in casemate.ok("run", "--rm", name, "env")
    assert not os.path.exists(marker)


@pytest.mark.parametrize("value", ["x\nroot2::0:0::/:", "/\x01\x02", "a:b:c\n\n"])
def test_home_that_edits_passwd(casemate, value):
    """CVE-2022-4318, CVE-2026-23953: a line break in an environment variable is no new line in any file."""
    image = images.busybox_image((), {"Env": [images.PATH, "HOME=" + value, "HOSTNAME=" + value]}, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, ["attack:latest"])
    if casemate.run("load", "-i", path).status != 0:
        return
    result = tries(casemate, "attack:latest", "sh", "-c", "cat /etc/passwd /etc/hosts /etc/hostname")
    assert "root2" not in result.out, result
    if result.status == 0:
        assert result.out.startswith(images.PASSWD)


# --- directories that lead elsewhere ---------------------------------------------------------------------------------------------------

def without(*names):
    """The busybox layer without some of its directories."""
    layer = images.busybox_layer()
    layer.entries = [(i, d) for i, d in layer.entries if i.name not in names and not i.name.startswith(tuple(n + "/" for n in names))]
    return layer


@pytest.mark.parametrize("top", ["proc", "sys", "dev", "etc", "tmp", "run"])
@pytest.mark.parametrize("target", ["{canary}/dir", "../../../../../../..{canary}/dir", "/nonexistent", "file"])
def test_top_directories_that_are_links(casemate, canary, top, target):
    """CVE-2023-27561, CVE-2024-5154, CVE-2026-41579: links at the top directories lead nowhere outside the container."""
    layer = without(top).symlink(top, target.format(canary=canary.path))
    image = images.make_image([layer], {"Cmd": ["/bin/sh"], "Env": [images.PATH]}, media=images.DOCKER)
    casemate.load(image, "attack:latest")
    result = tries(casemate, "attack:latest", "sh", "-c", "stat -f -c %T /proc; echo evil > /etc/canary; echo evil > /dev/canary; true")
    if result.status == 0:
        assert result.out.split() == ["proc"], result
    else:
        assert len(result.err.strip().splitlines()) == 1, result


def test_the_same_images_without_the_trick_run(casemate):
    """What the others rest on: users by name, volumes, working directories that are made."""
    layer = without("etc").dir("etc").file("etc/passwd", images.PASSWD).file("etc/group", images.GROUP)
    image = images.make_image([layer], {"Cmd": ["sh", "-c", "id -un; id -gn; pwd; ls -d /data"], "Env": [images.PATH], "User": "app:staff",
                                        "WorkingDir": "/app/sub", "Volumes": {"/data": {}}}, media=images.DOCKER)
    casemate.load(image, "attack:latest")
    assert casemate.ok("run", "--rm", "attack:latest").split() == ["app", "staff", "/app/sub", "/data"]


INTO_THE_ENGINE = ["/proc/self/fd/3", "/proc/self/fd/7/..", "/proc/1/root/../..", "/proc/self/cwd"]


@pytest.mark.parametrize("where", INTO_THE_ENGINE)
def test_working_directory_in_what_the_engine_has_open(casemate, busybox, canary, where):
    """CVE-2024-21626: as the image's, as run's and as exec's."""
    refused_by = images.busybox_image((), {"WorkingDir": where}, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), refused_by, ["attack:latest"])
    casemate.fails("load", "-i", path, status=1, says="WorkingDir")
    casemate.fails("run", "--rm", "-w", where, busybox, "true")
    casemate.ok("run", "-d", "--name", "victim", busybox, "sleep", "1000")
    casemate.fails("exec", "-w", where, "victim", "true")
    assert casemate.ok("exec", "-w", "/tmp", "victim", "pwd") == "/tmp\n"


@pytest.mark.parametrize("number", range(3, 65, 7))
def test_working_directory_by_number_of_descriptor(casemate, busybox, number):
    result = tries(casemate, "-w", "/proc/self/fd/%d" % number, busybox, "ls", "-d", "../../../../../../root/../var/tmp")
    assert result.status != 0, result


@pytest.mark.parametrize("where", ["/app", "/app/sub", "/app/sub/deeper", "/etc/passwd"])
def test_working_directories_that_lead_out(casemate, canary, where):
    """CVE-2026-55686, CVE-2024-21626: made and entered inside the container, or refused."""
    name = load(casemate, Layer().symlink("work", "../../../../../../.." + canary.path), config={"WorkingDir": where})
    result = tries(casemate, name, "sh", "-c", "pwd -P; ls /proc/self/fd; cat secret ../secret 2>&1; ls ../../../../../../..")
    assert canary.word not in result.out
    if result.status == 0:
        assert "busybox" in casemate.ok("run", "--rm", name, "ls", "/bin")


def test_volume_through_a_link(casemate, canary):
    name = load(casemate, Layer().symlink("data", "../../../../../../.." + canary.path + "/dir"), config={"Volumes": {"/data": {}}})
    result = tries(casemate, name, "sh", "-c", "ls /data/; cat /data/program; echo evil > /data/new")
    assert canary.word not in result.out


@pytest.mark.parametrize("entry", ["fifo", "huge", "device", "link", "directory"])
@pytest.mark.parametrize("name", ["passwd", "group"])
def test_passwd_that_is_none(casemate, canary, entry, name):
    """CVE-2024-9676, CVE-2026-47262: a FIFO, an endless file or a link in place of /etc/passwd does not stop the engine."""
    layer = without("etc").dir("etc")
    path = "etc/" + name
    if entry == "fifo":
        layer.fifo(path)
    elif entry == "huge":
        layer.file(path, b"x:x:0:0:x:/:/bin/sh\n" * (3 << 20))
    elif entry == "device":
        layer.symlink(path, "/dev/zero")
    elif entry == "link":
        layer.symlink(path, "../../../../../../.." + canary.path + "/secret")
    else:
        layer.dir(path)
    image = images.make_image([layer], {"Cmd": ["/bin/sh"], "Env": [images.PATH], "User": "app:staff"}, media=images.DOCKER)
    casemate.load(image, "attack:latest")
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    result = tries(casemate, "attack:latest", "true")
    assert result.status != 0 and canary.word not in result.err, result
    assert time.monotonic() - begun < 20
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 256 << 10)


# --- names ----------------------------------------------------------------------------------------------------------------------------

def grants(casemate, reference):
    """Sources of what a container of this image would be granted."""
    casemate.ok("create", "--name", "named", reference)
    try:
        return sorted(set(casemate.ok("explain", "named", "--format", "{{if eq .State \"granted\"}}{{.Source}}{{end}}").split("\n")) - {""})
    finally:
        casemate.ok("rm", "named")


def load_as(casemate, *names, layers=()):
    image = images.busybox_image(layers, media=images.DOCKER)
    path = images.write_docker_archive(os.path.join(casemate.base, "attack.tar"), image, list(names))
    return casemate.run("load", "-i", path)


def test_an_archive_that_calls_itself_a_known_image(casemate):
    """Neither what Casemate grants to nginx nor what the policy grants to a name goes to whoever claims it."""
    casemate.policy('[grant "registry.example.com/team/*"]\nallow-capability = CAP_SYS_PTRACE\ncapability = CAP_SYS_PTRACE\n')
    done = load_as(casemate, "attack:latest", "nginx:latest", "registry.example.com/team/web:1")
    assert done.status == 0 and [line.split()[3] for line in done.err.splitlines()] == ["nginx:latest", "registry.example.com/team/web:1"], done
    for name in ("attack", "nginx", "registry.example.com/team/web:1", casemate.ok("images", "-q").split()[0]):
        assert grants(casemate, name) == [], name
    casemate.ok("tag", "nginx:latest", "nginx:latest")
    assert grants(casemate, "nginx") == ["known image docker.io/library/nginx"]
    casemate.ok("tag", "attack", "registry.example.com/team/web:1")
    assert grants(casemate, "attack") == ["known image docker.io/library/nginx", "policy: casemate.conf:3"]


def test_an_archive_that_takes_a_name_over(casemate, registry):
    """What a registry serves keeps its name and grant when an archive brings the same; another image under that name has no part in it."""
    name = registry.host + "/team/web:1"
    registry.push(images.busybox_image((), media=images.DOCKER), "team/web:1")
    casemate.policy('[registry "%s"]\nplain-http = yes\n[grant "%s/team/web"]\ncapability = CAP_KILL\n' % (registry.host, registry.host))
    casemate.ok("pull", name)
    assert grants(casemate, name) == ["policy: casemate.conf:4"]
    assert load_as(casemate, name).err == ""
    assert grants(casemate, name) == ["policy: casemate.conf:4"]
    assert name in load_as(casemate, name, layers=[Layer().file("evil", "1")]).err
    assert grants(casemate, name) == []
    casemate.ok("pull", name)
    assert grants(casemate, name) == ["policy: casemate.conf:4"]
