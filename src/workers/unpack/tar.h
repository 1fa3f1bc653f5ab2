/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a tar archive as a stream: ustar, pax and GNU forms (POSIX.1-2017 pax(1), "ustar Interchange Format" and "pax Header
 * Block"; the GNU tar manual, "Basic Tar Format" and "Storing Sparse Files"). Names are bytes and stay as they are; a library
 * that converts character sets would rename files. Untrusted input: every number is checked, nothing grows with a
 * number that the archive says.
 *
 * Global pax headers are skipped, data behind links and directories is not expected and an archive ends at two zero blocks or
 * the end of the stream: as Docker and containerd read layers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TAR_BLOCK 512
#define TAR_SPECIAL_MAX (1U << 20) /* bytes of a pax header or a long name */
#define TAR_PATH_MAX 4095
#define TAR_XATTRS_MAX 64
#define TAR_EXTENTS_MAX 65536
#define TAR_FILE_MAX (1ULL << 46) /* apparent size; what may be stored is less, layer_limits */

enum tar_type {
    TAR_FILE,
    TAR_HARDLINK,
    TAR_SYMLINK,
    TAR_CHAR_DEVICE,
    TAR_BLOCK_DEVICE,
    TAR_DIRECTORY,
    TAR_FIFO,
};

struct tar_xattr {
    const char *name;
    const void *value;
    size_t length;
};

/* A piece of a sparse file that is stored. */
struct tar_extent {
    uint64_t offset;
    uint64_t length;
};

#define TAR_ID_NONE UINT64_MAX /* a negative owner */

/* Borrowed from the reader until the next tar_next. */
struct tar_entry {
    enum tar_type type;
    const char *path;   /* as it stands in the archive; never NULL */
    const char *target; /* of links; "" otherwise */
    uint32_t mode;      /* 07777 at most */
    uint64_t uid;
    uint64_t gid;
    int64_t mtime; /* seconds */
    uint32_t mtime_ns;
    uint64_t size;   /* apparent size of a file */
    uint64_t stored; /* bytes in the archive */
    bool sparse;
    struct tar_xattr xattrs[TAR_XATTRS_MAX];
    size_t xattr_count;
};

/* Gives the next piece of the stream, which stays valid until the next call; *ret_length 0 at its end. */
typedef int (*tar_source)(void *context, const uint8_t **ret_data, size_t *ret_length, struct err *e);

/* Passes over bytes of the stream that nobody wants to see. */
typedef int (*tar_seek)(void *context, uint64_t length, struct err *e);

struct tar {
    tar_source source;
    tar_seek seek; /* or NULL: they are read; set it after tar_open */
    void *context;
    const uint8_t *chunk;
    size_t chunk_left;
    uint64_t data_left; /* of the entry, not yet taken */
    size_t padding;     /* behind it */
    bool ended;
    bool had_pax;
    struct buf pax;
    struct buf long_path;
    struct buf long_target;
    char path[TAR_PATH_MAX + 1];
    char target[TAR_PATH_MAX + 1];
    struct tar_extent *extents;
    size_t extent_count;
    size_t extent_capacity;
    size_t extent_at;
    uint64_t extent_done;
    uint64_t offset; /* in a file that is not sparse */
    struct tar_entry entry;
};

void tar_open(struct tar *ret_tar, tar_source source, void *context);
void tar_close(struct tar *t);
#define _cleanup_tar_ _cleanup_(tar_close)

/* 1: *ret_entry is the next one (what is left of the last is skipped); 0: the archive has ended. -EBADMSG: malformed. */
int tar_next(struct tar *t, const struct tar_entry **ret_entry, struct err *e);

/* The next piece of the entry's data and where in the file it belongs. 1: there is one; 0: no more. */
int tar_read(struct tar *t, const uint8_t **ret_data, size_t *ret_length, uint64_t *ret_offset,
             struct err *e);

/* Takes the rest of the stream behind the archive. */
int tar_drain(struct tar *t, struct err *e);
