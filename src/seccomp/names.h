/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System-call names and numbers of the two architectures that Casemate runs on, and of the older ways into the kernel that they have
 * beside their own. Numbers come from libseccomp, and from a short list of our own for what is newer than the oldest libseccomp we
 * build with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_arch {
    SECCOMP_ARCH_X86_64,
    SECCOMP_ARCH_AARCH64,
    /* Ways into the kernel of the above, for filters of the OCI runtime only: */
    SECCOMP_ARCH_X86, /* 32 bits, of x86-64 */
    SECCOMP_ARCH_X32, /* of x86-64, with the same AUDIT_ARCH and SECCOMP_NR_X32 in the number */
    SECCOMP_ARCH_ARM, /* 32 bits, of arm64 */
};

#define SECCOMP_ARCHES 5

#ifdef __aarch64__
#define SECCOMP_ARCH_NATIVE SECCOMP_ARCH_AARCH64
#else
#define SECCOMP_ARCH_NATIVE SECCOMP_ARCH_X86_64
#endif

#define SECCOMP_NR_NEWEST 469 /* file_setattr, Linux 6.17: every call up to here has been judged */
#define SECCOMP_NR_LIMIT 1024 /* no number of either architecture reaches this */
#define SECCOMP_NR_X32 0x40000000U

/* 32-bit Arm has a few calls of its own from 0xf0000 on: in tables of numbers they stand at the end. */
#define SECCOMP_NR_ARM_PRIVATE 0xf0000
#define SECCOMP_ARM_PRIVATE_CALLS 8
#define SECCOMP_ARM_PRIVATE_SLOT (SECCOMP_NR_LIMIT - SECCOMP_ARM_PRIVATE_CALLS)

#define SECCOMP_NAME_ABSENT (-1)  /* a system call, but not of this architecture */
#define SECCOMP_NAME_UNKNOWN (-2) /* no system call that we know */

/* The number of a system call, or one of the two constants above: below SECCOMP_NR_LIMIT always, without SECCOMP_NR_X32, and
 * SECCOMP_ARM_PRIVATE_SLOT and up for Arm's own. */
int seccomp_number(enum seccomp_arch arch, const char *name);

/* 32-bit x86 has two calls that do the work of many: the first argument says which. */
struct seccomp_multiplexed {
    const char *name;
    const char *call;     /* "socketcall" or "ipc" */
    uint32_t number;      /* what the first argument is */
    uint32_t number_mask; /* the bits of it that count */
    int direct;           /* the number of the call that does this alone, 0: there is none */
};

/* NULL when `name` cannot be reached in this way. */
const struct seccomp_multiplexed *seccomp_multiplexed(enum seccomp_arch arch, const char *name);

/* Whether `arch` is a way into the kernel that the machine `of` has beside its own. */
bool seccomp_arch_is_of(enum seccomp_arch arch, enum seccomp_arch of);

/* Whether arguments have 32 bits. */
bool seccomp_arch_is_narrow(enum seccomp_arch arch);

/* The name of call `nr`, or "call NR" when we know none. At least SECCOMP_NAME_SIZE bytes. */
#define SECCOMP_NAME_SIZE 32
void seccomp_name(enum seccomp_arch arch, int nr, char *ret_name);

/* AUDIT_ARCH_* as the kernel puts it into struct seccomp_data. */
uint32_t seccomp_audit_arch(enum seccomp_arch arch);

/* Whether `name` is an architecture in Go's spelling ("amd64"), and whether it is `arch`. */
bool seccomp_goarch_known(const char *name);
bool seccomp_goarch_is(enum seccomp_arch arch, const char *name);

/* The same for the spelling "SCMP_ARCH_X86_64". */
bool seccomp_scmparch_known(const char *name);
bool seccomp_scmparch_is(enum seccomp_arch arch, const char *name);
