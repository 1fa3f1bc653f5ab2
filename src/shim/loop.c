/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's life: one poll(2) loop without timers while nothing is out of the ordinary. It ends when the container's
 * first process is gone, its output has been delivered and logged, and the record is written.
 */
#include <errno.h>
#include <poll.h>

#include "shim/shim.h"

enum slot {
    SLOT_PIDFD,
    SLOT_LISTEN,
    SLOT_INPUT,
    SLOT_FORWARD,
    SLOT_OUTPUT,
    SLOT_CLIENTS = SLOT_OUTPUT + 2,
    SLOT_END = SLOT_CLIENTS + CLIENTS_MAX
};

/* The most that a pipe can still hold when its last writer is gone (fs.pipe-max-size for those without privileges). */
#define LEFT_IN_PIPE_MAX (1024 * 1024)

static void set_slot(struct pollfd *p, int fd, short events)
{
    /* A descriptor that is not asked about must not report that it was hung up, or the loop would spin. */
    *p = (struct pollfd){.fd = events ? fd : -1, .events = events};
}

static uint32_t waiting_clients(const struct shim *s)
{
    return s->streams[0].waiting | s->streams[1].waiting;
}

static void fill_slots(const struct shim *s, struct pollfd slots[SLOT_END])
{
    bool input_free = !input_pending(&s->input);
    uint32_t waiting = waiting_clients(s);
    set_slot(&slots[SLOT_PIDFD], SHIM_FD_PIDFD, s->exited ? 0 : POLLIN);
    set_slot(&slots[SLOT_LISTEN], SHIM_FD_LISTEN, s->listening && client_slot_free(s) ? POLLIN : 0);
    set_slot(&slots[SLOT_INPUT], s->input.fd, input_free ? 0 : POLLOUT);
    set_slot(&slots[SLOT_FORWARD], SHIM_FD_FORWARD, s->forward.blocked ? POLLOUT : 0);
    for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++)
        set_slot(&slots[SLOT_OUTPUT + i], s->streams[i].fd, stream_readable(s, &s->streams[i]) ? POLLIN : 0);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        short events = (short)((input_free ? POLLIN : 0) | (waiting & (1U << i) ? POLLOUT : 0));
        set_slot(&slots[SLOT_CLIENTS + i], s->clients[i].fd,
                 s->clients[i].hung_up && !input_free ? 0 : events);
    }
}

static bool log_stuck(const struct shim *s)
{
    return s->log.failing || s->streams[0].log_blocked || s->streams[1].log_blocked;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Milliseconds until something has to be looked at again, -1: never. */
static int next_timeout(const struct shim *s, int64_t now)
{
    int64_t wait = INT64_MAX;
    if (log_stuck(s))
        wait = LOG_RETRY;
    if (s->streams[0].silent_until > 0)
        wait = earlier(wait, s->streams[0].silent_until - now);
    if (s->awaiting)
        wait = earlier(wait, s->awaiting_until - now);
    /* Once the limit has passed an empty stream must be seen at once. */
    if (s->exited && (stream_readable(s, &s->streams[0]) || stream_readable(s, &s->streams[1])))
        wait = earlier(wait, s->exited_at + DRAIN_LIMIT - now);
    if (wait == INT64_MAX)
        return -1;
    return wait <= 0 ? 0 : (int)(wait / MILLISECOND) + 1;
}

static void serve_clients(struct shim *s, const struct pollfd slots[SLOT_END])
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        short events = slots[SLOT_CLIENTS + i].revents;
        if (events & (POLLHUP | POLLERR))
            s->clients[i].hung_up = true;
        if (events & (POLLOUT | POLLHUP | POLLERR))
            for (size_t k = 0; k < ARRAY_SIZE(s->streams); k++)
                if (s->streams[k].waiting & (1U << i))
                    stream_advance(s, &s->streams[k]);
        if (events & (POLLIN | POLLHUP | POLLERR) && s->clients[i].fd >= 0 && !input_pending(&s->input))
            client_receive(s, i);
    }
}

static void serve_streams(struct shim *s, const struct pollfd slots[SLOT_END])
{
    s->busy = false;
    for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
        struct stream *st = &s->streams[i];
        st->more = slots[SLOT_OUTPUT + i].revents != 0;
        for (int n = 0; n < STREAM_READS && st->more && stream_readable(s, st); n++)
            stream_read(s, st);
        s->busy |= st->more && stream_readable(s, st);
    }
}

