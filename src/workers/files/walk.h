/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a tree that somebody else may change meanwhile: every step opens one name of a directory that is held open, without following
 * links. What has gone since it was listed is passed over. Names come in byte order, directories before what is in them.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

struct walk_entry {
    const char *path; /* below the walk's root, no '/' at either end; "" for the root itself */
    const char *name; /* its last component */
    int dir;          /* descriptor of the directory it is in; -1 for the root */
    int fd;           /* of a directory (O_RDONLY), else -1; owned by the walk */
    unsigned depth;   /* 0: the root */
    struct stat st;
};

enum walk_answer { WALK_ON = 0, WALK_SKIP = 1 }; /* SKIP: not into this directory */

/* `enter` is called for each entry and answers an enum walk_answer or a negative errno; `leave` (may be NULL) after what is in a directory. */
struct walk_calls {
    int (*enter)(const struct walk_entry *entry, void *context, struct err *e);
    int (*leave)(unsigned depth, void *context, struct err *e);
    void *context;
};

/* root_fd is a directory, opened for reading; stays the caller's. */
int walk_tree(int root_fd, const struct walk_calls *calls, struct err *e);
