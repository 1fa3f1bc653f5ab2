/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a tree that is copied into a volume (fill.h). */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"

struct fill_place {
    int from, to;     /* the directories */
    int root;         /* top of the copy */
    int proc;         /* the container's /proc */
    const char *path; /* of `to` below root; "" at the top */
};

/* Where files with several names have been copied to. */
struct fill_link_entry {
    dev_t dev;
    ino_t ino;
    char *path; /* below root */
};
struct fill_links {
    struct fill_link_entry *items;
    size_t count;
};
void fill_links_clear(struct fill_links *links);

/* Each: a name that is there already stays as it is. */
int fill_file(const struct fill_place *at, const char *name, const struct stat *st, struct fill_links *links,
              struct err *e);
int fill_link(const struct fill_place *at, const char *name, const struct stat *st, struct err *e);
int fill_node(const struct fill_place *at, const char *name, const struct stat *st, struct err *e);

/* Owner, mode, extended attributes and times of `from` (st) for `to`; both readable. */
int fill_attributes(int from, int to, const struct stat *st, struct err *e);
