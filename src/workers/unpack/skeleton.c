/* SPDX-License-Identifier: Apache-2.0 */
/* Skeletons of layers (skeleton.h). */
#include "workers/unpack/skeleton.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/io.h"
#include "base/str.h"

#define OUT_SIZE (128U << 10)
#define COMPRESSION_LEVEL 1

struct skeleton {
    int fd;
    ZSTD_CCtx *zstd;
    const uint8_t *chunk; /* the present piece of the stream */
    size_t chunk_length;
    size_t written;  /* of it */
    char *path;      /* that has not been written yet, or NULL */
    uint64_t offset; /* content that has not been written yet */
    uint64_t length;
    uint8_t out[OUT_SIZE];
};

int skeleton_open(int fd, struct skeleton **ret_skeleton, struct err *e)
{
    _cleanup_skeleton_ struct skeleton *s = calloc(1, sizeof(*s));
    if (!s || !(s->zstd = ZSTD_createCCtx()))
        return err_oom(e);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)))
        return err_set(e, EINVAL, "zstd");
    s->fd = fd;
    *ret_skeleton = steal_ptr(s);
    return 0;
}

void skeleton_close(struct skeleton *s)
{
    if (!s)
        return;
    (void)ZSTD_freeCCtx(s->zstd);
    free(s->path);
    free(s);
}

static int compress(struct skeleton *s, const void *data, size_t length, ZSTD_EndDirective how, struct err *e)
{
    ZSTD_inBuffer in = {data, length, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {s->out, sizeof(s->out), 0};
        left = ZSTD_compressStream2(s->zstd, &out, &in, how);
        if (ZSTD_isError(left))
            return err_set(e, EIO, "zstd: %s", ZSTD_getErrorName(left));
        int r = out.pos ? io_write_all(s->fd, s->out, out.pos, e) : 0;
        if (r < 0)
            return r;
    } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
    return 0;
}

static int put(struct skeleton *s, const void *data, size_t length, struct err *e)
{
    return compress(s, data, length, ZSTD_e_continue, e);
}

/* What is known of content so far. */
static int write_pending(struct skeleton *s, struct err *e)
{
    uint8_t head[17];
    int r = 0;
    if (s->path && s->length > 0) {
        size_t n = strlen(s->path);
        uint16_t length = htole16((uint16_t)n);
        head[0] = 'F';
        memcpy(head + 1, &length, sizeof(length));
        r = put(s, head, 1 + sizeof(length), e);
        if (r == 0)
            r = put(s, s->path, n, e);
        free(steal_ptr(s->path));
    }
    if (r == 0 && s->length > 0) {
        const uint64_t numbers[2] = {htole64(s->offset), htole64(s->length)};
        head[0] = 'D';
        memcpy(head + 1, numbers, sizeof(numbers));
        r = put(s, head, sizeof(head), e);
        s->length = 0;
    }
    return r;
}

static int write_literal(struct skeleton *s, size_t until, struct err *e)
{
    int r = s->written < until ? write_pending(s, e) : 0;
    while (r == 0 && s->written < until) {
        size_t n = until - s->written;
        n = n < SKELETON_LITERAL_MAX ? n : SKELETON_LITERAL_MAX;
        uint8_t head[5] = {'L'};
        uint32_t length = htole32((uint32_t)n);
        memcpy(head + 1, &length, sizeof(length));
        r = put(s, head, sizeof(head), e);
        if (r == 0)
            r = put(s, s->chunk + s->written, n, e);
        s->written += n;
    }
    return r;
}

int skeleton_flush(struct skeleton *s, struct err *e)
{
    return write_literal(s, s->chunk_length, e);
}

void skeleton_chunk(struct skeleton *s, const uint8_t *data, size_t length)
{
    s->chunk = data;
    s->chunk_length = length;
    s->written = 0;
}

int skeleton_file(struct skeleton *s, const char *path, struct err *e)
{
    int r = write_pending(s, e);
    return r < 0 ? r : str_replace(&s->path, path, e);
}

int skeleton_content(struct skeleton *s, const uint8_t *data, size_t length, uint64_t offset, struct err *e)
{
    size_t at = (size_t)(data - s->chunk);
    int r = write_literal(s, at, e);
    if (r == 0 && s->length > 0 && offset != s->offset + s->length)
        r = write_pending(s, e);
    if (r < 0)
        return r;
    if (s->length == 0)
        s->offset = offset;
    s->length += length;
    s->written = at + length;
    return 0;
}

int skeleton_finish(struct skeleton *s, struct err *e)
{
    int r = write_literal(s, s->chunk_length, e);
    if (r == 0)
        r = write_pending(s, e);
    return r < 0 ? r : compress(s, NULL, 0, ZSTD_e_end, e);
}
