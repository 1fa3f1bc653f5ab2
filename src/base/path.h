/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a directory that someone else may change while we look: the only way that Casemate touches a path of a
 * container, an image or a volume. Everything is resolved by the kernel with openat2(2); nothing is resolved as a string.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Longest path that is accepted from outside. */
#define PATH_LENGTH_MAX 4095

/* Opens `path` as if root_fd were "/": symbolic links resolve inside, ".." stops at the root, no magic links. Returns a
 * descriptor or a negative errno. `flags` as open(2); O_CLOEXEC is added. */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct err *e);

/* As above, but symbolic links and mount points on the way are an error and ".." must not leave dir_fd. */
int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode, struct err *e);

/* Makes the directory `path` and its missing parents inside root_fd and returns an O_PATH descriptor of it. Existing
 * symbolic links are followed inside the root only. New directories get `mode` and, unless uid is (uid_t)-1, that owner. */
int path_make_dirs_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *e);

/* Opens (O_PATH) the file `path` inside root_fd; when nothing is there, makes parents and an empty regular file first. */
int path_make_file_in_root(int root_fd, const char *path, uid_t uid, gid_t gid, struct err *e);

/* Reopens an O_PATH descriptor with `flags` through /proc/self/fd. */
int path_reopen(int fd, int flags, struct err *e);

/* Removes `name` (any kind) and everything below it. Absent: success. Does not follow links or cross into other
 * file systems. Depth is not bounded by the stack: deep trees are removed iteratively. */
int path_remove_tree_at(int dir_fd, const char *name, struct err *e);

/* mkdirat that accepts an existing directory; returns an O_RDONLY|O_DIRECTORY descriptor. The directory must not be a link. */
int path_make_dir_at(int dir_fd, const char *name, mode_t mode, struct err *e);

/* Opens an existing directory `name` of dir_fd (not a link). */
int path_open_dir_at(int dir_fd, const char *name, struct err *e);

/* True for a usable single component: not empty, ".", "..", without '/' and at most 255 bytes. */
bool path_is_component(const char *name);

/* Absolute, at most PATH_LENGTH_MAX, no control characters. Does not resolve anything. */
int path_check_absolute(const char *path, struct err *e);
