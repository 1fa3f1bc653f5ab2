# SPDX-License-Identifier: Apache-2.0
"""What an OCI runtime takes with a system-call filter in config.json, in memory at its peak, and beside many containers of its own."""
import json
import platform
import statistics

import timing
from lib import bundle

PROFILE = "/usr/share/containers/seccomp.json"  # package golang-github-containers-common, which podman brings
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# What Docker gives a container: the profile's conditions go by them.
CAPABILITIES = ["CAP_" + name for name in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT").split()]
PER_RULE = ("names", "action", "args", "errnoRet")


def _conditions(condition):
    """Whether each part of a profile's `includes` or `excludes` holds here; kernels that are too old for one are not met any more."""
    if "arches" in condition:
        yield MACHINES.get(platform.machine()) in condition["arches"]
    for name in condition.get("caps", []):
        yield name in CAPABILITIES


def docker_filter():
    """Docker's default profile as an engine writes it into linux.seccomp, or None where it is not installed."""
    try:
        with open(PROFILE, encoding="utf-8") as f:
            profile = json.load(f)
    except FileNotFoundError:
        return None
    rules = [{key: rule[key] for key in PER_RULE if rule.get(key) not in (None, [])} for rule in profile["syscalls"]
             if all(_conditions(rule.get("includes") or {})) and not any(_conditions(rule.get("excludes") or {}))]
    native = "SCMP_ARCH_" + platform.machine().upper()
    arches = [[native, *(entry.get("subArchitectures") or [])] for entry in profile["archMap"] if entry["architecture"] == native]
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": arches[0] if arches else [native], "syscalls": rules}


def _reported(words, env):
    """What busybox's `time` says of a command's largest resident set; its unit differs between versions."""
    done = timing.Command(["/bin/sh", "-c", 'exec 3>&1 >/dev/null; exec %s time -f %%M "$@" 2>&3' % bundle.BUSYBOX, "sh", *words], env)
    return int(done.output().split()[-1])


def _unit(env):
    """How many of those a KiB is: a shell also says what the kernel says of it."""
    script = "while read -r key value unit; do test $key = VmHWM: && echo $value; done < /proc/$$/status; true"
    known = timing.Command([bundle.BUSYBOX, "sh", "-c", script], env).output()
    return max(1, round(_reported([bundle.BUSYBOX, "sh", "-c", script], env) / int(known)))


def peak_memory(engines, runs):
    """{"" or ", Docker's filter": {"crun run": KiB, ...}}: the median of the largest resident set of any process of one `run`."""
    unit = _unit(engines[0].env)
    result = {}
    for what, command_of in (("", lambda e: e.run_true()), (", Docker's filter", lambda e: e.run_filtered())):
        commands = {e.label + " run": (e, command_of(e)) for e in engines if command_of(e)}
        if commands:
            result[what] = {name: statistics.median(_reported(command.words, e.env) / unit for _ in range(runs))
                            for name, (e, command) in commands.items()}
    return result


def beside_many(engines, count, runs):
    """{label: {"alone": [seconds, ...], "beside": [...]}}: one `run` of `true`, without others and beside `count` that run."""
    result = {}
    for e in engines:
        alone = timing.in_turns({"run": e.run_true()}, runs)["run"]
        names = ["perf-present-%d" % i for i in range(count)]
        for name in names:
            e.run_detached(name).output()
        beside = timing.in_turns({"run": e.run_true()}, runs)["run"]
        for name in names:
            e.remove(name).output()
            e.forget_bundle(name)
        result[e.label] = {"alone": alone, "beside": beside, "count": count}
    return result
