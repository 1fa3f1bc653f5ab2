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
 */
#pragma once

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
};

/* On success *ret_rules belongs to the caller (free()). The error names the field: "syscalls[3].args[0].op: ...". */
int profile_parse(const char *json, size_t len, const struct profile_target *t, struct rules **ret_rules,
                  struct err *e);
