# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: sysctl, seccomp, personality; what this runtime says it does not support."""
import errno
import os

from .compare import Case, both, put

SYSCTL, SECCOMP = "config-linux.md, Sysctl", "config-linux.md, Seccomp: "
MACHINE = os.uname().machine
UMASK = {"x86_64": 95}.get(MACHINE, 166)  # a system call that takes any argument and does no harm
ARCHITECTURES = ["SCMP_ARCH_X86_64"] if MACHINE == "x86_64" else ["SCMP_ARCH_AARCH64"]
OPERATORS = ("SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT")


def sysctl(**what):
    return put("linux.sysctl", {k.replace("__", "."): v for k, v in what.items()})


def seccomp(*rules, default="SCMP_ACT_ALLOW", **more):
    return put("linux.seccomp", {"defaultAction": default, "architectures": ARCHITECTURES, "syscalls": list(rules), **more})


def rule(action, args=(), names=("umask",), **more):
    return {"names": list(names), "action": action, "args": list(args), **more}


def argument(op, value, index=0, **more):
    return {"index": index, "value": value, "op": op, **more}


def calls(*values):
    return "; ".join("probe call %d %s; echo $?" % (UMASK, v) for v in values)


CASES = [
    Case("sysctl: of the network", SYSCTL, sysctl(net__ipv4__ip_forward="1", net__core__somaxconn="77"), "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn"),
    Case("sysctl: of ipc", SYSCTL, sysctl(kernel__shmmax="12345", kernel__msgmax="4000", fs__mqueue__msg_max="20"),
         "cat /proc/sys/kernel/shmmax /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max"),
    Case("sysctl: with slashes", SYSCTL, put("linux.sysctl", {"net/ipv4/ip_forward": "1"}), "cat /proc/sys/net/ipv4/ip_forward"),
    Case("sysctl: of the kernel", SYSCTL, put("linux.sysctl", {"kernel.core_pattern": "|/x"}), refused="kernel.core_pattern"),
    Case("sysctl: of a namespace that is shared", SYSCTL, both(sysctl(net__ipv4__ip_forward="1"), lambda c: c["linux"].update(
        namespaces=[n for n in c["linux"]["namespaces"] if n["type"] != "network"])), refused="linux.sysctl"),
    Case("sysctl: that is not there", SYSCTL, put("linux.sysctl", {"net.no.such": "1"}), refused="linux.sysctl"),
    Case("sysctl: a value that the kernel refuses", SYSCTL, put("linux.sysctl", {"net.ipv4.ip_forward": "many"}), refused="net.ipv4.ip_forward"),
    Case("sysctl: a number", SYSCTL, put("linux.sysctl", {"net.ipv4.ip_forward": 1}), refused="linux.sysctl"),
    Case("seccomp: a filter that allows all", SECCOMP + "defaultAction", seccomp(), "probe process"),
    Case("seccomp: ERRNO", SECCOMP + "errnoRet", seccomp(rule("SCMP_ACT_ERRNO")), calls(7)),
    Case("seccomp: ERRNO with a number", SECCOMP + "errnoRet", seccomp(rule("SCMP_ACT_ERRNO", errnoRet=errno.EOPNOTSUPP)), calls(7)),
    Case("seccomp: ERRNO 0", SECCOMP + "errnoRet", seccomp(rule("SCMP_ACT_ERRNO", errnoRet=0)), calls(7)),
    Case("seccomp: KILL", SECCOMP + "action", seccomp(rule("SCMP_ACT_KILL")), calls(7)),
    Case("seccomp: KILL_THREAD", SECCOMP + "action", seccomp(rule("SCMP_ACT_KILL_THREAD")), calls(7)),
    Case("seccomp: KILL_PROCESS", SECCOMP + "action", seccomp(rule("SCMP_ACT_KILL_PROCESS")), calls(7)),
    Case("seccomp: TRAP", SECCOMP + "action", seccomp(rule("SCMP_ACT_TRAP")), calls(7)),
    Case("seccomp: TRACE without a tracer", SECCOMP + "action", seccomp(rule("SCMP_ACT_TRACE")), calls(7)),
    Case("seccomp: LOG", SECCOMP + "action", seccomp(rule("SCMP_ACT_LOG")), calls(7)),
    Case("seccomp: ALLOW is the default as well", SECCOMP + "action", seccomp(rule("SCMP_ACT_ALLOW")), calls(7)),
    *[Case("seccomp: " + op, SECCOMP + "op", seccomp(rule("SCMP_ACT_ERRNO", [argument(op, 18)])), calls(0, 17, 18, 19, "0x100000012")) for op in OPERATORS],
    Case("seccomp: MASKED_EQ", SECCOMP + "valueTwo", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_MASKED_EQ", 0x12, valueTwo=0x10)])), calls(0, 16, 18, 0x1f, 0x20)),
    Case("seccomp: an argument of 64 bits", SECCOMP + "value", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_GT", 0x100000000)])), calls(5, "0x100000000", "0x100000001")),
    Case("seccomp: two arguments, both must hold", SECCOMP + "args", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_EQ", 1), argument("SCMP_CMP_EQ", 2, index=1)])),
         calls("1 1", "1 2", "2 2")),
    Case("seccomp: the same argument twice, either may hold", SECCOMP + "args", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_EQ", 1), argument("SCMP_CMP_EQ", 2)])), calls(1, 2, 3)),
    Case("seccomp: two rules of one call", SECCOMP + "syscalls", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_EQ", 1)]), rule(
        "SCMP_ACT_ERRNO", [argument("SCMP_CMP_EQ", 2)], errnoRet=errno.ENOSYS)), calls(1, 2, 3)),
    Case("seccomp: names that the kernel does not have", SECCOMP + "names", seccomp(rule("SCMP_ACT_ERRNO", names=("umask", "no_such_call"))), calls(7)),
    Case("seccomp: flags", SECCOMP + "flags", seccomp(rule("SCMP_ACT_ERRNO"), flags=["SECCOMP_FILTER_FLAG_LOG"]), calls(7), differs={"runc": "1.1.5 does not support flags"}),
    Case("seccomp: without noNewPrivileges", SECCOMP + "action", both(seccomp(rule("SCMP_ACT_ERRNO")), put("process.noNewPrivileges", False)), calls(7) + "; probe process | grep -E 'Secc|NoNew'"),
    *[Case("seccomp: without %s, noNewPrivileges %s" % (name, privileges), SECCOMP + "action", both(seccomp(rule("SCMP_ACT_ERRNO", names=(name,))), put("process.noNewPrivileges", privileges)),
           calls(7), differs={"runc": "1.1.5 asks where it is when its own filter is on"} if (name, privileges) == ("getcwd", False) else {})
      for name in ("faccessat2", "getcwd") for privileges in (False, True)],
    Case("seccomp: for a user", SECCOMP + "action", both(seccomp(rule("SCMP_ACT_ERRNO")), put("process.user", {"uid": 5, "gid": 5})), calls(7)),
    Case("seccomp: no defaultAction", SECCOMP + "defaultAction", put("linux.seccomp", {"syscalls": []}), refused="linux.seccomp.defaultAction", differs={"runc": "1.1.5 takes an empty one; it is REQUIRED"}),
    Case("seccomp: an action that is not known", SECCOMP + "action", seccomp(rule("SCMP_ACT_WISH")), refused="SCMP_ACT_WISH"),
    Case("seccomp: an operator that is not known", SECCOMP + "op", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_LIKE", 1)])), refused="SCMP_CMP_LIKE"),
    Case("seccomp: an index out of range", SECCOMP + "index", seccomp(rule("SCMP_ACT_ERRNO", [argument("SCMP_CMP_EQ", 1, index=6)])), refused="index"),
    Case("seccomp: an architecture that is not known", SECCOMP + "architectures", put("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_ABACUS"]}),
         refused="SCMP_ARCH_ABACUS"),
    Case("personality: LINUX", "config-linux.md, Personality", put("linux.personality", {"domain": "LINUX"}), "probe process | grep personality"),
    Case("personality: LINUX32", "config-linux.md, Personality", put("linux.personality", {"domain": "LINUX32"}), "probe process | grep personality", differs={"runc": "1.1.5 does not have personalities"}),
    Case("personality: a domain that is not known", "config-linux.md, Personality", put("linux.personality", {"domain": "WINDOWS"}), refused="linux.personality.domain", differs={"runc": "1.1.5 does not have personalities"}),
    Case("intelRdt is not supported", "config-linux.md, IntelRdt", put("linux.intelRdt", {"closID": "x", "l3CacheSchema": "L3:0=f"}), refused="linux.intelRdt",
         differs={"crun": "1.8.1 passes it over"}),
]
