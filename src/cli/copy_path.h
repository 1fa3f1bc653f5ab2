/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of `cp`: which of them names a container, and what a path means by its end ("/", "/.") and by what stands there already.
 * The rules are those of docker-cp(1). Text only; nothing is opened here.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/messages.h"

#define COPY_STREAM "-"

/* CONTAINER:PATH -> the container's name (owned) and PATH (borrowed); a path of the host: *ret_container is NULL. */
int copy_path_split(const char *word, char **ret_container, const char **ret_path, struct err *e);

/* `.` and empty components, and `..` with what is before it, are resolved by text; "/." and "/" at the end stay. With `root`, the path
 * is one of a container: absolute. ret: MESSAGE_PATH_MAX bytes. */
int copy_path_clean(const char *path, bool root, char *ret, struct err *e);

/* "/." at the end, or "." alone: what is in the directory, not the directory. */
bool copy_path_means_content(const char *path);
/* Likewise, or "/" at the end: it must be a directory. */
bool copy_path_means_directory(const char *path);

/* The last component of a clean path, "." for content; "" for the root. ret: MESSAGE_PATH_MAX bytes. */
void copy_path_base(const char *path, char *ret);
/* The directory it is in. A path that means content is in itself. */
void copy_path_parent(const char *path, char *ret);

/* Where the target of the symbolic link `path` is. ret: MESSAGE_PATH_MAX bytes. */
int copy_path_follow(const char *path, const char *target, bool root, char *ret, struct err *e);

struct copy_end {
    char path[MESSAGE_PATH_MAX];
    bool exists;
    bool is_dir;
};

/* From what the two ends are to the directory that receives, and what the copy is called there ("": its content is copied). */
int copy_path_decide(const struct copy_end *source, const struct copy_end *destination, char *ret_directory,
                     char *ret_name, struct err *e);
