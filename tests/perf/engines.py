# SPDX-License-Identifier: Apache-2.0
"""The engines that are compared: how each is prepared below a directory of its own, and its commands.

Every engine gets the same root file system (lib.images.busybox_image). An engine that cannot be used here says why in
`reason`, after start(). All run as children of this program in the namespaces that tests/perf/run has made.
"""
import json
import os
import shutil
import subprocess
import tarfile

import runtimes
from lib import casemate as casemates
from lib import images, wait
from timing import Command, Failed

IMAGE = "localhost/perf/busybox:latest"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
# Raising limits may need a capability that this machine does not give.
ULIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
SLEEP = ["sleep", "100000"]


def debian_program(name):
    """Debian's program of this name: not a newer one that somebody put before it in the path."""
    for directory in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK):
            return path
    return None


class Engine:
    """`label` and `includes` head the tables; `package` is Debian's. The commands are timing.Command."""

    label = includes = package = program = None
    pulls = True
    logs = False
    runtime = False  # an OCI runtime (Oci)
    lists = True  # has ps, inspect, kill and rm of many

    def __init__(self, base, group):
        """`group`: the cgroup below which its containers shall be, taken away at the end by the caller."""
        self.base, self.group, self.reason, self.version = base, group, None, ""
        self.binary = debian_program(self.program) if self.program else None
        self.env = {**ENVIRONMENT, "HOME": base, "XDG_RUNTIME_DIR": base}

    def start(self, archive, layer):
        """Prepares it; `archive` is the image as a docker archive, `layer` its only layer as a tar."""
        if self.program and not self.binary:
            self.reason = "not installed (package %s)" % self.package
            return
        os.makedirs(self.base, exist_ok=True)
        try:
            self.prepare(archive, layer)
            for command in self.variants().values():
                command.output()
        except (Failed, AssertionError, OSError, subprocess.TimeoutExpired) as e:
            self.reason = "does not start here: " + " ".join(str(e).split())[-300:]

    def command(self, *words):
        return Command([self.binary, *words], self.env)

    def log_run(self, directory, *words):
        """Runs `words` in the background with `directory` as /lines and waits for the end: nobody but the log reads."""
        script = 'set -e; "$@" >/dev/null; test "$({0} wait perf-log)" = 0; {0} rm perf-log >/dev/null'.format(self.binary)
        run = self.command("run", "-d", "--name", "perf-log", "--network", "none", "-v", directory + ":/lines:ro",
                           "--log-opt", "max-size=10m", "--log-opt", "max-file=3", IMAGE, *words)
        return Command(["/bin/sh", "-c", script, "sh", *run.words], self.env)

    def prepare(self, archive, layer):
        """Makes the image known; raises what start() catches."""
        raise NotImplementedError

    def variants(self):
        """{label: command that runs `true` in a new container and leaves nothing}"""
        raise NotImplementedError

    def run_true(self):
        """The first of the variants: with nothing but loopback for a network."""
        return next(iter(self.variants().values()))

    def stop(self):
        """Ends what it runs; the namespaces end what is left."""


class Casemate(Engine):
    label = "casemate"
    logs = True
    includes = ("image by name, ids, overlay, cgroup limits, system-call filter, no capabilities, shim, log, "
                "removal; no network but loopback")

    def prepare(self, archive, layer):
        installation = casemates.Installation(self.base)
        self.inner = casemates.Casemate(installation, self.base)
        self.binary, self.env = installation.binary, self.inner.env
        self.version = self.command("--version").output().split()[-1]
        self.command("load", "-i", archive).output()

    def variants(self):
        return {"casemate run --rm": self.command("run", "--rm", IMAGE, "true")}

    def run_detached(self, name):
        return self.command("run", "-d", "--name", name, IMAGE, *SLEEP)

    def exec_true(self, name):
        return self.command("exec", name, "true")

    def remove(self, name):
        return self.command("rm", "-f", name)

    def pull(self, reference):
        return self.command("pull", "-q", "--tls-verify=false", reference)

    def forget(self, reference):
        return self.command("rmi", "-f", reference)

    def stop(self):
        if self.binary:
            self.inner.destroy()


