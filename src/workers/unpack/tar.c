/* SPDX-License-Identifier: Apache-2.0 */
/* The tar reader (tar.h). Untrusted input. */
#include "workers/unpack/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "workers/unpack/tar_header.h"

#define GNU_SPARSE_IN_HEADER 4
#define GNU_SPARSE_HEADER_AT 386
#define GNU_SPARSE_EXTENDED_AT 482
#define GNU_REAL_SIZE_AT 483
#define GNU_SPARSE_IN_BLOCK 21
#define GNU_SPARSE_BLOCK_EXTENDED_AT 504
#define GNU_NUMBER 12

void tar_open(struct tar *ret_tar, tar_source source, void *context)
{
    *ret_tar = (struct tar){.source = source, .context = context};
}

void tar_close(struct tar *t)
{
    buf_clear(&t->pax);
    buf_clear(&t->long_path);
    buf_clear(&t->long_target);
    free(t->extents);
    t->extents = NULL;
}

/* At most `max` contiguous bytes. 0: the stream has ended. */
static int take(struct tar *t, uint64_t max, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    if (t->chunk_left == 0) {
        int r = t->source(t->context, &t->chunk, &t->chunk_left, e);
        if (r < 0)
            return r;
        if (t->chunk_left == 0)
            return 0;
    }
    size_t n = t->chunk_left < max ? t->chunk_left : (size_t)max;
    *ret_data = t->chunk;
    *ret_length = n;
    t->chunk += n;
    t->chunk_left -= n;
    return 1;
}

static int truncated(struct err *e)
{
    return err_set(e, EBADMSG, "archive: it ends in the middle");
}

/* 1: a whole block; 0: the stream ended before its first byte. */
static int take_block(struct tar *t, uint8_t *ret_block, struct err *e)
{
    size_t have = 0;
    while (have < TAR_BLOCK) {
        const uint8_t *data;
        size_t n;
        int r = take(t, TAR_BLOCK - have, &data, &n, e);
        if (r < 0)
            return r;
        if (r == 0)
            return have ? truncated(e) : 0;
        memcpy(ret_block + have, data, n);
        have += n;
    }
    return 1;
}

static int skip(struct tar *t, uint64_t length, struct err *e)
{
    while (length > 0) {
        if (t->seek && t->chunk_left == 0)
            return t->seek(t->context, length, e);
        const uint8_t *data;
        size_t n;
        int r = take(t, length, &data, &n, e);
        if (r <= 0)
            return r < 0 ? r : truncated(e);
        length -= n;
    }
    return 0;
}

static size_t padding_of(uint64_t size)
{
    return (size_t)(-size & (TAR_BLOCK - 1));
}

/* The content of a special entry. */
static int take_special(struct tar *t, uint64_t size, struct buf *b, struct err *e)
{
    if (size > TAR_SPECIAL_MAX)
        return err_set(e, EFBIG, "archive: a header of %llu bytes (at most %u)", (unsigned long long)size,
                       TAR_SPECIAL_MAX);
    b->length = 0;
    int r = buf_reserve(b, 0, TAR_SPECIAL_MAX, e);
    while (r == 0 && b->length < size) {
        const uint8_t *data;
        size_t n;
        r = take(t, size - b->length, &data, &n, e);
        if (r == 0)
            return truncated(e);
        if (r > 0)
            r = buf_add(b, data, n, TAR_SPECIAL_MAX, e);
    }
    return r < 0 ? r : skip(t, padding_of(size), e);
}

static int put_name(char *ret, const char *data, size_t length, struct err *e)
{
    if (length > TAR_PATH_MAX)
        return err_set(e, ENAMETOOLONG, "archive: a name of %zu bytes (at most %d)", length, TAR_PATH_MAX);
    memcpy(ret, data, length);
    ret[length] = '\0';
    return 0;
}

static int put_header_names(struct tar *t, const struct tar_header *h, struct err *e)
{
    size_t n = strnlen(h->name, sizeof(h->name));
    size_t prefix = memcmp(h->magic, "ustar", 6) == 0 ? strnlen(h->prefix, sizeof(h->prefix)) : 0;
    if (prefix > 0) {
        memcpy(t->path, h->prefix, prefix);
        t->path[prefix++] = '/';
    }
    memcpy(t->path + prefix, h->name, n);
    t->path[prefix + n] = '\0';
    return put_name(t->target, h->linkname, strnlen(h->linkname, sizeof(h->linkname)), e);
}

