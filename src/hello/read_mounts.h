/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount table as this process sees it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "hello/names.h"

struct mount_seen {
    const char *point; /* within the text of the table, as the next two */
    const char *type;
    const char *options;
    bool read_only; /* the mount or its file system */
    bool shows_host;
};

struct mounts {
    char *text;              /* owned, cut up */
    struct mount_seen *list; /* owned */
    size_t count;
};

/* Reads /proc/self/mountinfo; an empty table when it cannot be read. */
void mounts_read(struct mounts *ret_mounts);
void mounts_clear(struct mounts *mounts);

/* "point type options" of each mount / of each that lacks nosuid. */
void mounts_list(const struct mounts *mounts, struct names *ret_all, struct names *ret_without_nosuid);

/* Is there a mount at exactly this path? */
bool mounts_has_point(const struct mounts *mounts, const char *path);
