/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system-call filters of a container: the ceiling, which is our default profile for its capabilities, and a profile of the user's on
 * top of it. The ceilings of most containers are built in. Others are compiled once by casemate-seccomp and kept in the store's cache
 * directory.
 *
 * A kept filter is named by the digest of all that it was made from: profile, capabilities, kernel version, this build of Casemate. It is
 * used only when it is a regular file of ours (root, 0600, one link) of the right size that carries this digest and the
 * digest of its program; anything else is compiled again. A file is complete before it has a name. Failure to keep one is not an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "seccomp/tables.h"

/* The ceiling for these capabilities. Built in: ret_filter is borrowed for good and ret_made NULL; else both are the same filter and
 * the caller's to free(). */
int filter_cache_ceiling(int cache_fd, uint64_t capabilities, const struct filter **ret_filter,
                         struct filter **ret_made, struct err *e);

/* A profile of the user's (JSON text) for a container with these capabilities; -EINVAL and the like when it is malformed. With `judge`
 * -EPERM (practice 7) when it allows by name what the ceiling refuses: asked when a container is made, not when it is started again
 * or entered, since a later Casemate may refuse more. *ret_filter is the caller's to free(). */
int filter_cache_profile(int cache_fd, uint64_t capabilities, const char *text, size_t length, bool judge,
                         struct filter **ret_filter, struct err *e);

/* linux.seccomp of the OCI runtime, which says all by itself: neither capabilities nor the kernel's version play a part. */
int filter_cache_runtime(int cache_fd, const char *text, size_t length, struct filter **ret_filter,
                         struct err *e);
