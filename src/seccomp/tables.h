/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System-call filters that are compiled when Casemate is built (data/seccomp/, gen_filters.c). Needs libc only; the
 * static shim links it too.
 *
 *   "default"               containers without grants; the ceiling of every container's filters
 *   "default-switch-user"   the same with CHOWN, SETUID and SETGID granted (@switch-user)
 *   "deny-setid-bits"       second filter: no set-id bits on new or changed files
 *   "deny-setid-bits-setfcap"  the same where SETFCAP is granted: no extended attributes either
 *   "shim", "notice", "fetch", "unpack", "parse", "seccomp"   the helper programs
 */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

struct filter {
    const struct sock_filter *code;
    unsigned short len; /* instructions */
};

/* A filter by name, in read-only memory, or NULL. */
const struct filter *filter_find(const char *name);

/* The capabilities that change the default profile: bit n is capability n. Any other opens no call. */
extern const uint64_t filter_capabilities;

/* Changes with every profile of ours and with what the compiler makes of it: no filter made by another build is used. */
extern const uint64_t filter_build;

/*
 * Puts a filter on the calling thread and all that it makes, for good; it adds to those already there. Needs
 * no_new_privs, or CAP_SYS_ADMIN in the user namespace. Returns 0 or a negative errno: -EACCES when neither is there,
 * -EINVAL for a program that the kernel does not take, -ENOMEM when all filters of the thread are too long together.
 */
int filter_install(const struct filter *f);
