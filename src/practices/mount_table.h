/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a mount namespace, from /proc/PID/mountinfo (proc(5)). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define MOUNT_TABLE_TEXT_MAX (16U << 20) /* bytes; the kernel's limit of 100,000 mounts fits */

/* Texts are unescaped and belong to the table. */
struct mount_entry {
    uint64_t id;
    dev_t dev;         /* of the file system */
    const char *root;  /* what of the file system is mounted */
    const char *point; /* where, as seen from the root of the process whose table it is */
    const char *options;
    const char *type;
    const char *data; /* options of the file system ("size=64k,mode=755") */
};

struct mount_table {
    struct buf text;
    struct mount_entry *entries;
    size_t count;
};

void mount_table_clear(struct mount_table *t);
#define _cleanup_mount_table_ _cleanup_(mount_table_clear)

/* The text of a mountinfo file; *ret takes it over. */
int mount_table_parse(struct buf *text, struct mount_table *ret, struct err *e);

/* Our own. */
int mount_table_read_self(struct mount_table *ret, struct err *e);

/* The mount with that id, or NULL. */
const struct mount_entry *mount_table_find(const struct mount_table *t, uint64_t id);

/* What is on top at that mount point, or NULL. */
const struct mount_entry *mount_table_at(const struct mount_table *t, const char *point);

/* True when the option stands in the entry's list ("nosuid"). */
bool mount_entry_has(const struct mount_entry *m, const char *option);