static int put_long_names(struct tar *t, const struct tar_pax *p, struct err *e)
{
    int r = 0;
    if (t->long_path.length > 0)
        r = put_name(t->path, t->long_path.data, strnlen(t->long_path.data, t->long_path.length), e);
    if (r == 0 && t->long_target.length > 0)
        r = put_name(t->target, t->long_target.data, strnlen(t->long_target.data, t->long_target.length), e);
    const char *path = p->sparse_path ? p->sparse_path : p->path;
    if (r == 0 && path)
        r = put_name(t->path, path, strlen(path), e);
    if (r == 0 && p->target)
        r = put_name(t->target, p->target, strlen(p->target), e);
    return r;
}

static int type_of(const struct tar_header *h, const char *path, enum tar_type *ret_type, struct err *e)
{
    size_t n = strlen(path);
    switch (h->type) {
    case '\0':
    case '0':
    case '7':
        *ret_type = n > 0 && path[n - 1] == '/' ? TAR_DIRECTORY : TAR_FILE;
        return 0;
    case 'S':
        *ret_type = TAR_FILE;
        return 0;
    case '1':
        *ret_type = TAR_HARDLINK;
        return 0;
    case '2':
        *ret_type = TAR_SYMLINK;
        return 0;
    case '3':
        *ret_type = TAR_CHAR_DEVICE;
        return 0;
    case '4':
        *ret_type = TAR_BLOCK_DEVICE;
        return 0;
    case '5':
        *ret_type = TAR_DIRECTORY;
        return 0;
    case '6':
        *ret_type = TAR_FIFO;
        return 0;
    default:
        return err_set(e, EBADMSG, "archive: %s has the unknown type 0x%02x", path, (unsigned char)h->type);
    }
}

/* Numbers of the header, then what pax says instead. */
static int put_numbers(struct tar *t, const struct tar_header *h, const struct tar_pax *p, struct err *e)
{
    struct tar_entry *entry = &t->entry;
    int64_t mode = 0, uid = 0, gid = 0, size = 0, mtime = 0;
    if (tar_number(h->mode, sizeof(h->mode), &mode, e) < 0 ||
        tar_number(h->size, sizeof(h->size), &size, e) < 0 ||
        tar_number(h->mtime, sizeof(h->mtime), &mtime, e) < 0)
        return -e->code;
    if (!p->has_uid && tar_number(h->uid, sizeof(h->uid), &uid, e) < 0)
        return -e->code;
    if (!p->has_gid && tar_number(h->gid, sizeof(h->gid), &gid, e) < 0)
        return -e->code;
    if (size < 0)
        return err_set(e, EBADMSG, "archive: %s has a negative size", t->path);
    entry->mode = (uint32_t)mode & 07777;
    entry->uid = p->has_uid ? p->uid : uid < 0 ? TAR_ID_NONE : (uint64_t)uid;
    entry->gid = p->has_gid ? p->gid : gid < 0 ? TAR_ID_NONE : (uint64_t)gid;
    entry->mtime = p->has_mtime ? p->mtime : mtime;
    entry->mtime_ns = p->has_mtime ? p->mtime_ns : 0;
    entry->stored = p->has_size ? p->size : (uint64_t)size;
    entry->size = entry->stored;
    return 0;
}

/* The map of the old GNU form: in the header and the blocks behind it. */
static int take_gnu_map(struct tar *t, const uint8_t *header, struct err *e)
{
    uint8_t block[TAR_BLOCK];
    const uint8_t *pairs = header + GNU_SPARSE_HEADER_AT;
    size_t count = GNU_SPARSE_IN_HEADER;
    bool more = header[GNU_SPARSE_EXTENDED_AT];
    for (;;) {
        for (size_t i = 0; i < count; i++) {
            const char *pair = (const char *)pairs + i * 2 * GNU_NUMBER;
            int64_t offset = 0, length = 0;
            if (pair[0] == '\0')
                break;
            if (tar_number(pair, GNU_NUMBER, &offset, e) < 0 ||
                tar_number(pair + GNU_NUMBER, GNU_NUMBER, &length, e) < 0)
                return -e->code;
            if (offset < 0 || length < 0)
                return err_set(e, EBADMSG, "archive: a sparse map is malformed");
            int r = tar_extent_add(t, (uint64_t)offset, (uint64_t)length, e);
            if (r < 0)
                return r;
        }
        if (!more)
            break;
        int r = take_block(t, block, e);
        if (r <= 0)
            return r < 0 ? r : truncated(e);
        pairs = block;
        count = GNU_SPARSE_IN_BLOCK;
        more = block[GNU_SPARSE_BLOCK_EXTENDED_AT];
    }
    int64_t real = 0;
    if (tar_number((const char *)header + GNU_REAL_SIZE_AT, GNU_NUMBER, &real, e) < 0)
        return -e->code;
    if (real < 0)
        return err_set(e, EBADMSG, "archive: %s has a negative size", t->path);
    t->entry.size = (uint64_t)real;
    return 0;
}

