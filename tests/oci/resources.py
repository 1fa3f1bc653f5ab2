# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: control groups, as the host's files show them (v1; v2 and its unified are tested in the VM)."""
import os

from .compare import NAME, Case, both, put


def disk():
    """major:minor of a disk that the kernel throttles, or None."""
    for name in sorted(os.listdir("/sys/block")):
        if not name.startswith(("loop", "ram", "zram")):
            with open("/sys/block/%s/dev" % name, encoding="ascii") as f:
                return [int(n) for n in f.read().strip().split(":")]
    return [7, 0]


def resources(**what):
    return lambda c: c["linux"]["resources"].update(what)


def memory(**what):
    return resources(memory=what)


def cpu(**what):
    return resources(cpu=what)


def throttle(kind):
    major, minor = disk()
    return resources(blockIO={kind: [{"major": major, "minor": minor, "rate": 1048576}]})


MEMORY, CPU = "config-linux.md, Memory: ", "config-linux.md, CPU: "
LIMITS = ("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes", "memory/memory.soft_limit_in_bytes")
QUOTA = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu/cpu.shares")
MIB = 1 << 20
BURST = "config-linux.md, CPU: burst"

CASES = [
    Case("nothing is set", "config-linux.md, Control groups", None, host=LIMITS + QUOTA + ("pids/pids.max", "cpuset/cpuset.cpus", "cpuset/cpuset.mems")),
    Case("no resources at all", "config-linux.md, Control groups", lambda c: c["linux"].pop("resources"), host=LIMITS + QUOTA + ("pids/pids.max",)),
    Case("memory: limit", MEMORY + "limit", memory(limit=64 * MIB), host=LIMITS),
    Case("memory: limit and swap", MEMORY + "swap", memory(limit=64 * MIB, swap=96 * MIB), host=LIMITS),
    Case("memory: swap without limit", MEMORY + "swap", memory(limit=64 * MIB, swap=-1), host=LIMITS),
    Case("memory: without limit", MEMORY + "limit", memory(limit=-1), host=LIMITS),
    Case("memory: swap below limit", MEMORY + "swap", memory(limit=64 * MIB, swap=32 * MIB), refused="linux.resources"),
    Case("memory: reservation", MEMORY + "reservation", memory(limit=64 * MIB, reservation=32 * MIB), host=LIMITS),
    Case("memory: swappiness", MEMORY + "swappiness", memory(swappiness=10), host=("memory/memory.swappiness",)),
    Case("memory: swappiness 0", MEMORY + "swappiness", memory(swappiness=0), host=("memory/memory.swappiness",)),
    Case("memory: swappiness out of range", MEMORY + "swappiness", memory(swappiness=1000), refused="swappiness"),
    Case("memory: disableOOMKiller", MEMORY + "disableOOMKiller", memory(limit=64 * MIB, disableOOMKiller=True), host=("memory/memory.oom_control",)),
    Case("memory: kernelTCP", MEMORY + "kernelTCP", memory(kernelTCP=MIB), host=("memory/memory.kmem.tcp.limit_in_bytes",), differs={"runc": "1.1.5 ignores it, the kernel has it"}),
    Case("memory: kernel is ignored", MEMORY + "kernel", memory(kernel=64 * MIB), host=LIMITS),
    Case("memory: the limit holds", MEMORY + "limit", both(memory(limit=16 * MIB, swap=16 * MIB), put("process.args", [
        "sh", "-c", "(dd if=/dev/zero of=/dev/null bs=64M count=1) 2>/dev/null; echo $?"]))),
    Case("memory: limit as text", MEMORY + "limit", memory(limit="64m"), refused="linux.resources.memory.limit", differs={"crun": "1.8.1 takes what is no number as 0"}),
    Case("memory: limit with a fraction", MEMORY + "limit", memory(limit=1.5), refused="linux.resources.memory.limit"),
    Case("cpu: shares", CPU + "shares", cpu(shares=512), host=QUOTA),
    Case("cpu: shares 0 is none", CPU + "shares", cpu(shares=0), host=QUOTA),
    Case("cpu: quota and period", CPU + "quota", cpu(quota=50000, period=200000), host=QUOTA),
    Case("cpu: quota alone", CPU + "quota", cpu(quota=30000), host=QUOTA),
    Case("cpu: period alone", CPU + "period", cpu(period=50000), host=QUOTA),
    Case("cpu: without quota", CPU + "quota", cpu(quota=-1, period=50000), host=QUOTA, differs={"crun": "1.8.1 cannot read numbers below 0 here"}),
    Case("cpu: quota too small", CPU + "quota", cpu(quota=1), refused="linux.resources"),
    Case("cpu: burst", BURST, cpu(quota=50000, period=100000, burst=20000), host=("cpu/cpu.cfs_burst_us",),
         expect={"cpu/cpu.cfs_burst_us": "20000"}),
    Case("cpu: idle", CPU + "idle", cpu(idle=1), host=("cpu/cpu.idle",), expect={"cpu/cpu.idle": "1"}),
    Case("cpu: cpus and mems", CPU + "cpus, mems", cpu(cpus="0", mems="0"), host=("cpuset/cpuset.cpus", "cpuset/cpuset.mems")),
    Case("cpu: cpus are what the program has", CPU + "cpus", cpu(cpus="0"), run=["probe", "process"]),
    Case("cpu: cpus that are not there", CPU + "cpus", cpu(cpus="9000"), refused="linux.resources"),
    Case("cpu: cpus that are no list", CPU + "cpus", cpu(cpus="one"), refused="linux.resources"),
    Case("pids: limit", "config-linux.md, PIDs: limit", resources(pids={"limit": 20}), host=("pids/pids.max",)),
    Case("pids: -1", "config-linux.md, PIDs: limit", resources(pids={"limit": -1}), host=("pids/pids.max",), differs={"crun": "1.8.1 writes -1, which the kernel refuses"}),
    Case("pids: 0", "config-linux.md, PIDs: limit", resources(pids={"limit": 0}), host=("pids/pids.max",)),
    Case("pids: the limit holds", "config-linux.md, PIDs: limit", resources(pids={"limit": 12}),
         run="i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i + 1)); done 2>/dev/null; echo not reached"),
    *[Case("blockIO: " + kind, "config-linux.md, Block IO: " + kind, throttle(kind), host=("blkio/blkio.throttle." + file,)) for kind, file in (
        ("throttleReadBpsDevice", "read_bps_device"), ("throttleWriteBpsDevice", "write_bps_device"),
        ("throttleReadIOPSDevice", "read_iops_device"), ("throttleWriteIOPSDevice", "write_iops_device"))],
    Case("blockIO: a device that is not there", "config-linux.md, Block IO", resources(blockIO={"throttleReadBpsDevice": [{"major": 250, "minor": 77, "rate": 1}]}),
         refused="linux.resources"),
    Case("hugepageLimits", "config-linux.md, Huge page limits", resources(hugepageLimits=[{"pageSize": "2MB", "limit": 4 * MIB}]), host=("hugetlb/hugetlb.2MB.limit_in_bytes",)),
    Case("hugepageLimits: a size that is not there", "config-linux.md, Huge page limits", resources(hugepageLimits=[{"pageSize": "3MB", "limit": 4 * MIB}]), refused="linux.resources"),
    Case("network: classID where there is no such controller", "config-linux.md, Network", resources(network={"classID": 5}), refused="linux.resources"),
    Case("cgroupsPath: deep", "config-linux.md, Cgroups Path", put("linux.cgroupsPath", "/%s/a/b" % NAME), host=("pids/pids.max",),
         run="true"),
    Case("cgroupsPath: what the program reads", "config-linux.md, Cgroups Path", None, run="grep -E 'memory|pids' /proc/self/cgroup | cut -d: -f2- | sort"),
    Case("cgroupsPath: dots", "config-linux.md, Cgroups Path", put("linux.cgroupsPath", "/%s/../../x" % NAME), refused="linux.cgroupsPath",
         differs={"runc": "1.1.5 takes the dots out", "crun": "1.8.1 lets the kernel walk up: nobody can mean that"}, expect="refused"),
    Case("an unknown controller is ignored", "config.md, Extensibility", resources(gravity={"limit": 5}), run="echo runs"),
]
