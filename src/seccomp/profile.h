/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a system-call profile: JSON as moby and the OCI runtime specification define it.
 *
 *   defaultAction, defaultErrnoRet, defaultErrno       action when no rule matches
 *   architectures, archMap                             must contain the architecture compiled for, when given
 *   syscalls[]: names or name, action, errnoRet, errno, args[], comment, includes, excludes
 *   args[]: index, value, valueTwo, op
 *   includes, excludes: caps[], arches[], minKernel
 *   comment                                            ignored
 *
 * Any other key is an error, as is any unknown action, operator, capability or architecture; so are "flags" that are not
 * empty and everything about listeners. Names that no system call of this architecture has are skipped and counted,
 * because profiles are shared between architectures and kernels; but a name that is no system call anywhere is an error
 * in an entry that refuses, since nothing would be refused.
 *
 * For the OCI runtime (`runtime`) what config-linux.md of its specification says, and what runc makes of it: other keys are ignored, and
 * so are names that no system call has; SCMP_ACT_NOTIFY is an action, though not the default one nor one for write; conditions of which two
 * name one argument are alternatives; an error number at an action that has none is an error; "architectures" says which of
 * the machine's older ABIs get the same rules, by name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "seccomp/rules.h"

#define PROFILE_BYTES_MAX (1024 * 1024)
#define PROFILE_DEPTH_MAX 8

struct profile_target {
    enum seccomp_arch arch;
    uint64_t caps;           /* bit n: capability n (base/capname.h) */
    unsigned kernel_version; /* major * 1000 + minor; 0: not known, a profile with minKernel is refused */
    bool runtime;            /* read as the OCI runtime does */
};

/* On success *ret_rules belongs to the caller (free()). The error names the field: "syscalls[3].args[0].op: ...". */
int profile_parse(const char *json, size_t len, const struct profile_target *t, struct rules **ret_rules,
                  struct err *e);

/* One set for the machine, then one for each of its older ABIs that the profile is for as well. */
struct profile_rules {
    struct rules *list[SECCOMP_ARCHES];
    size_t n;
};

int profile_parse_all(const char *json, size_t len, const struct profile_target *t, struct profile_rules *ret,
                      struct err *e);
void profile_rules_clear(struct profile_rules *all);
