/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tar archives (tar_write.h). Names and attributes are those of a hostile tree: they are bytes, and every length is checked. */
#include "workers/files/tar_write.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "workers/unpack/tar_header.h"

#define OCTAL_SIZE_MAX 077777777777ULL /* eleven digits */
#define OCTAL_ID_MAX 07777777ULL       /* seven digits */
#define PAX_NAME "PaxHeaders/"
#define PAX_MODE 0644
#define PAX_MAX (TAR_SPECIAL_MAX)
#define DECIMAL_MAX 24 /* digits of a length, with room */

void tar_writer_open(struct tar_writer *w, int fd)
{
    w->fd = fd;
    w->used = 0;
    w->written = 0;
}

/* The stream may be a user's terminal or pipe that does not block. */
static int write_out(int fd, const uint8_t *data, size_t length, struct err *e)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (n < 0 && errno == EAGAIN)
            (void)poll(&wait, 1, -1);
        else if (n < 0 && errno != EINTR)
            return err_errno(e, "write the archive");
        if (n <= 0)
            continue;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int tar_write_flush(struct tar_writer *w, struct err *e)
{
    int r = write_out(w->fd, w->buffer, w->used, e);
    w->used = 0;
    return r;
}

int tar_write_data(struct tar_writer *w, const void *data, size_t length, struct err *e)
{
    const uint8_t *at = data;
    w->written += length;
    while (length > 0) {
        size_t n = sizeof(w->buffer) - w->used;
        n = n < length ? n : length;
        memcpy(w->buffer + w->used, at, n);
        w->used += n;
        at += n;
        length -= n;
        int r = w->used == sizeof(w->buffer) ? tar_write_flush(w, e) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int tar_write_padding(struct tar_writer *w, uint64_t size, struct err *e)
{
    static const uint8_t zeros[TAR_BLOCK];
    return tar_write_data(w, zeros, (size_t)(-size & (TAR_BLOCK - 1)), e);
}

int tar_write_end(struct tar_writer *w, struct err *e)
{
    static const uint8_t zeros[2 * TAR_BLOCK];
    int r = tar_write_data(w, zeros, sizeof(zeros), e);
    return r < 0 ? r : tar_write_flush(w, e);
}

/* A value that does not fit is 0 here and stands in the pax header. */
static void put_octal(char *field, size_t size, uint64_t value, uint64_t max)
{
    char text[DECIMAL_MAX];
    (void)snprintf(text, sizeof(text), "%0*llo", (int)size - 1,
                   (unsigned long long)(value <= max ? value : 0));
    memcpy(field, text, size);
}

static char type_letter(enum tar_type type)
{
    static const char letters[] = {
        [TAR_FILE] = '0',         [TAR_HARDLINK] = '1',  [TAR_SYMLINK] = '2', [TAR_CHAR_DEVICE] = '3',
        [TAR_BLOCK_DEVICE] = '4', [TAR_DIRECTORY] = '5', [TAR_FIFO] = '6',
    };
    return letters[type];
}

static void put_cut(char *field, size_t size, const char *text)
{
    size_t n = strlen(text);
    memcpy(field, text, n < size ? n : size);
}

static int write_block(struct tar_writer *w, struct tar_header *h, struct err *e)
{
    const uint8_t *bytes = (const uint8_t *)h;
    unsigned sum = 0;
    memcpy(h->magic, "ustar", sizeof(h->magic));
    memcpy(h->version, "00", sizeof(h->version));
    memset(h->checksum, ' ', sizeof(h->checksum));
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += bytes[i];
    put_octal(h->checksum, sizeof(h->checksum) - 1, sum, UINT32_MAX);
    return tar_write_data(w, h, sizeof(*h), e);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static int add_record(struct buf *b, const char *key, const void *value, size_t length, struct err *e)
{
    size_t rest = strlen(key) + length + 3; /* blank, '=', newline */
    size_t total = rest + 1;
    char digits[DECIMAL_MAX];
    while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + rest != total)
        total = (size_t)snprintf(digits, sizeof(digits), "%zu", total) + rest;
    int r = buf_printf(b, PAX_MAX, e, "%zu %s=", total, key);
    if (r == 0)
        r = buf_add(b, value, length, PAX_MAX, e);
    return r < 0 ? r : buf_add(b, "\n", 1, PAX_MAX, e);
}

static int add_number(struct buf *b, const char *key, int64_t value, struct err *e)
{
    char text[DECIMAL_MAX];
    int n = snprintf(text, sizeof(text), "%lld", (long long)value);
    return add_record(b, key, text, (size_t)n, e);
}

static int add_xattr(struct buf *b, const struct tar_xattr *x, struct err *e)
{
    _cleanup_free_ char *key = NULL;
    int r = str_format(&key, e, "SCHILY.xattr.%s", x->name);
    return r < 0 ? r : add_record(b, key, x->value, x->length, e);
}

static int collect_pax(const struct tar_entry *entry, struct buf *b, struct err *e)
{
    const size_t name_max = sizeof(((struct tar_header *)0)->name);
    int r = 0;
    if (strlen(entry->path) > name_max)
        r = add_record(b, "path", entry->path, strlen(entry->path), e);
    if (r == 0 && strlen(entry->target) > name_max)
        r = add_record(b, "linkpath", entry->target, strlen(entry->target), e);
    if (r == 0 && entry->size > OCTAL_SIZE_MAX)
        r = add_number(b, "size", (int64_t)entry->size, e);
    if (r == 0 && entry->uid > OCTAL_ID_MAX)
        r = add_number(b, "uid", (int64_t)entry->uid, e);
    if (r == 0 && entry->gid > OCTAL_ID_MAX)
        r = add_number(b, "gid", (int64_t)entry->gid, e);
    if (r == 0 && (entry->mtime < 0 || (uint64_t)entry->mtime > OCTAL_SIZE_MAX))
        r = add_number(b, "mtime", entry->mtime, e);
    for (size_t i = 0; r == 0 && i < entry->xattr_count; i++)
        r = add_xattr(b, &entry->xattrs[i], e);
    return r;
}

static int write_pax(struct tar_writer *w, const struct tar_entry *entry, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    const char *slash = strrchr(entry->path, '/');
    struct tar_header h = {.type = 'x'};
    int r = collect_pax(entry, &b, e);
    if (r < 0 || b.length == 0)
        return r;
    memcpy(h.name, PAX_NAME, sizeof(PAX_NAME) - 1);
    put_cut(h.name + sizeof(PAX_NAME) - 1, sizeof(h.name) - sizeof(PAX_NAME),
            slash && slash[1] ? slash + 1 : "entry");
    put_octal(h.mode, sizeof(h.mode), PAX_MODE, OCTAL_ID_MAX);
    put_octal(h.uid, sizeof(h.uid), 0, OCTAL_ID_MAX);
    put_octal(h.gid, sizeof(h.gid), 0, OCTAL_ID_MAX);
    put_octal(h.size, sizeof(h.size), b.length, OCTAL_SIZE_MAX);
    put_octal(h.mtime, sizeof(h.mtime), 0, OCTAL_SIZE_MAX);
    r = write_block(w, &h, e);
    if (r == 0)
        r = tar_write_data(w, b.data, b.length, e);
    return r < 0 ? r : tar_write_padding(w, b.length, e);
}

int tar_write_header(struct tar_writer *w, const struct tar_entry *entry, struct err *e)
{
    struct tar_header h = {.type = type_letter(entry->type)};
    int r = write_pax(w, entry, e);
    if (r < 0)
        return r;
    put_cut(h.name, sizeof(h.name), entry->path);
    put_cut(h.linkname, sizeof(h.linkname), entry->target);
    put_octal(h.mode, sizeof(h.mode), entry->mode, OCTAL_ID_MAX);
    put_octal(h.uid, sizeof(h.uid), entry->uid, OCTAL_ID_MAX);
    put_octal(h.gid, sizeof(h.gid), entry->gid, OCTAL_ID_MAX);
    put_octal(h.size, sizeof(h.size), entry->size, OCTAL_SIZE_MAX);
    put_octal(h.mtime, sizeof(h.mtime), entry->mtime < 0 ? UINT64_MAX : (uint64_t)entry->mtime,
              OCTAL_SIZE_MAX);
    return write_block(w, &h, e);
}
