# SPDX-License-Identifier: Apache-2.0
"""The same words to a real Docker and to Casemate, with the same containers: the same words come back, but for times and ids.
What differs on purpose (more columns, advice behind an error, limits by default) is not in these lists."""
import re
import time

import pytest

from lib import docker as docker_module
from lib import images

BOXES = (
    ("create", "--name", "box", "-e", "A=1", "-l", "team=red", "-v", "data:/data:ro", "-m", "64m", "--memory-swap", "96m", "--cpus", "0.5",
     "--restart", "on-failure:3", "--stop-signal", "SIGQUIT", "--network", "none", "busybox", "sleep", "100"),
    ("run", "-d", "--name", "web", "-h", "webhost", "--health-cmd", "true", "--health-interval", "1h", "--log-opt", "max-size=1m", "--network",
     "none", "busybox", "sh", "-c", "echo 'a b'; exec sleep 1000000000000"),
    ("run", "--name", "old", "--network", "none", "busybox", "sh", "-c", "exit 3"),
    ("run", "-d", "--name", "still", "-w", "/tmp", "--network", "none", "busybox", "sleep", "1000"),
    ("pause", "still"),
)
PS = (
    "{{.Names}}", "{{.Image}}", "{{.Command}}", "{{.Status}}", "{{.State}}", "{{.Ports}}|", "{{.Labels}}", "{{.Label \"team\"}}", "{{.Mounts}}",
    "{{.LocalVolumes}}", "{{.Networks}}", "{{.RunningFor}}", "{{.Names}}\t{{.State}}", "table {{.Names}}", "{{upper .Names}}", "{{len .Names}}",
    "{{lower .Image | printf \"%q\"}}", "{{if .Ports}}p{{else}}none{{end}}", "{{pad .Names 2 2}}|", "{{truncate .Names 2}}", "{{title .Names}}",
    "{{split .Names \"o\"}}", "{{join (split .Names \"o\") \"-\"}}", "{{.ID}}", "{{println .Names .State}}",
)
IMAGES = ("{{.Repository}}:{{.Tag}}", "{{.ID}}", "{{.Digest}}", "{{.CreatedSince}}", "{{.SharedSize}} {{.UniqueSize}} {{.Containers}}")
VOLUMES = ("{{.Name}}", "{{.Driver}}", "{{.Scope}}", "{{.Labels}}", "{{.Label \"k\"}}", "{{.Size}} {{.Links}} {{.Status}}")
INSPECT = (
    "{{.Config.Cmd}}", "{{json .Config.Labels}}", "{{.Config.Hostname}}", "{{.Config.Image}}", "{{json .HostConfig.RestartPolicy}}",
    "{{json .HostConfig.LogConfig}}", "{{.State.Status}}", "{{.Path}} {{.Args}}", "{{json .Config.Entrypoint}}", "{{.Config.User}}|",
    "{{json .Config.Volumes}}", "{{json .HostConfig.PortBindings}}", "{{json .NetworkSettings.Ports}}", "{{.RestartCount}}", "{{.Platform}}",
    "{{.Name}}", "{{.ID}}", "{{.Id}}", "{{.State.ExitCode}}", "{{.State.OOMKilled}} {{.State.Error}}", "{{.HostConfig.NetworkMode}}",
    "{{json .HostConfig.Binds}}", "{{.HostConfig.AutoRemove}} {{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}}",
    "{{.HostConfig.IpcMode}} {{.HostConfig.PidMode}}|{{.HostConfig.UTSMode}}|{{.HostConfig.UsernsMode}}|", "{{.HostConfig.ShmSize}}",
    "{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}}", "{{json .HostConfig.Devices}}", "{{json .HostConfig.SecurityOpt}}",
    "{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}}", "{{json .HostConfig.ExtraHosts}} {{json .HostConfig.VolumesFrom}}",
    "{{.HostConfig.CpuQuota}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}|", "{{.HostConfig.PublishAllPorts}} {{.HostConfig.Links}}",
    "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}|", "{{json .Config.Healthcheck}}", "{{range $i, $e := .Config.Cmd}}{{$i}}:{{$e}} {{end}}",
    "{{with .Config}}{{.Image}}{{end}}", "{{printf \"%s %v %q\" .Name .Config.Cmd .Name}}", "{{slice .Id 0 12 | len}}",
    "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}};{{end}}",
)
BOX_ALONE = ("{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}}", "{{.Config.StopSignal}}", "{{index .Config.Labels \"team\"}}")
FILTERS = {
    "ps -a --format {{.Names}}": ("status=exited", "status=paused", "status=running", "exited=3", "label=team", "label=team=red", "label=team=blue",
                                  "name=^/web$", "name=o", "volume=data", "volume=/data", "ancestor=busybox", "ancestor=busybox:latest", "health=healthy",
                                  "health=none", "before=web", "since=web", "is-task=true", "network=none", "publish=80"),
    "images --format {{.Repository}}:{{.Tag}}": ("dangling=true", "label=x", "reference=busy*", "reference=team/other:*", "reference=*/*",
                                                 "reference=nothing"),
    "volume ls --format {{.Name}}": ("dangling=true", "dangling=false", "name=dat", "label=k", "label=k=v", "label=k=w", "driver=local"),
}
OTHER = (
    "ps -aq", "images -q", "volume ls -q", "port web", "logs web", "diff web", "stats --no-stream --format {{.Name}}|{{.PIDs}} web",
    "history --format {{.Comment}}|{{.CreatedBy}} busybox", "version --format {{.Client.Os}}", "info --format {{.Containers}}|{{.ContainersPaused}}|{{.OSType}}",
    "wait old", "inspect --type image -f {{.Os}}/{{.Architecture}}|{{len\u00a0.RootFS.Layers}}|{{json\u00a0.Config.Entrypoint}} busybox",
    "start web", "stop old", "unpause still", "pause still", "volume inspect -f {{.Name}}|{{.Driver}}|{{json\u00a0.Labels}} data",
)
# An error: the same status; what Docker says behind "Error response from daemon: " is in what we say, which may name more.
ERRORS = (
    "inspect nothing", "rm web", "rm nothing", "start nothing", "exec nothing true", "exec still true", "attach old", "wait nothing", "rename nothing other",
    "ps --filter status=nope", "inspect -f {{.Nope}} web", "inspect -f {{index\u00a0.Config.Cmd\u00a05}} web", "inspect -f {{nofunc}} web",
    "inspect -f {{.Config\u00a0 web", "volume inspect nothing", "image inspect nothing", "ps --filter exited=x", "cp web:/nothing -",
)
TEMPLATE_WRONG = 64  # Docker's status where a template cannot be read; 1 here, as for every wrong argument
SAME = ("Template parsing error", "No such", "You cannot remove a running container", "is paused, unpause the container before exec",
        "You cannot attach to a stopped container", "nvalid filter", "Could not find the file", "no such")


