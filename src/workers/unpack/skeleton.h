/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton of a layer: its tar without the content of regular files, from which, with the unpacked files, the same tar can be put
 * together again byte by byte (`casemate save`). Written while a layer is unpacked, zstd-compressed:
 *
 *   'L' u32 length, bytes      bytes of the tar
 *   'F' u16 length, path       what follows is content of this file (relative, clean)
 *   'D' u64 offset, u64 length content of the file, from this offset
 *
 * Numbers are little-endian. Who puts it together compares the digest: a skeleton is not trusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

#define SKELETON_LITERAL_MAX (1U << 20) /* bytes of one 'L' */

struct skeleton;

/* Writes to fd, which stays the caller's. */
int skeleton_open(int fd, struct skeleton **ret_skeleton, struct err *e);
void skeleton_close(struct skeleton *s);
DEFINE_CLEANUP(struct skeleton *, skeleton_close);
#define _cleanup_skeleton_ _cleanup_(skeleton_closep)

/* Before the present piece of the stream goes away: what of it was no content is written. */
int skeleton_flush(struct skeleton *s, struct err *e);
/* The next piece. */
void skeleton_chunk(struct skeleton *s, const uint8_t *data, size_t length);

/* The following content is that of this file. */
int skeleton_file(struct skeleton *s, const char *path, struct err *e);

/* These bytes of the present piece are content. */
int skeleton_content(struct skeleton *s, const uint8_t *data, size_t length, uint64_t offset, struct err *e);

/* After the last piece. */
int skeleton_finish(struct skeleton *s, struct err *e);
