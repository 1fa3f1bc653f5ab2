/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a hard limit (buf.h). */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUF_FIRST_CAPACITY 256

void buf_clear(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

int buf_reserve(struct buf *b, size_t extra, size_t max, struct err *e)
{
    if (extra > max || b->length > max - extra)
        return err_set(e, EFBIG, "more than %zu bytes", max);
    size_t needed = b->length + extra + 1;
    if (needed <= b->capacity)
        return 0;
    size_t capacity = b->capacity ? b->capacity : BUF_FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    char *grown = realloc(b->data, capacity);
    if (!grown)
        return err_oom(e);
    b->data = grown;
    b->capacity = capacity;
    b->data[b->length] = '\0';
    return 0;
}

int buf_add(struct buf *b, const void *data, size_t length, size_t max, struct err *e)
{
    int r = buf_reserve(b, length, max, e);
    if (r < 0)
        return r;
    if (length > 0)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    b->data[b->length] = '\0';
    return 0;
}

int buf_printf(struct buf *b, size_t max, struct err *e, const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return err_oom(e);
    }
    return buf_add(b, text, (size_t)n, max, e);
}