/* Format 0.1: OFFSET,LENGTH,… */
static int parse_map_text(struct tar *t, const char *map, struct err *e)
{
    uint64_t pair[2] = {0};
    size_t n = 0;
    for (const char *at = map; at; n++) {
        const char *comma = strchr(at, ',');
        int r = tar_decimal(at, comma ? (size_t)(comma - at) : strlen(at), &pair[n % 2], e);
        if (r == 0 && n % 2 == 1)
            r = tar_extent_add(t, pair[0], pair[1], e);
        if (r < 0)
            return r;
        at = comma ? comma + 1 : NULL;
    }
    return n % 2 ? err_set(e, EBADMSG, "archive: a sparse map is malformed") : 0;
}

/* One number of format 1.0: decimal digits and a newline, somewhere in blocks in front of the data. */
struct map_reader {
    uint8_t block[TAR_BLOCK];
    size_t at;
};

static int map_number(struct tar *t, struct map_reader *m, uint64_t *ret_value, struct err *e)
{
    char digits[24];
    size_t n = 0;
    for (;;) {
        if (m->at == TAR_BLOCK) {
            int r = t->entry.stored < TAR_BLOCK ? 0 : take_block(t, m->block, e);
            if (r <= 0)
                return r < 0 ? r : truncated(e);
            t->entry.stored -= TAR_BLOCK;
            m->at = 0;
        }
        char c = (char)m->block[m->at++];
        if (c == '\n')
            return tar_decimal(digits, n, ret_value, e);
        if (n == sizeof(digits))
            return err_set(e, EBADMSG, "archive: a sparse map is malformed");
        digits[n++] = c;
    }
}

static int take_map_blocks(struct tar *t, struct err *e)
{
    struct map_reader m = {.at = TAR_BLOCK};
    uint64_t count = 0;
    int r = map_number(t, &m, &count, e);
    for (uint64_t i = 0; r == 0 && i < count; i++) {
        uint64_t offset = 0, length = 0;
        r = map_number(t, &m, &offset, e);
        if (r == 0)
            r = map_number(t, &m, &length, e);
        if (r == 0)
            r = tar_extent_add(t, offset, length, e);
    }
    return r;
}

/* In order, without overlap, inside the file, and as long together as the data. */
static int check_extents(const struct tar *t, struct err *e)
{
    uint64_t end = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < t->extent_count; i++) {
        const struct tar_extent *x = &t->extents[i];
        if (x->offset < end || x->length > TAR_FILE_MAX || x->offset > TAR_FILE_MAX)
            return err_set(e, EBADMSG, "archive: the sparse map of %s is malformed", t->path);
        end = x->offset + x->length;
        sum += x->length;
    }
    if (end > t->entry.size || sum != t->entry.stored)
        return err_set(e, EBADMSG, "archive: the sparse map of %s does not fit its data", t->path);
    return 0;
}

static int take_sparse_map(struct tar *t, const struct tar_header *h, const struct tar_pax *p, struct err *e)
{
    int r = 0;
    if (h->type == 'S') {
        r = take_gnu_map(t, (const uint8_t *)h, e);
    } else {
        if (!p->has_real_size)
            return err_set(e, EBADMSG, "archive: the sparse file %s has no size", t->path);
        t->entry.size = p->real_size;
        if (p->sparse_major == 1 && p->sparse_minor == 0)
            r = take_map_blocks(t, e);
        else if (p->sparse_major != 0)
            r = err_set(e, EBADMSG, "archive: %s has an unknown sparse format", t->path);
        else if (p->sparse_map)
            r = parse_map_text(t, p->sparse_map, e);
    }
    t->entry.sparse = true;
    return r < 0 ? r : check_extents(t, e);
}

static int finish_entry(struct tar *t, const struct tar_header *h, struct err *e)
{
    struct tar_pax p = {0};
    struct tar_entry *entry = &t->entry;
    *entry = (struct tar_entry){.path = t->path, .target = t->target};
    t->extent_count = 0;
    int r = put_header_names(t, h, e);
    if (r == 0 && t->had_pax)
        r = tar_pax_parse(t, &p, e);
    if (r == 0)
        r = put_long_names(t, &p, e);
    if (r == 0)
        r = type_of(h, t->path, &entry->type, e);
    if (r == 0)
        r = put_numbers(t, h, &p, e);
    if (r < 0)
        return r;
    if (entry->type != TAR_FILE) {
        /* A directory that is written as a file may still bring data in old archives; links and the like never do. */
        bool data = entry->type == TAR_DIRECTORY && h->type != '5';
        entry->stored = data ? entry->stored : 0;
        entry->size = 0;
    } else if (h->type == 'S' || p.sparse) {
        r = take_sparse_map(t, h, &p, e);
        if (r < 0)
            return r;
    }
    if (entry->size > TAR_FILE_MAX || entry->stored > TAR_FILE_MAX)
        return err_set(e, EFBIG, "archive: %s is too large", t->path);
    t->data_left = entry->stored;
    t->padding = padding_of(entry->stored);
    t->extent_at = 0;
    t->extent_done = 0;
    t->offset = 0;
    t->had_pax = false;
    t->long_path.length = 0;
    t->long_target.length = 0;
    return 0;
}

