/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the log (log.h). Every step can fail and is tried again later, so none may depend on an earlier one having
 * happened only once.
 */
#include "shim/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shimproto.h"

#define TAIL_BLOCK 32
#define FILE_BLOCK 16384U

_Static_assert(LOG_BUFFER - FILE_BLOCK > LOG_LINE_MAX,
               "without a whole block of the file there is room for a line");
_Static_assert(LOGCHAIN_PADDING <= LOGCHAIN_MEMBER_MAX,
               "behind a line there is room for the padding of its hash");

_Static_assert(ENCODE_TAIL_MAX % TAIL_BLOCK == 0, "a tail is copied in whole blocks");

int log_open(struct log *l, int shim_dir, const char *id)
{
    l->fd = -1;
    l->head = -1;
    l->files = l->files > 0 ? l->files : 1;
    if (mkdirat(shim_dir, SHIM_LOG_DIR, 0700) < 0 && errno != EEXIST)
        return -errno;
    l->dir = openat(shim_dir, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l->dir < 0)
        return -errno;
    /* A full disk is no reason to fail: the first line will wait for it. */
    int r = log_open_newest(l);
    if (r < 0 && r != -ENOSPC && r != -EDQUOT)
        return r;
    return log_head_open(l, id);
}

/* Writes what is pending in front of buffer[end]. False: the disk refuses. */
static bool write_until(struct log *l, size_t end)
{
    while (l->start < end) {
        if (l->fd < 0 && log_open_newest(l) < 0)
            break;
        ssize_t n = write(l->fd, l->buffer + l->start, end - l->start);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        l->start += (size_t)n;
    }
    l->failing = l->start < end;
    return !l->failing;
}

bool log_flush(struct log *l)
{
    bool wrote = l->start < l->end;
    /* Before the first record: a log without a head is one whose head was removed. */
    if (wrote && l->head < 0 && !log_head_write(l)) {
        l->failing = true;
        return false;
    }
    if (!write_until(l, l->end))
        return false;
    l->start = l->end = 0;
    if (wrote) {
        l->state.last = l->chain;
        (void)log_head_write(l);
    }
    return true;
}

/* The last record that ends in front of buffer[end] is where the log ends now. */
static void note_end(struct log *l, size_t end)
{
    const char *newline = memrchr(l->buffer, '\n', end);
    size_t length = newline ? (size_t)(newline - l->buffer) + 1 : 0;
    size_t member = length < LOGCHAIN_MEMBER_MAX ? length : LOGCHAIN_MEMBER_MAX;
    struct logchain last;
    if (logchain_parse_member(l->buffer + length - member, member, &last) == 0 ||
        last.number <= l->state.last.number)
        return;
    l->state.last = last;
    (void)log_head_write(l);
}

/* While more is coming only whole blocks of the file are written, whatever records they end in: the kernel then takes large pieces of memory
 * for them and touches none twice. */
static bool flush_blocks(struct log *l)
{
    size_t rest = (size_t)(l->size % FILE_BLOCK);
    if (l->fd < 0 || l->head < 0 || rest >= l->end - l->start)
        return log_flush(l);
    size_t cut = l->end - rest;
    if (!write_until(l, cut))
        return false;
    note_end(l, cut);
    memmove(l->buffer, l->buffer + cut, rest);
    l->start = 0;
    l->end = rest;
    return true;
}

/* True when the record has the tail of the one before. */
static bool make_tail(struct log *l, const char *stream, int64_t now)
{
    struct log_tail *t = &l->tail;
    if (t->stream == stream && t->time == now)
        return true;
    t->length = encode_tail(stream, l->attrs, now, t->text);
    t->stream = stream;
    t->time = now;
    return false;
}

/* Where the tail is copied to there is room for a line, so whole blocks are moved: a call would cost more. */
static void put_tail(char *to, const char *tail, size_t length)
{
    for (size_t i = 0; i < length; i += TAIL_BLOCK)
        memcpy(to + i, tail + i, TAIL_BLOCK);
}

/* Room for the longest line; false: the disk refuses. */
static bool make_room(struct log *l)
{
    return LOG_BUFFER - l->end >= LOG_LINE_MAX || flush_blocks(l);
}

/* The line at buffer[end], of which there is the head and `text` bytes of text, becomes a record. The tail has room for whole blocks. */
static bool commit(struct log *l, size_t text, const char *tail, size_t tail_length, bool same_tail)
{
    char *line = l->buffer + l->end;
    size_t length = LOGCHAIN_HEAD_LENGTH + text + tail_length;
    if (l->size_max > 0 && l->size > 0 && l->size + length + LOGCHAIN_MEMBER_MAX > l->size_max) {
        if (!log_flush(l))
            return false;
        if (!log_rotate(l)) {
            l->failing = true;
            return false;
        }
        same_tail = false;
        memmove(l->buffer, line, LOGCHAIN_HEAD_LENGTH + text);
        line = l->buffer;
    }
    char *at = line + LOGCHAIN_HEAD_LENGTH;
    if (same_tail) {
        logchain_add_in_place(&l->chain, at, text);
        put_tail(at + text, tail, tail_length);
    } else {
        put_tail(at + text, tail, tail_length);
        logchain_add_in_place(&l->chain, at, text + tail_length);
    }
    length += logchain_put(&l->chain, line + length);
    l->end += length;
    l->size += length;
    return true;
}

/* A record without text that says how much is missing: "lost" here, "unsent" elsewhere. */
static bool add_count(struct log *l, const char *member, uint64_t count, const char *stream, int64_t now)
{
    char tail[ENCODE_TAIL_MAX];
    if (!make_room(l))
        return false;
    memcpy(l->buffer + l->end, LOGCHAIN_HEAD, LOGCHAIN_HEAD_LENGTH);
    size_t length = encode_tail(stream, l->attrs, now, tail);
    length += encode_number(member, count, tail + length);
    if (!commit(l, 0, tail, length, false))
        return false;
    l->tail.stream = NULL;
    return true;
}

static bool tell_gap(struct log *l, const char *stream, int64_t now)
{
    if (l->gap > 0 && !add_count(l, "lost", l->gap, stream, now))
        return false;
    l->gap = 0;
    return true;
}

bool log_tell_unsent(struct log *l, uint64_t length, const char *stream, int64_t now)
{
    return l->given_up || add_count(l, "unsent", length, stream, now);
}

void log_finish(struct log *l, const char *stream, int64_t now)
{
    if (l->given_up)
        return;
    if (!tell_gap(l, stream, now) || !log_flush(l))
        log_give_up(l);
}

bool log_add(struct log *l, const unsigned char *data, size_t length, const char *stream, int64_t now)
{
    if (l->given_up) {
        l->lost += length;
        return true;
    }
    if (!tell_gap(l, stream, now) || !make_room(l))
        return false;
    bool same_tail = make_tail(l, stream, now);
    char *line = l->buffer + l->end;
    memcpy(line, LOGCHAIN_HEAD, LOGCHAIN_HEAD_LENGTH);
    size_t text = encode_text(data, length, line + LOGCHAIN_HEAD_LENGTH);
    if (commit(l, text, l->tail.text, l->tail.length, same_tail))
        return true;
    l->tail.stream = NULL;
    return false;
}

void log_skip(struct log *l, size_t length)
{
    l->gap += length;
}

void log_give_up(struct log *l)
{
    l->given_up = true;
    l->failing = false;
    l->lost += l->end - l->start + l->gap;
    l->start = l->end = 0;
}