static void serve_log(struct shim *s)
{
    bool flushed = log_flush(&s->log);
    for (size_t i = 0; flushed && i < ARRAY_SIZE(s->streams); i++)
        if (s->streams[i].log_blocked)
            stream_advance(s, &s->streams[i]);
    if (flushed)
        (void)log_flush(&s->log);
}

/*
 * After the exit of the first process nothing in its pid namespace lives, so what the pipes hold is all there will be, and
 * then comes their end. Who holds one from elsewhere is not waited for: once the limit has passed an empty pipe is
 * taken for its end, and so is one that does not run dry.
 */
static void end_streams(struct shim *s, int64_t now, const struct pollfd slots[SLOT_END])
{
    bool late = now >= s->exited_at + DRAIN_LIMIT;
    for (size_t i = 0; i < ARRAY_SIZE(s->streams); i++) {
        struct stream *st = &s->streams[i];
        if (!late || !stream_readable(s, st))
            continue;
        bool was_asked = slots[SLOT_OUTPUT + i].fd >= 0;
        if ((was_asked && !slots[SLOT_OUTPUT + i].revents) || st->late > LEFT_IN_PIPE_MAX)
            stream_end(s, st);
    }
    if (!log_stuck(s))
        s->stuck_since = 0;
    else if (s->stuck_since == 0)
        s->stuck_since = now;
    else if (now >= s->stuck_since + GIVE_UP_LIMIT)
        log_give_up(&s->log);
}

static bool all_done(const struct shim *s)
{
    return s->exited && stream_done(&s->streams[0]) && stream_done(&s->streams[1]) && !log_stuck(s) &&
           s->log.start == s->log.end;
}

static void tell_clients(struct shim *s)
{
    int64_t until = shim_monotonic() + EXIT_SEND_LIMIT;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        while (s->clients[i].fd >= 0) {
            if (client_send(s, i, SHIM_EXIT, &s->status, sizeof(s->status)) != SEND_LATER)
                break;
            int64_t left = until - shim_monotonic();
            struct pollfd p = {.fd = s->clients[i].fd, .events = POLLOUT};
            if (left <= 0 || poll(&p, 1, (int)(left / MILLISECOND) + 1) == 0)
                break;
        }
    }
}

static void step(struct shim *s, const struct pollfd slots[SLOT_END], int64_t now)
{
    if (s->awaiting && now >= s->awaiting_until)
        s->awaiting = false;
    /* What a terminal still holds is read at once, not when it would have been tried again. */
    if (!s->exited && slots[SLOT_PIDFD].revents && exit_collect(s))
        s->streams[0].silent_until = 0;
    if (slots[SLOT_LISTEN].revents)
        client_accept(s);
    if (slots[SLOT_INPUT].revents)
        input_write(s);
    if (slots[SLOT_FORWARD].revents)
        s->forward.blocked = false;
    serve_clients(s, slots);
    serve_streams(s, slots);
    if (!s->busy || s->log.failing)
        serve_log(s);
    if (s->exited)
        end_streams(s, now, slots);
}

/* What nobody has been told of yet. */
static void finish_log(struct shim *s)
{
    int64_t now = shim_now();
    if (s->config.log_flags & SHIM_LOG_NONE) {
        s->log.lost += s->forward.unsent;
        return;
    }
    if (s->forward.unsent > 0)
        (void)log_tell_unsent(&s->log, s->forward.unsent, s->streams[0].name, now);
    log_finish(&s->log, s->streams[0].name, now);
}

void loop_run(struct shim *s)
{
    while (!all_done(s)) {
        struct pollfd slots[SLOT_END];
        fill_slots(s, slots);
        int n = poll(slots, SLOT_END, s->busy ? 0 : next_timeout(s, shim_monotonic()));
        if (n < 0 && errno != EINTR && errno != ENOMEM)
            break;
        if (n <= 0)
            for (size_t i = 0; i < SLOT_END; i++)
                slots[i].revents = 0;
        int64_t now = shim_monotonic();
        if (now >= s->streams[0].silent_until)
            s->streams[0].silent_until = 0;
        step(s, slots, now);
    }
    finish_log(s);
    exit_record(s);
    tell_clients(s);
}
