/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, small files. Names are relative to a directory descriptor and single components unless said otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes all of it (retries on EINTR and short writes). */
int io_write_all(int fd, const void *data, size_t length, struct err *e);

/* The same at an offset; the file's position does not move. */
int io_write_all_at(int fd, const void *data, size_t length, off_t offset, struct err *e);

/* Reads up to `length` bytes, fewer only at the end of the file. Returns the count or a negative errno. */
ssize_t io_read_full(int fd, void *data, size_t length, struct err *e);

/* Adds everything up to the end of the file to b, at most `max` bytes in all (-EFBIG beyond). */
int io_read_to_end(int fd, size_t max, struct buf *b, struct err *e);

/* The content of a regular file `name` in dirfd (symbolic links are refused). -ENOENT is passed on for the caller to judge. */
int io_read_file_at(int dirfd, const char *name, size_t max, struct buf *b, struct err *e);

/* A file given by the caller of the program, by path (links followed): command-line arguments, /proc, /sys. */
int io_read_path(const char *path, size_t max, struct buf *b, struct err *e);

/* Creates or replaces `name` by a temporary file and rename. With `sync`, file and directory are flushed first. */
int io_replace_file_at(int dirfd, const char *name, const void *data, size_t length, mode_t mode, bool sync,
                       struct err *e);

/* Writes to an existing file in one write(2) (proc, sysfs, cgroup files). */
int io_write_existing_at(int dirfd, const char *name, const char *text, struct err *e);
int io_write_existingf_at(int dirfd, const char *name, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets or clears FD_CLOEXEC. */
int io_set_cloexec(int fd, bool on, struct err *e);

/* Closes every descriptor from `first` on. */
int io_close_from(int first, struct err *e);
