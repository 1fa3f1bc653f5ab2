/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression and the hash of the result (stream.h). Untrusted input; runs in the sandbox of casemate-unpack. */
#include "workers/unpack/stream.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/io.h"
#include "workers/unpack/limits.h"

#define IN_SIZE (256U << 10)
#define OUT_SIZE (256U << 10)
#define MAGIC_LENGTH 6

struct stream {
    int fd;
    enum layer_compression compression;
    struct inflate_state inflate;
    ZSTD_DCtx *zstd;
    bool hashed;
    struct digest_state hash;
    uint64_t taken; /* bytes read from fd */
    uint64_t given; /* bytes given out */
    size_t in_at;
    size_t in_length;
    bool in_ended;
    bool inside; /* of a gzip member or zstd frame */
    uint8_t in[IN_SIZE];
    uint8_t out[OUT_SIZE];
};

/* Adds to `in` at its end; everything before in_at is used up. */
static int fill(struct stream *s, struct err *e)
{
    ssize_t n;
    if (s->in_at < s->in_length || s->in_ended)
        return 0;
    do
        n = read(s->fd, s->in, sizeof(s->in));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, "read the stream");
    s->in_at = 0;
    s->in_length = (size_t)n;
    s->in_ended = n == 0;
    s->taken += (uint64_t)n;
    return 0;
}

static bool starts(const struct stream *s, const char *magic, size_t length)
{
    return s->in_length >= length && memcmp(s->in, magic, length) == 0;
}

static int detect(struct stream *s, struct err *e)
{
    if (starts(s, "\x1f\x8b", 2))
        s->compression = LAYER_GZIP;
    else if (starts(s, "\x28\xb5\x2f\xfd", 4) ||
             (s->in_length >= 4 && (s->in[0] & 0xf0) == 0x50 && !memcmp(s->in + 1, "\x2a\x4d\x18", 3)))
        s->compression = LAYER_ZSTD;
    else if (starts(s, "BZh", 3) || starts(s, "\xfd\x37zXZ", 6))
        return err_set(e, ENOTSUP, "compressed with bzip2 or xz, which is not supported (gzip and zstd are)");
    else
        s->compression = LAYER_PLAIN;
    return 0;
}

/* The first bytes, enough of them to see what it is. */
static int begin(struct stream *s, struct err *e)
{
    ssize_t n = io_read_full(s->fd, s->in, MAGIC_LENGTH, e);
    if (n < 0)
        return (int)n;
    s->in_length = (size_t)n;
    s->taken = (uint64_t)n;
    return s->compression == LAYER_DETECT ? detect(s, e) : 0;
}

int stream_open(int fd, enum layer_compression compression, bool hash, struct stream **ret_stream,
                struct err *e)
{
    _cleanup_stream_ struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return err_oom(e);
    s->fd = fd;
    s->compression = compression;
    s->hashed = hash;
    digest_start(&s->hash);
    int r = begin(s, e);
    if (r < 0)
        return r;
    if (s->compression == LAYER_ZSTD) {
        s->zstd = ZSTD_createDCtx();
        if (!s->zstd)
            return err_oom(e);
        size_t z = ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, STREAM_ZSTD_WINDOW_LOG_MAX);
        if (ZSTD_isError(z))
            return err_set(e, EINVAL, "zstd: %s", ZSTD_getErrorName(z));
    }
    *ret_stream = steal_ptr(s);
    return 0;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    (void)ZSTD_freeDCtx(s->zstd);
    free(s);
}

static int truncated(const struct stream *s, struct err *e)
{
    return err_set(e, EBADMSG, "the %s data ends in the middle",
                   s->compression == LAYER_GZIP ? "gzip" : "zstd");
}

static const char *inflate_error(int code)
{
    switch (code) {
    case ISAL_INCORRECT_CHECKSUM:
        return "wrong checksum";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "not a gzip header";
    default:
        return "damaged";
    }
}

/* One step; *ret_length may be 0 when more input is needed. */
static int inflate_step(struct stream *s, size_t *ret_length, struct err *e)
{
    if (!s->inside) {
        isal_inflate_init(&s->inflate);
        s->inflate.crc_flag = ISAL_GZIP;
        s->inside = true;
    }
    s->inflate.next_in = s->in + s->in_at;
    s->inflate.avail_in = (uint32_t)(s->in_length - s->in_at);
    s->inflate.next_out = s->out;
    s->inflate.avail_out = OUT_SIZE;
    int code = isal_inflate(&s->inflate);
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT)
        return err_set(e, EBADMSG, "gzip data: %s", inflate_error(code));
    s->in_at = s->in_length - s->inflate.avail_in;
    *ret_length = OUT_SIZE - s->inflate.avail_out;
    if (s->inflate.block_state == ISAL_BLOCK_FINISH)
        s->inside = false;
    return 0;
}

static int zstd_step(struct stream *s, size_t *ret_length, struct err *e)
{
    ZSTD_inBuffer in = {.src = s->in, .size = s->in_length, .pos = s->in_at};
    ZSTD_outBuffer out = {.dst = s->out, .size = OUT_SIZE};
    size_t left = ZSTD_decompressStream(s->zstd, &out, &in);
    if (ZSTD_isError(left))
        return err_set(e, EBADMSG, "zstd data: %s", ZSTD_getErrorName(left));
    s->inside = left != 0;
    s->in_at = in.pos;
    *ret_length = out.pos;
    return 0;
}

static int check_size(const struct stream *s, struct err *e)
{
    if (s->given > STREAM_BYTES_MAX)
        return err_set(e, EFBIG, "larger than %llu bytes", STREAM_BYTES_MAX);
    if (s->given > STREAM_RATIO_FREE && s->given / STREAM_RATIO_MAX > s->taken)
        return err_set(e, EFBIG, "it expands more than %d times (a decompression bomb?)", STREAM_RATIO_MAX);
    return 0;
}

static int give(struct stream *s, const uint8_t *data, size_t length, const uint8_t **ret_data,
                size_t *ret_length, struct err *e)
{
    s->given += length;
    if (s->hashed)
        digest_update(&s->hash, data, length);
    *ret_data = data;
    *ret_length = length;
    return check_size(s, e);
}

static int decompress(struct stream *s, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    for (;;) {
        size_t length = 0;
        int r = fill(s, e);
        if (r < 0)
            return r;
        bool no_input = s->in_at == s->in_length;
        if (no_input && !s->inside && s->taken > 0)
            return 0;
        r = s->compression == LAYER_GZIP ? inflate_step(s, &length, e) : zstd_step(s, &length, e);
        if (r < 0)
            return r;
        if (length > 0)
            return give(s, s->out, length, ret_data, ret_length, e);
        if (no_input && s->inside)
            return truncated(s, e);
    }
}

int stream_next(void *stream, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    struct stream *s = stream;
    *ret_data = NULL;
    *ret_length = 0;
    if (s->compression != LAYER_PLAIN)
        return decompress(s, ret_data, ret_length, e);
    int r = fill(s, e);
    if (r < 0 || s->in_at == s->in_length)
        return r;
    size_t at = s->in_at;
    s->in_at = s->in_length;
    return give(s, s->in + at, s->in_length - at, ret_data, ret_length, e);
}

enum layer_compression stream_compression(const struct stream *s)
{
    return s->compression;
}

uint64_t stream_position(const struct stream *s)
{
    return s->given;
}

void stream_digest(struct stream *s, struct digest *ret_digest)
{
    digest_finish(&s->hash, ret_digest);
}
