/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contents of an image archive (members.h). Untrusted input. */
#include "workers/unpack/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "workers/unpack/limits.h"
#include "workers/unpack/name.h"
#include "workers/unpack/stream.h"

#define READ_SIZE (64U << 10)

/* A member that is a link to another one: `docker save` wrote those for layers that occur twice. */
struct link {
    char name[MESSAGE_MEMBER_MAX];
    char target[MESSAGE_MEMBER_MAX];
};

struct members {
    struct tar tar;
    struct stream *stream; /* or NULL: */
    int archive;           /* read in place */
    int spool;
    uint64_t position; /* of the end of the chunk that was given last */
    struct message_unpack_member *items;
    size_t count;
    size_t capacity;
    struct link *links;
    size_t link_count;
    uint8_t buffer[READ_SIZE];
};

static void members_free(struct members *m)
{
    tar_close(&m->tar);
    stream_close(m->stream);
    free(m->items);
    free(m->links);
    free(m);
}
DEFINE_CLEANUP(struct members *, members_free);
#define _cleanup_members_ _cleanup_(members_freep)

static int next_in_place(void *context, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    struct members *m = context;
    ssize_t n;
    do
        n = pread(m->archive, m->buffer, sizeof(m->buffer), (off_t)m->position);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, "read the archive");
    m->position += (uint64_t)n;
    *ret_data = m->buffer;
    *ret_length = (size_t)n;
    return 0;
}

static int seek_in_place(void *context, uint64_t length, struct err *e)
{
    struct members *m = context;
    if (length > STREAM_BYTES_MAX)
        return err_set(e, EFBIG, "archive: larger than %llu bytes", STREAM_BYTES_MAX);
    m->position += length;
    return 0;
}

static int next_spooled(void *context, const uint8_t **ret_data, size_t *ret_length, struct err *e)
{
    struct members *m = context;
    int r = stream_next(m->stream, ret_data, ret_length, e);
    if (r == 0 && *ret_length > 0)
        r = io_write_all(m->spool, *ret_data, *ret_length, e);
    m->position = stream_position(m->stream);
    return r;
}

/* What a link means, by its text alone; ret: MESSAGE_MEMBER_MAX bytes. False: nothing in the archive. */
static bool resolve_link(const char *from, const char *target, char *ret)
{
    size_t used = 0;
    const char *slash = strrchr(from, '/');
    if (target[0] == '/')
        return false;
    if (slash) {
        used = (size_t)(slash - from);
        memcpy(ret, from, used);
    }
    for (const char *at = target; *at;) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            if (used == 0)
                return false;
            while (used > 0 && ret[--used] != '/')
                ;
        } else if (n > 0 && !(n == 1 && at[0] == '.')) {
            if (used + n + 2 > MESSAGE_MEMBER_MAX)
                return false;
            if (used > 0)
                ret[used++] = '/';
            memcpy(ret + used, at, n);
            used += n;
        }
        at += n + (at[n] == '/');
    }
    ret[used] = '\0';
    return used > 0;
}

static int add_member(struct members *m, const char *name, uint64_t offset, uint64_t size, struct err *e)
{
    if (m->count == ARCHIVE_MEMBERS_MAX)
        return err_set(e, E2BIG, "archive: more than %u members", ARCHIVE_MEMBERS_MAX);
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 256;
        struct message_unpack_member *grown = reallocarray(m->items, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        m->items = grown;
        m->capacity = capacity;
    }
    struct message_unpack_member *item = &m->items[m->count++];
    *item = (struct message_unpack_member){.offset = offset, .size = size};
    return str_put(item->name, sizeof(item->name), name, e);
}

static int add_link(struct members *m, const char *name, const struct tar_entry *entry, struct err *e)
{
    struct link l = {0};
    const char *from = entry->type == TAR_SYMLINK ? name : "";
    if (m->link_count == ARCHIVE_LINKS_MAX)
        return err_set(e, E2BIG, "archive: more than %u links", ARCHIVE_LINKS_MAX);
    if (!resolve_link(from, entry->target, l.target))
        return 0;
    int r = str_put(l.name, sizeof(l.name), name, e);
    if (r < 0)
        return r;
    struct link *grown = reallocarray(m->links, m->link_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    m->links = grown;
    m->links[m->link_count++] = l;
    return 0;
}

/* Names that are too long are none that an image has. */
static int add_entry(struct members *m, const struct tar_entry *entry, struct err *e)
{
    char name[TAR_PATH_MAX + 1];
    int r = name_clean(entry->path, name, e);
    if (r < 0)
        return r;
    if (name[0] == '\0' || strlen(name) >= MESSAGE_MEMBER_MAX)
        return 0;
    if (entry->type == TAR_HARDLINK || entry->type == TAR_SYMLINK)
        return add_link(m, name, entry, e);
    if (entry->type != TAR_FILE)
        return 0;
    if (entry->sparse)
        return err_set(e, EBADMSG, "archive: the member '%.200s' is a sparse file", name);
    return add_member(m, name, m->position - m->tar.chunk_left, entry->stored, e);
}

/* The last of its name, as in a directory into which an archive is unpacked. */
static const struct message_unpack_member *find(const struct members *m, size_t count, const char *name)
{
    for (size_t i = count; i > 0; i--)
        if (str_equal(m->items[i - 1].name, name))
            return &m->items[i - 1];
    return NULL;
}

static const char *follow(const struct members *m, const char *name)
{
    for (unsigned depth = 0; depth < ARCHIVE_LINK_DEPTH_MAX; depth++) {
        const char *next = NULL;
        for (size_t i = 0; i < m->link_count && !next; i++)
            if (str_equal(m->links[i].name, name))
                next = m->links[i].target;
        if (!next)
            return name;
        name = next;
    }
    return name;
}

static int add_linked(struct members *m, struct err *e)
{
    size_t count = m->count;
    for (size_t i = 0; i < m->link_count; i++) {
        const struct message_unpack_member *found = find(m, count, follow(m, m->links[i].target));
        int r = found ? add_member(m, m->links[i].name, found->offset, found->size, e) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* Decides how the archive is read. */
static int begin(struct members *m, bool seekable, struct err *e)
{
    int r = stream_open(m->archive, LAYER_DETECT, false, &m->stream, e);
    if (r < 0)
        return r;
    if (!seekable || stream_compression(m->stream) != LAYER_PLAIN) {
        tar_open(&m->tar, next_spooled, m);
        return 0;
    }
    stream_close(m->stream);
    m->stream = NULL;
    tar_open(&m->tar, next_in_place, m);
    m->tar.seek = seek_in_place;
    return 0;
}

int members_find(int archive, bool seekable, int spool, int answer,
                 struct message_unpack_index_done *ret_done, struct err *e)
{
    _cleanup_members_ struct members *m = calloc(1, sizeof(*m));
    const struct tar_entry *entry;
    if (!m)
        return err_oom(e);
    m->archive = archive;
    m->spool = spool;
    int r = begin(m, seekable, e);
    while (r == 0 && (r = tar_next(&m->tar, &entry, e)) > 0)
        r = add_entry(m, entry, e);
    if (r == 0 && m->stream)
        r = tar_drain(&m->tar, e); /* a pipe is read to its end, and a compressed stream has to end well */
    if (r == 0)
        r = add_linked(m, e);
    if (r == 0 && m->count > 0)
        r = io_write_all(answer, m->items, m->count * sizeof(*m->items), e);
    if (r < 0)
        return r;
    *ret_done = (struct message_unpack_index_done){.in_place = !m->stream, .members = m->count};
    return 0;
}
