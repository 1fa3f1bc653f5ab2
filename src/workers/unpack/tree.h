/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory into which a layer goes, as the lower directory of an overlay with `userxattr`. Every name is resolved by the
 * kernel inside that directory (openat2, RESOLVE_IN_ROOT): a symbolic link of the layer leads nowhere else, whatever it
 * says. What an entry finds in its place is replaced, as in Docker; directories stay and get the new attributes.
 *
 * Owners, modes and times of directories are set at the end (tree_finish): until then set-group-id bits and default
 * access lists would be inherited, and times would change.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "workers/unpack/name.h"
#include "workers/unpack/tar.h"

struct tree;

int tree_open(int root_fd, struct tree **ret_tree, struct err *e);
void tree_close(struct tree *t);
DEFINE_CLEANUP(struct tree *, tree_close);
#define _cleanup_tree_ _cleanup_(tree_closep)

/* What an entry gets. Attributes that the file system does not take are counted in tree_xattrs_refused. */
struct tree_attributes {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    int64_t mtime;
    uint32_t mtime_ns;
    const struct tar_xattr *xattrs;
    size_t xattr_count;
};

/* A new empty file, open for writing; close it after tree_end_file. */
int tree_begin_file(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e);
int tree_end_file(struct tree *t, int fd, const struct tree_attributes *a, struct err *e);

int tree_add_directory(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e);
int tree_add_symlink(struct tree *t, const struct name *n, const char *target,
                     const struct tree_attributes *a, struct err *e);
int tree_add_fifo(struct tree *t, const struct name *n, const struct tree_attributes *a, struct err *e);
int tree_add_hardlink(struct tree *t, const struct name *n, const struct name *target, struct err *e);

/* Hide something of the layers below; what this layer itself has stays, before or after (OCI image-spec, layer.md). */
int tree_add_whiteout(struct tree *t, const struct name *n, struct err *e);
int tree_add_opaque(struct tree *t, const struct name *n, struct err *e);

int tree_finish(struct tree *t, struct err *e);

uint64_t tree_xattrs_refused(const struct tree *t);

/* How often something of the layer itself was replaced by a later entry. */
uint64_t tree_replaced(const struct tree *t);
