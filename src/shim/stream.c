/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output of the container. A chunk is read only when every client has the one before and the log has taken its lines: the
 * slowest reader presses back on the container, and memory stays one buffer per stream. Bytes to clients are never
 * altered; the log gets lines.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shim/shim.h"

void stream_open(struct stream *st, int fd, uint16_t packet, uint32_t want, const char *name, bool tty)
{
    st->fd = fd;
    st->packet = packet;
    st->want = want;
    st->name = name;
    st->tty = tty;
}

bool stream_readable(const struct shim *s, const struct stream *st)
{
    return st->fd >= 0 && !s->awaiting && st->silent_until == 0 && !st->waiting && !st->log_blocked;
}

bool stream_done(const struct stream *st)
{
    return st->fd < 0 && !st->waiting && !st->log_blocked;
}

/* The next line of data[logged .. length): its length with the newline, or of the part that is cut off; 0: not yet. */
static size_t next_line(const struct stream *st)
{
    const unsigned char *at = st->data + st->logged;
    size_t have = st->length - st->logged;
    size_t most = have < ENCODE_TEXT_MAX ? have : ENCODE_TEXT_MAX;
    size_t newline = encode_find_newline(at, most);
    if (newline < most)
        return newline + 1;
    if (have >= ENCODE_TEXT_MAX)
        return encode_cut(at, ENCODE_TEXT_MAX);
    return st->fd < 0 ? have : 0;
}

/* Sends a line to the journal or syslog. False: not now, nothing was done. */
static bool forward_line(struct shim *s, const struct stream *st, size_t n, int64_t now)
{
    struct forward *f = &s->forward;
    bool from_stderr = st->packet == SHIM_STDERR;
    bool drop = s->config.log_flags & SHIM_LOG_DROP;
    enum forward_result r = forward_send(f, st->data + st->logged, n, from_stderr, now);
    if (r == FORWARD_LATER && !drop && !s->log.given_up)
        return false;
    if (r != FORWARD_SENT)
        f->unsent += n;
    else if (f->unsent > 0 &&
             (s->config.log_flags & SHIM_LOG_NONE || log_tell_unsent(&s->log, f->unsent, st->name, now)))
        f->unsent = 0;
    return true;
}

/* Into the log. False: not now, nothing was done. */
static bool keep_line(struct shim *s, const struct stream *st, size_t n, int64_t now)
{
    if (s->config.log_flags & SHIM_LOG_NONE || log_add(&s->log, st->data + st->logged, n, st->name, now))
        return true;
    if (!(s->config.log_flags & SHIM_LOG_DROP))
        return false;
    log_skip(&s->log, n);
    return true;
}

static bool log_line(struct shim *s, struct stream *st, size_t n, int64_t now)
{
    if (s->forward.kind && !st->forwarded) {
        if (!forward_line(s, st, n, now))
            return false;
        st->forwarded = true;
    }
    if (!keep_line(s, st, n, now))
        return false;
    st->forwarded = false;
    return true;
}

static void log_lines(struct shim *s, struct stream *st)
{
    int64_t now = 0;
    st->log_blocked = false;
    for (size_t n; (n = next_line(st)) > 0; st->logged += n) {
        if (now == 0)
            now = shim_now();
        if (!log_line(s, st, n, now)) {
            st->log_blocked = true;
            return;
        }
    }
}

static void send_chunk(struct shim *s, struct stream *st)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (!(st->waiting & (1U << i)))
            continue;
        enum send_result r = client_send(s, i, st->packet, st->data + st->sent, st->length - st->sent);
        if (r == SEND_DONE)
            st->waiting &= ~(1U << i);
    }
}

void stream_advance(struct shim *s, struct stream *st)
{
    if (st->waiting)
        send_chunk(s, st);
    log_lines(s, st);
    if (st->waiting || st->log_blocked || st->logged == 0)
        return;
    memmove(st->data, st->data + st->logged, st->length - st->logged);
    st->length -= st->logged;
    st->logged = 0;
}

void stream_end(struct shim *s, struct stream *st)
{
    if (!st->tty)
        close_fd(&st->fd);
    st->fd = -1;
    stream_advance(s, st);
}

static uint32_t clients_wanting(const struct shim *s, uint32_t want)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0 && s->clients[i].hello && (s->clients[i].wants & want))
            bits |= 1U << i;
    return bits;
}

void stream_read(struct shim *s, struct stream *st)
{
    ssize_t n = read(st->fd, st->data + st->length, STREAM_READ);
    st->more = n == STREAM_READ;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    /* A terminal that nobody has open just now says EIO; somebody may open it again as long as the container lives. */
    if (n < 0 && errno == EIO && st->tty && !s->exited) {
        st->silent_until = shim_monotonic() + TTY_RETRY;
        return;
    }
    if (n <= 0) {
        stream_end(s, st);
        return;
    }
    st->sent = st->length;
    st->length += (size_t)n;
    st->late += s->exited ? (size_t)n : 0;
    st->waiting = clients_wanting(s, st->want);
    stream_advance(s, st);
}
