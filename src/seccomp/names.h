/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System-call names and numbers of the two architectures that Casemate runs on. Numbers come from libseccomp, and from
 * a short list of our own for what is newer than the oldest libseccomp we build with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_arch {
    SECCOMP_ARCH_X86_64,
    SECCOMP_ARCH_AARCH64,
};

#ifdef __aarch64__
#define SECCOMP_ARCH_NATIVE SECCOMP_ARCH_AARCH64
#else
#define SECCOMP_ARCH_NATIVE SECCOMP_ARCH_X86_64
#endif

#define SECCOMP_NR_NEWEST 469 /* file_setattr, Linux 6.17: every call up to here has been judged */
#define SECCOMP_NR_LIMIT 1024 /* no number of either architecture reaches this */
#define SECCOMP_NR_X32 0x40000000U

#define SECCOMP_NAME_ABSENT (-1)  /* a system call, but not of this architecture */
#define SECCOMP_NAME_UNKNOWN (-2) /* no system call that we know */

/* The number of a system call, or one of the two constants above. */
int seccomp_number(enum seccomp_arch arch, const char *name);

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
