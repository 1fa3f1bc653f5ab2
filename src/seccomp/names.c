/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of system calls and architectures (names.h). Runs in the compile worker and in the build tool.
 */
#include "seccomp/names.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Calls since Linux 5.16, which libseccomp 2.5.4 as released does not know. They have one number everywhere. */
static const struct {
    const char *name;
    int number;
} newer[] = {
    {"futex_waitv", 449},
    {"set_mempolicy_home_node", 450},
    {"cachestat", 451},
    {"fchmodat2", 452},
    {"map_shadow_stack", 453},
    {"futex_wake", 454},
    {"futex_wait", 455},
    {"futex_requeue", 456},
    {"statmount", 457},
    {"listmount", 458},
    {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461},
    {"mseal", 462},
    {"setxattrat", 463},
    {"getxattrat", 464},
    {"listxattrat", 465},
    {"removexattrat", 466},
    {"open_tree_attr", 467},
    {"file_getattr", 468},
    {"file_setattr", SECCOMP_NR_NEWEST},
};

/* Architectures that profiles in circulation name. */
static const struct {
    const char *go;
    const char *scmp;
    int arch; /* enum seccomp_arch, or -1: no filter is ever made for it */
} arches[] = {
    {"amd64", "SCMP_ARCH_X86_64", SECCOMP_ARCH_X86_64},
    {"arm64", "SCMP_ARCH_AARCH64", SECCOMP_ARCH_AARCH64},
    {"386", "SCMP_ARCH_X86", SECCOMP_ARCH_X86},
    {"x86", NULL, -1},
    {"x32", "SCMP_ARCH_X32", SECCOMP_ARCH_X32},
    {"arm", "SCMP_ARCH_ARM", SECCOMP_ARCH_ARM},
    {"mips", "SCMP_ARCH_MIPS", -1},
    {"mips64", "SCMP_ARCH_MIPS64", -1},
    {"mips64n32", "SCMP_ARCH_MIPS64N32", -1},
    {"mipsel", "SCMP_ARCH_MIPSEL", -1},
    {"mipsle", NULL, -1},
    {"mipsel64", "SCMP_ARCH_MIPSEL64", -1},
    {"mips64le", NULL, -1},
    {"mipsel64n32", "SCMP_ARCH_MIPSEL64N32", -1},
    {"ppc", "SCMP_ARCH_PPC", -1},
    {"ppc64", "SCMP_ARCH_PPC64", -1},
    {"ppc64le", "SCMP_ARCH_PPC64LE", -1},
    {"s390", "SCMP_ARCH_S390", -1},
    {"s390x", "SCMP_ARCH_S390X", -1},
    {"parisc", "SCMP_ARCH_PARISC", -1},
    {"parisc64", "SCMP_ARCH_PARISC64", -1},
    {"riscv64", "SCMP_ARCH_RISCV64", -1},
    {"loong64", "SCMP_ARCH_LOONGARCH64", -1},
};

/* What libseccomp and the kernel call each. */
static const struct {
    uint32_t scmp, audit;
} tokens[SECCOMP_ARCHES] = {
    [SECCOMP_ARCH_X86_64] = {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
    [SECCOMP_ARCH_AARCH64] = {SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64},
    [SECCOMP_ARCH_X86] = {SCMP_ARCH_X86, AUDIT_ARCH_I386},
    [SECCOMP_ARCH_X32] = {SCMP_ARCH_X32, AUDIT_ARCH_X86_64},
    [SECCOMP_ARCH_ARM] = {SCMP_ARCH_ARM, AUDIT_ARCH_ARM},
};

/* The kernel's include/uapi/linux/net.h and ipc.h. The upper half of ipc's number is a version. */
#define SOCKETCALL(name, number, direct)               \
    {                                                  \
        name, "socketcall", number, UINT32_MAX, direct \
    }
#define IPC(name, number, direct)           \
    {                                       \
        name, "ipc", number, 0xffff, direct \
    }
static const struct seccomp_multiplexed multiplexed[] = {
    SOCKETCALL("socket", 1, 359),
    SOCKETCALL("bind", 2, 361),
    SOCKETCALL("connect", 3, 362),
    SOCKETCALL("listen", 4, 363),
    SOCKETCALL("accept", 5, 0),
    SOCKETCALL("getsockname", 6, 367),
    SOCKETCALL("getpeername", 7, 368),
    SOCKETCALL("socketpair", 8, 360),
    SOCKETCALL("send", 9, 0),
    SOCKETCALL("recv", 10, 0),
    SOCKETCALL("sendto", 11, 369),
    SOCKETCALL("recvfrom", 12, 371),
    SOCKETCALL("shutdown", 13, 373),
    SOCKETCALL("setsockopt", 14, 366),
    SOCKETCALL("getsockopt", 15, 365),
    SOCKETCALL("sendmsg", 16, 370),
    SOCKETCALL("recvmsg", 17, 372),
    SOCKETCALL("accept4", 18, 364),
    SOCKETCALL("recvmmsg", 19, 337),
    SOCKETCALL("sendmmsg", 20, 345),
    IPC("semop", 1, 0),
    IPC("semget", 2, 393),
    IPC("semctl", 3, 394),
    IPC("semtimedop", 4, 0),
    IPC("msgsnd", 11, 400),
    IPC("msgrcv", 12, 401),
    IPC("msgget", 13, 399),
    IPC("msgctl", 14, 402),
    IPC("shmat", 21, 397),
    IPC("shmdt", 22, 398),
    IPC("shmget", 23, 395),
    IPC("shmctl", 24, 396),
};

const struct seccomp_multiplexed *seccomp_multiplexed(enum seccomp_arch arch, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(multiplexed) && arch == SECCOMP_ARCH_X86; i++)
        if (strcmp(multiplexed[i].name, name) == 0)
            return &multiplexed[i];
    return NULL;
}