/* A block that is not an entry by itself. 1: it was one and its content is taken; 0: it is an entry. */
static int take_if_special(struct tar *t, const struct tar_header *h, struct err *e)
{
    if (!h->type || !strchr("xgLK", h->type))
        return 0;
    int64_t size = 0;
    int r = tar_number(h->size, sizeof(h->size), &size, e);
    if (r < 0)
        return r;
    if (size < 0)
        return err_set(e, EBADMSG, "archive: a header has a negative size");
    switch (h->type) {
    case 'g':
        r = skip(t, (uint64_t)size, e);
        return r < 0 ? r : skip(t, padding_of((uint64_t)size), e) < 0 ? -e->code : 1;
    case 'L':
        r = take_special(t, (uint64_t)size, &t->long_path, e);
        break;
    case 'K':
        r = take_special(t, (uint64_t)size, &t->long_target, e);
        break;
    default:
        r = take_special(t, (uint64_t)size, &t->pax, e);
        t->had_pax = true;
        break;
    }
    return r < 0 ? r : 1;
}

/* The end of the archive: a zero block was seen. Another follows, or the stream ends. */
static int take_end(struct tar *t, struct err *e)
{
    uint8_t block[TAR_BLOCK];
    int r = take_block(t, block, e);
    if (r < 0)
        return r;
    if (r > 0 && !tar_block_is_zero(block))
        return err_set(e, EBADMSG, "archive: a lone zero block between entries");
    t->ended = true;
    return 0;
}

int tar_next(struct tar *t, const struct tar_entry **ret_entry, struct err *e)
{
    union {
        uint8_t bytes[TAR_BLOCK];
        struct tar_header header;
    } block;
    if (t->ended)
        return 0;
    int r = skip(t, t->data_left, e);
    if (r == 0)
        r = skip(t, t->padding, e);
    t->data_left = 0;
    t->padding = 0;
    while (r == 0) {
        r = take_block(t, block.bytes, e);
        if (r < 0)
            return r;
        if (r == 0) {
            t->ended = true;
            return t->had_pax || t->long_path.length || t->long_target.length ? truncated(e) : 0;
        }
        if (tar_block_is_zero(block.bytes))
            return take_end(t, e);
        if (!tar_checksum_ok(&block.header))
            return err_set(e, EBADMSG, "archive: the checksum of a header is wrong (not a tar archive?)");
        r = take_if_special(t, &block.header, e);
        if (r == 0) {
            r = finish_entry(t, &block.header, e);
            *ret_entry = &t->entry;
            return r < 0 ? r : 1;
        }
        r = r < 0 ? r : 0;
    }
    return r;
}

/* How much of the data belongs together, and where. */
static uint64_t run_length(struct tar *t, uint64_t *ret_offset)
{
    if (!t->entry.sparse) {
        *ret_offset = t->offset;
        return t->data_left;
    }
    while (t->extent_at < t->extent_count && t->extents[t->extent_at].length == t->extent_done) {
        t->extent_at++;
        t->extent_done = 0;
    }
    if (t->extent_at == t->extent_count)
        return 0;
    *ret_offset = t->extents[t->extent_at].offset + t->extent_done;
    return t->extents[t->extent_at].length - t->extent_done;
}

int tar_read(struct tar *t, const uint8_t **ret_data, size_t *ret_length, uint64_t *ret_offset, struct err *e)
{
    if (t->data_left == 0)
        return 0;
    uint64_t offset = 0;
    uint64_t run = run_length(t, &offset);
    if (run == 0)
        return 0;
    int r = take(t, run, ret_data, ret_length, e);
    if (r <= 0)
        return r < 0 ? r : truncated(e);
    *ret_offset = offset;
    t->data_left -= *ret_length;
    t->extent_done += *ret_length;
    t->offset += *ret_length;
    return 1;
}

int tar_drain(struct tar *t, struct err *e)
{
    const uint8_t *data;
    size_t n;
    int r;
    while ((r = take(t, UINT64_MAX, &data, &n, e)) > 0)
        ;
    return r;
}
