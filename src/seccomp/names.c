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

/* Architectures that profiles in circulation name; only the two marked ones are built. */
static const struct {
    const char *go;
    const char *scmp;
    int arch; /* enum seccomp_arch, or -1 */
} arches[] = {
    {"amd64", "SCMP_ARCH_X86_64", SECCOMP_ARCH_X86_64},
    {"arm64", "SCMP_ARCH_AARCH64", SECCOMP_ARCH_AARCH64},
    {"386", "SCMP_ARCH_X86", -1},
    {"x86", NULL, -1},
    {"x32", "SCMP_ARCH_X32", -1},
    {"arm", "SCMP_ARCH_ARM", -1},
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

int seccomp_number(enum seccomp_arch arch, const char *name)
{
    int nr = seccomp_syscall_resolve_name_arch(
        arch == SECCOMP_ARCH_AARCH64 ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64, name);
    if (nr >= 0)
        return nr < SECCOMP_NR_LIMIT ? nr : SECCOMP_NAME_UNKNOWN;
    for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
        if (strcmp(newer[i].name, name) == 0)
            return newer[i].number;
    return nr == __NR_SCMP_ERROR ? SECCOMP_NAME_UNKNOWN : SECCOMP_NAME_ABSENT;
}

void seccomp_name(enum seccomp_arch arch, int nr, char *ret_name)
{
    _cleanup_free_ char *known = seccomp_syscall_resolve_num_arch(
        arch == SECCOMP_ARCH_AARCH64 ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64, nr);
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
    return arch == SECCOMP_ARCH_AARCH64 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64;
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