@pytest.fixture
def both(casemate, tmp_path):
    with docker_module.started() as docker:
        archive = tmp_path / "image.tar"
        images.write_docker_archive(str(archive), images.busybox_image(media=images.DOCKER), ["busybox:latest", "team/other:1.2"])
        for engine in (docker, casemate):
            engine.ok("load", "-i", archive)
            engine.ok("volume", "create", "--label", "k=v", "data")
            for words in BOXES:
                result = engine.run(*words)
                assert result.status in (0, 3), (words, result)
        time.sleep(2)  # no output says "Less than a second", which one may be and the other not any more
        yield docker, casemate
        docker.run("unpause", "still")
        docker.run("rm", "-f", "web", "still")


def comparable(text):
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "SHORT", text)
    return re.sub(r"(\d+|About a|About an|Less than a) (second|minute|hour)s?", "TIME", text)


def lines_of(words, result):
    """Names of one image come in any order from Docker."""
    lines = comparable(result.out).splitlines()
    return sorted(lines) if words[0] == "images" else lines


def words_of(line):
    """A line as words; a blank inside a word is written as one that does not break."""
    return [word.replace("\u00a0", " ") for word in line.split(" ")]


def commands():
    for template in PS:
        yield ["ps", "-a", "--format", template]
    for template in IMAGES:
        yield ["images", "--format", template]
    for template in VOLUMES:
        yield ["volume", "ls", "--format", template]
    for name in ("box", "web", "old", "still"):
        for template in INSPECT:
            yield ["inspect", "-f", template, name]
    for template in BOX_ALONE:
        yield ["inspect", "-f", template, "box"]
    for command, filters in FILTERS.items():
        for given in filters:
            yield [*words_of(command), "--filter", given]
    for line in OTHER:
        yield words_of(line)


@pytest.mark.slow
def test_like_docker(both):
    docker, casemate = both
    different = []
    for words in commands():
        theirs, ours = docker.run(*words), casemate.run(*words)
        if (theirs.status, lines_of(words, theirs)) != (ours.status, lines_of(words, ours)):
            different.append("%s\n  Docker   %d %r %s\n  Casemate %d %r %s" % (" ".join(words), *theirs, *ours))
    for line in ERRORS:
        theirs, ours = docker.run(*words_of(line)), casemate.run(*words_of(line))
        same = [text for text in SAME if text.lower() in theirs.err.lower()]
        if (1 if theirs.status == TEMPLATE_WRONG else theirs.status) != ours.status or comparable(theirs.out).strip() != comparable(ours.out).strip() or \
                not all(text.lower() in ours.err.lower() for text in same):
            different.append("%s\n  Docker   %d %r %s\n  Casemate %d %r %s" % (line, *theirs, *ours))
    assert not different, "\n".join(different)
