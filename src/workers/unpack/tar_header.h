/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a tar archive: the header as it is laid out, and the records of a pax header. For tar.c. */
#pragma once

#include "workers/unpack/tar.h"

struct tar_header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155]; /* GNU: times and the sparse map */
    char pad[12];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");

bool tar_block_is_zero(const uint8_t *block);
bool tar_checksum_ok(const struct tar_header *h);

/* A number of a header: octal, or two's complement when the first bit is set (GNU). Blank is 0. */
int tar_number(const char *field, size_t size, int64_t *ret_value, struct err *e);

/* Decimal, digits only, at most INT64_MAX. */
int tar_decimal(const char *text, size_t length, uint64_t *ret_value, struct err *e);

/* What a pax header said. Borrowed from its buffer. */
struct tar_pax {
    const char *path;
    const char *target;
    const char *sparse_path;
    bool has_size, has_uid, has_gid, has_mtime, has_real_size;
    uint64_t size, uid, gid, real_size;
    int64_t mtime;
    uint32_t mtime_ns;
    uint64_t sparse_major, sparse_minor;
    bool sparse;
    const char *sparse_map; /* format 0.1 */
};

/* Splits the records in place (the text is changed) and fills ret_pax, the entry's xattrs and, for sparse format 0.0, extents. */
int tar_pax_parse(struct tar *t, struct tar_pax *ret_pax, struct err *e);

/* Adds an extent. */
int tar_extent_add(struct tar *t, uint64_t offset, uint64_t length, struct err *e);
