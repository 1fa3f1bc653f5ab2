/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a layer or an archive, decompressed and hashed as they pass: plain, gzip (any number of members) or zstd (any
 * number of frames). What does not end properly is an error, as is anything else behind the compressed data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/compression.h"
#include "base/digest.h"
#include "base/err.h"

struct stream;

/* `fd` stays the caller's. LAYER_DETECT looks at the first bytes. Without `hash` there is no stream_digest. */
int stream_open(int fd, enum layer_compression compression, bool hash, struct stream **ret_stream,
                struct err *e);
void stream_close(struct stream *s);
DEFINE_CLEANUP(struct stream *, stream_close);
#define _cleanup_stream_ _cleanup_(stream_closep)

/* What it is; never LAYER_DETECT. */
enum layer_compression stream_compression(const struct stream *s);

/* The next piece, valid until the next call; *ret_length 0 at the end. A tar_source with the stream as context. */
int stream_next(void *stream, const uint8_t **ret_data, size_t *ret_length, struct err *e);

/* How many bytes have come out. */
uint64_t stream_position(const struct stream *s);

/* SHA-256 of all bytes that have come out; call once, at the end. */
void stream_digest(struct stream *s, struct digest *ret_digest);
