/* SPDX-License-Identifier: Apache-2.0 */
/* Assembling layers (assemble.h). */
#include "workers/files/assemble.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "workers/files/limits.h"
#include "workers/files/tar_write.h"
#include "workers/unpack/skeleton.h"
#include "workers/unpack/stream.h"

struct assembly {
    int root;
    struct stream *stream;
    struct tar_writer *out;
    const uint8_t *chunk;
    size_t left;
    int file; /* -1: none */
    uint8_t data[FILES_CHUNK];
};

static void assembly_free(struct assembly *a)
{
    stream_close(a->stream);
    close_fd(&a->file);
    free(a->out);
    free(a);
}
DEFINE_CLEANUP(struct assembly *, assembly_free);
#define _cleanup_assembly_ _cleanup_(assembly_freep)

static int damaged(struct err *e)
{
    return err_set(e, EBADMSG, "the skeleton of the layer is damaged");
}

/* 1: so many bytes; 0: the skeleton has ended before the first. */
static int take(struct assembly *a, void *ret, size_t length, struct err *e)
{
    uint8_t *at = ret;
    size_t have = 0;
    while (have < length) {
        int r = a->left ? 0 : stream_next(a->stream, &a->chunk, &a->left, e);
        if (r < 0)
            return r;
        if (a->left == 0)
            return have ? damaged(e) : 0;
        size_t n = length - have < a->left ? length - have : a->left;
        memcpy(at + have, a->chunk, n);
        a->chunk += n;
        a->left -= n;
        have += n;
    }
    return 1;
}

static int need(struct assembly *a, void *ret, size_t length, struct err *e)
{
    int r = take(a, ret, length, e);
    return r == 0 ? damaged(e) : r < 0 ? r : 0;
}

static int write_literal(struct assembly *a, struct err *e)
{
    uint32_t length = 0;
    int r = need(a, &length, sizeof(length), e);
    uint32_t left = le32toh(length);
    if (r == 0 && left > SKELETON_LITERAL_MAX)
        r = damaged(e);
    while (r == 0 && left > 0) {
        size_t n = left < sizeof(a->data) ? left : sizeof(a->data);
        r = need(a, a->data, n, e);
        if (r == 0)
            r = tar_write_data(a->out, a->data, n, e);
        left -= (uint32_t)n;
    }
    return r;
}

static int open_file(struct assembly *a, struct err *e)
{
    char path[PATH_LENGTH_MAX + 1];
    struct stat st;
    uint16_t length = 0;
    int r = need(a, &length, sizeof(length), e);
    size_t n = le16toh(length);
    if (r == 0 && (n == 0 || n > PATH_LENGTH_MAX))
        r = damaged(e);
    if (r == 0)
        r = need(a, path, n, e);
    if (r < 0)
        return r;
    path[n] = '\0';
    if (strlen(path) != n)
        return damaged(e);
    close_fd(&a->file);
    a->file = path_open_in_root(a->root, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, e);
    if (a->file < 0)
        return a->file;
    return fstat(a->file, &st) == 0 && S_ISREG(st.st_mode) ? 0 : damaged(e);
}

static int write_content(struct assembly *a, struct err *e)
{
    uint64_t numbers[2] = {0};
    int r = need(a, numbers, sizeof(numbers), e);
    uint64_t offset = le64toh(numbers[0]);
    uint64_t left = le64toh(numbers[1]);
    if (r == 0 && (a->file < 0 || offset > INT64_MAX || left > INT64_MAX - offset))
        r = damaged(e);
    while (r == 0 && left > 0) {
        size_t want = left < sizeof(a->data) ? (size_t)left : sizeof(a->data);
        ssize_t n = pread(a->file, a->data, want, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? err_errno(e, "read a file of the layer") : damaged(e);
        r = tar_write_data(a->out, a->data, (size_t)n, e);
        offset += (uint64_t)n;
        left -= (uint64_t)n;
    }
    return r;
}

static int assemble(struct assembly *a, struct err *e)
{
    uint8_t kind;
    int r;
    while ((r = take(a, &kind, 1, e)) > 0) {
        r = kind == 'L'   ? write_literal(a, e)
            : kind == 'F' ? open_file(a, e)
            : kind == 'D' ? write_content(a, e)
                          : damaged(e);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : tar_write_flush(a->out, e);
}

int assemble_layer(int root_fd, int skeleton_fd, int out_fd, struct message_files_counts *ret_counts,
                   struct err *e)
{
    _cleanup_assembly_ struct assembly *a = calloc(1, sizeof(*a));
    if (!a || !(a->out = malloc(sizeof(*a->out))))
        return err_oom(e);
    a->root = root_fd;
    a->file = -1;
    tar_writer_open(a->out, out_fd);
    int r = stream_open(skeleton_fd, LAYER_ZSTD, false, &a->stream, e);
    if (r == 0)
        r = assemble(a, e);
    if (r == 0)
        *ret_counts = (struct message_files_counts){.bytes = a->out->written};
    return r;
}