bool seccomp_arch_is_of(enum seccomp_arch arch, enum seccomp_arch of)
{
    return of == SECCOMP_ARCH_AARCH64 ? arch == SECCOMP_ARCH_ARM
                                      : arch == SECCOMP_ARCH_X86 || arch == SECCOMP_ARCH_X32;
}

bool seccomp_arch_is_narrow(enum seccomp_arch arch)
{
    return arch == SECCOMP_ARCH_X86 || arch == SECCOMP_ARCH_ARM;
}

/* libseccomp's number in our tables' terms. */
static int slot_of(enum seccomp_arch arch, int nr)
{
    if (arch == SECCOMP_ARCH_X32)
        nr &= ~(int)SECCOMP_NR_X32;
    if (arch == SECCOMP_ARCH_ARM && nr >= SECCOMP_NR_ARM_PRIVATE &&
        nr < SECCOMP_NR_ARM_PRIVATE + SECCOMP_ARM_PRIVATE_CALLS)
        return SECCOMP_ARM_PRIVATE_SLOT + nr - SECCOMP_NR_ARM_PRIVATE;
    return nr < SECCOMP_ARM_PRIVATE_SLOT ? nr : SECCOMP_NAME_UNKNOWN;
}

int seccomp_number(enum seccomp_arch arch, const char *name)
{
    int nr = seccomp_syscall_resolve_name_arch(tokens[arch].scmp, name);
    const struct seccomp_multiplexed *m = seccomp_multiplexed(arch, name);
    if (nr >= 0)
        return slot_of(arch, nr);
    if (m && m->direct > 0) /* libseccomp knows it by what it is multiplexed through */
        return m->direct;
    for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
        if (strcmp(newer[i].name, name) == 0)
            return newer[i].number;
    return nr == __NR_SCMP_ERROR ? SECCOMP_NAME_UNKNOWN : SECCOMP_NAME_ABSENT;
}

void seccomp_name(enum seccomp_arch arch, int nr, char *ret_name)
{
    _cleanup_free_ char *known = seccomp_syscall_resolve_num_arch(tokens[arch].scmp, nr);
    const char *name = known;
    for (size_t i = 0; i < ARRAY_SIZE(newer) && !name; i++)
        if (newer[i].number == nr)
            name = newer[i].name;
    if (name)
        (void)snprintf(ret_name, SECCOMP_NAME_SIZE, "%s", name);
    else
        (void)snprintf(ret_name, SECCOMP_NAME_SIZE, "call %d", nr);
}

uint32_t seccomp_audit_arch(enum seccomp_arch arch)
{
    return tokens[arch].audit;
}

/* Row of a name in one of the two spellings, or -1. */
static int arch_row(const char *name, bool go)
{
    for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
        const char *spelt = go ? arches[i].go : arches[i].scmp;
        if (spelt && strcmp(spelt, name) == 0)
            return (int)i;
    }
    return -1;
}

bool seccomp_goarch_known(const char *name)
{
    return arch_row(name, true) >= 0;
}

bool seccomp_goarch_is(enum seccomp_arch arch, const char *name)
{
    int row = arch_row(name, true);
    return row >= 0 && arches[row].arch == (int)arch;
}

bool seccomp_scmparch_known(const char *name)
{
    return arch_row(name, false) >= 0;
}

bool seccomp_scmparch_is(enum seccomp_arch arch, const char *name)
{
    int row = arch_row(name, false);
    return row >= 0 && arches[row].arch == (int)arch;
}
