/* SPDX-License-Identifier: Apache-2.0 */
/* What the practices' explain functions read with: files below the first process's /proc directory, links, control groups. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "practices/evidence.h"
#include "practices/mount_table.h"

/* A running container, opened once. */
struct subject {
    const struct plan *plan;
    pid_t pid;
    int proc;          /* /proc/PID of the first process, O_PATH: stays that process's for good */
    struct buf status; /* text of its `status` */
};

/* A whole file below /proc/PID ("net/dev"). */
int subject_read(const struct subject *s, const char *name, size_t max, struct buf *ret, struct err *e);

/* What stands behind "NAME:" in status, without blanks around it; -ENOENT. At most `size` - 1 bytes. */
int subject_status(const struct subject *s, const char *name, char *ret, size_t size, struct err *e);
/* The same as a hexadecimal mask. */
int subject_status_mask(const struct subject *s, const char *name, uint64_t *ret, struct err *e);

/* The mounts that the container sees. */
int subject_mounts(const struct subject *s, struct mount_table *ret, struct err *e);

/*
 * A file of the container's control group. v1: `controller` names the hierarchy ("memory"); v2: NULL. Found by /proc/PID/cgroup and our
 * own mounts, so it is where the process really is. *ret_path (may be NULL) gets the path that was read, owned by the caller. -ENOENT when
 * the hierarchy is not mounted or has no such file.
 */
int subject_read_cgroup(const struct subject *s, const char *controller, const char *file, struct buf *ret,
                        char **ret_path, struct err *e);

/* True when the container has a group of its own in that hierarchy: one that is called by its id. */
bool subject_has_group(const struct subject *s, const char *controller);

/* "/proc/PID/NAME", for the source of a line. */
#define SUBJECT_SOURCE 64
const char *subject_source(const struct subject *s, const char *name, char ret[SUBJECT_SOURCE]);
