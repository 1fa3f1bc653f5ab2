/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a hard limit. Always followed by a NUL that is not counted, so text can be used as a string. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct buf {
    char *data; /* NULL when nothing was ever added */
    size_t length;
    size_t capacity;
};

#define _cleanup_buf_ _cleanup_(buf_clear)

void buf_clear(struct buf *b);
/* Fails with -EFBIG when the result would exceed `max` bytes. */
int buf_add(struct buf *b, const void *data, size_t length, size_t max, struct err *e);
int buf_printf(struct buf *b, size_t max, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Room for `extra` more bytes; the caller writes at data + length and raises length. */
int buf_reserve(struct buf *b, size_t extra, size_t max, struct err *e);