class Docker(Engine):
    label, package, program = "docker", "docker.io", "docker"
    logs = True
    includes = ("image by name, overlay, cgroup, system-call filter, 14 capabilities, log, removal; a daemon that "
                "already runs")
    daemon = None

    def prepare(self, archive, layer):
        socket = "unix://%s/sock" % self.base
        dockerd = debian_program("dockerd")
        if not dockerd:
            raise Failed("dockerd is not installed (package docker.io)")
        self.env["DOCKER_HOST"] = socket
        with open(os.path.join(self.base, "log"), "wb") as log:
            self.daemon = subprocess.Popen(
                [dockerd, "--data-root", self.base + "/data", "--exec-root", self.base + "/exec", "-H", socket,
                 "--pidfile", self.base + "/pid", "--cgroup-parent", "/" + self.group],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait.until(self._answers, 60, "dockerd does not answer: " + self._log_end())
        self.version = self.command("version", "--format", "{{.Server.Version}}").output().strip()
        self.command("load", "-i", archive).output()

    def _log_end(self):
        with open(os.path.join(self.base, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-300:]

    def _answers(self):
        if self.daemon.poll() is not None:
            raise Failed("dockerd ended: " + self._log_end())
        return subprocess.run([self.binary, "version"], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False).returncode == 0

    def variants(self):
        return {"docker run --rm --network none": self.command("run", "--rm", "--network", "none", IMAGE, "true"),
                "docker run --rm": self.command("run", "--rm", IMAGE, "true")}

    def run_detached(self, name):
        return self.command("run", "-d", "--network", "none", "--name", name, IMAGE, *SLEEP)

    def exec_true(self, name):
        return self.command("exec", name, "true")

    def remove(self, name):
        return self.command("rm", "-f", name)

    def pull(self, reference):
        return self.command("pull", "-q", reference)

    def forget(self, reference):
        return self.command("rmi", "-f", reference)

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()


class Podman(Engine):
    label, package, program = "podman", "podman", "podman"
    includes = ("image by name, overlay, cgroup, system-call filter, 11 capabilities, log, removal; no network but "
                "loopback")

    def command(self, *words):
        return Command([self.binary, "--root", self.base + "/root", "--runroot", self.base + "/run", "--tmpdir",
                        self.base + "/tmp", "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
                        "--events-backend", "none", *words], self.env)

    def prepare(self, archive, layer):
        self.version = self.command("version", "--format", "{{.Client.Version}}").output().strip()
        self.command("load", "-i", archive).output()

    def _run(self, *words):
        return self.command("run", "--network", "none", "--cgroup-parent", "/" + self.group, "--log-driver", "k8s-file",
                            *ULIMITS, *words)

    def variants(self):
        return {"podman run --rm --network none": self._run("--rm", IMAGE, "true")}

    def run_detached(self, name):
        return self._run("-d", "--name", name, IMAGE, *SLEEP)

    def exec_true(self, name):
        return self.command("exec", name, "true")

    def remove(self, name):
        return self.command("rm", "-f", "-t", "0", name)

    def pull(self, reference):
        return self.command("pull", "-q", "--tls-verify=false", reference)

    def forget(self, reference):
        return self.command("rmi", "-f", reference)


class Oci(Engine):
    """A runtime alone, on a directory that was unpacked before."""

    includes = ("an OCI runtime alone on an unpacked directory: no image, overlay, limits, filter, own user ids, log or "
                "network")
    pulls = lists = filtered = False
    runtime = True

    def prepare(self, archive, layer):
        self.version = self.command("--version").output().split()[2]
        with tarfile.open(layer) as tar:
            tar.extractall(self.base + "/rootfs")
        # One configuration for all: each runtime's own would ask for different things.
        subprocess.run([debian_program("runc") or self.binary, "spec"], cwd=self.base, check=True, stdin=subprocess.DEVNULL)
        with open(self.base + "/config.json", encoding="utf-8") as f:
            spec = json.load(f)
        spec["process"]["terminal"] = False
        spec["root"]["path"] = self.base + "/rootfs"
        spec["linux"]["cgroupsPath"] = "/%s/%s" % (self.group, self.label)
        self._bundle("true", spec, ["true"])
        self._bundle("sleep", spec, SLEEP)
        profile = runtimes.docker_filter()
        if profile:
            spec["linux"]["seccomp"] = profile
            self._bundle("filtered", spec, ["true"])
            self.filtered = True
            self.run_filtered().output()

    def _bundle(self, name, spec, words):
        os.mkdir(os.path.join(self.base, name))
        spec["process"]["args"] = words
        with open(os.path.join(self.base, name, "config.json"), "w", encoding="utf-8") as f:
            json.dump(spec, f)

    def command(self, *words):
        return Command([self.binary, "--root", self.base + "/state", *words], self.env)

    def variants(self):
        return {self.label + " run": self.command("run", "--bundle", self.base + "/true", "perf-true")}

    def run_filtered(self):
        """As run_true, with Docker's filter in config.json; None where that is not installed."""
        return self.command("run", "--bundle", self.base + "/filtered", "perf-filtered") if self.filtered else None

    def forget_bundle(self, name):
        shutil.rmtree(os.path.join(self.base, "bundle-" + name))

    def run_detached(self, name):
        bundle = os.path.join(self.base, "bundle-" + name)
        shutil.rmtree(bundle, ignore_errors=True)
        shutil.copytree(self.base + "/sleep", bundle)
        with open(bundle + "/config.json", encoding="utf-8") as f:
            spec = json.load(f)
        spec["linux"]["cgroupsPath"] += "-" + name
        with open(bundle + "/config.json", "w", encoding="utf-8") as f:
            json.dump(spec, f)
        return Command(["/bin/sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh",
                        *self.command("run", "--detach", "--bundle", bundle, name).words], self.env)

    def exec_true(self, name):
        return self.command("exec", name, "true")

    def remove(self, name):
        return self.command("delete", "--force", name)


class CasemateRuntime(Oci):
    label = "casemate-runtime"

    def prepare(self, archive, layer):
        installation = casemates.Installation(self.base)
        self.binary = installation.binary.replace("bin/casemate", "bin/casemate-runtime")
        self.env.update(CASEMATE_LIBEXEC=installation.libexec, CASEMATE_ROOT=self.base + "/data")
        super().prepare(archive, layer)


class Crun(Oci):
    label, package, program = "crun", "crun", "crun"


class Runc(Oci):
    label, package, program = "runc", "runc", "runc"


ALL = [Casemate, CasemateRuntime, Crun, Runc, Docker, Podman]


def make_archive(directory):
    """(docker archive, its layer as a tar) of the image that all engines get."""
    image = images.busybox_image(media=images.DOCKER)
    archive, layer = os.path.join(directory, "busybox.tar"), os.path.join(directory, "layer.tar")
    images.write_docker_archive(archive, image, [IMAGE])
    with open(layer, "wb") as f:
        f.write(image.tars[0])
    return archive, layer
