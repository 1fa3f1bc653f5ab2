/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker puts on itself after its libraries are loaded and before it reads its first message: capabilities dropped,
 * not dumpable, Landlock, and the system-call filter of its role (compiled when Casemate is built; src/seccomp/tables.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sandbox_path {
    const char *
        path; /* a host path that the worker may still open read-only (and everything below it); absent ones are skipped */
};

struct sandbox_profile {
    const struct sandbox_path *readable; /* ended by {NULL}; NULL: no file may be opened at all */
    const int *readable_fds; /* descriptors of what may still be opened read-only; ended by -1; or NULL */
    bool allow_tcp;          /* else Landlock also refuses TCP connect and bind where the kernel can */
    const int
        *writable_dirs; /* descriptors of directories below which files may be made; ended by -1; or NULL */
    uint64_t keep_caps; /* bit set of capabilities kept (unpack: chown etc. inside its user namespace) */
};

/* Everything but the system-call filter. On kernels without Landlock that part is skipped. */
int sandbox_enter(const struct sandbox_profile *profile, struct err *e);

/* In a mount namespace of its own whose root is empty and read-only. Needs CAP_SYS_ADMIN in the worker's user namespace. */
int sandbox_enter_empty_root(struct err *e);

/* The system-call filter of this role (seccomp/tables.h), for good. */
int sandbox_filter(const char *role, struct err *e);

/* Landlock ABI of the running kernel, 0 when absent. */
int sandbox_landlock_abi(void);
