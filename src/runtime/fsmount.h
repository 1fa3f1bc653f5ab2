/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's mount API by descriptor: detached mounts that are attached where a descriptor says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>

#include "base/err.h"

/* Each option is "key=value" or a flag "key". Ended by NULL. Returns the descriptor of a detached mount. */
int fsmount_new(const char *type, const char *const *options, uint64_t attr, struct err *e);

/* A detached copy of what fd refers to (with AT_RECURSIVE also what is mounted below). */
int fsmount_clone(int fd, int flags, struct err *e);

/* As fsmount_clone of `name` relative to dir_fd; the last component is not followed when it is a link. */
int fsmount_clone_at(int dir_fd, const char *name, struct err *e);

/* Sets attributes on a mount; `recursive` for everything below it. userns_fd >= 0 also maps ids. */
int fsmount_set(int mount_fd, uint64_t attr, bool recursive, int userns_fd, struct err *e);

/* Attaches a detached mount over the file or directory that target_fd refers to. */
int fsmount_attach(int mount_fd, int target_fd, struct err *e);
