/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with a container through its shim (session.h). The shim runs without privileges and is not trusted with more than its job: each packet is
 * checked for its exact length.
 */
#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/shimproto.h"
#include "cli/run_options.h"
#include "cli/streams.h"
#include "cli/verbs.h"
#include "engine/attach.h"
#include "engine/events.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"

#define SIGNALED_BASE 128

struct session {
    const struct store *s;
    struct container *c;
    const struct session_options *o;
    int socket;
    struct streams streams;
    bool ended;    /* the shim has said how the container ended, or has gone */
    int64_t run;   /* start time of the run that is watched */
    int exit_code; /* what the shim has said; -1: nothing */
    int dying;     /* a signal that ends this command, not the container */
};

int session_check_keys(const char *keys, struct err *e)
{
    struct detach_keys k;
    return detach_keys_parse(keys, &k, e);
}

/* 0: sent or of no use any more; 1: the socket is full. */
static int send_packet(struct session *x, uint16_t type, const void *data, size_t length, struct err *e)
{
    struct shim_packet head = {.type = type, .length = (uint32_t)length};
    struct iovec parts[] = {{&head, sizeof(head)}, {(void *)data, length}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = length ? 2 : 1};
    while (sendmsg(x->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EAGAIN)
            return 1;
        if (errno == EPIPE || errno == ECONNRESET)
            return 0;
        if (errno != EINTR)
            return err_errno(e, "send to the container's supervisor");
    }
    return 0;
}

static int send_size(struct session *x, struct err *e)
{
    struct shim_resize size;
    if (!x->o->tty || !streams_terminal_size(&size.rows, &size.columns))
        return 0;
    int r = send_packet(x, SHIM_RESIZE, &size, sizeof(size), e);
    return r < 0 ? r : 0;
}

static int send_input(struct session *x, struct err *e)
{
    struct streams *in = &x->streams;
    while (in->pending_length > 0) {
        int r = send_packet(x, SHIM_STDIN, in->pending + in->pending_at, in->pending_length, e);
        if (r != 0)
            return r < 0 ? r : 0;
        in->pending_length = 0;
    }
    if (!in->ended)
        return 0;
    int r = send_packet(x, SHIM_STDIN_END, NULL, 0, e);
    in->ended = r == 1;
    return r < 0 ? r : 0;
}

static int take_exit(struct session *x, const struct shim_packet *head, const char *data, struct err *e)
{
    struct shim_exit end;
    if (head->length != sizeof(end))
        return err_set(e, EPROTO, "the container's supervisor sent an end of a wrong length");
    memcpy(&end, data, sizeof(end));
    x->exit_code = end.code & 255;
    x->ended = true;
    return 0;
}

static int take_packet(struct session *x, const struct shim_packet *head, const char *data, struct err *e)
{
    switch (head->type) {
    case SHIM_STDOUT:
        return streams_write(&x->streams, STDOUT_FILENO, data, head->length, e);
    case SHIM_STDERR:
        return streams_write(&x->streams, STDERR_FILENO, data, head->length, e);
    case SHIM_EXIT:
        return take_exit(x, head, data, e);
    case SHIM_WELCOME:
        return 0;
    default:
        return err_set(e, EPROTO, "the container's supervisor sent a message of type %u", head->type);
    }
}

static int receive(struct session *x, struct err *e)
{
    static char packet[sizeof(struct shim_packet) + SHIM_DATA_MAX];
    struct shim_packet head;
    ssize_t n = recv(x->socket, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        x->ended = true;
        return 0;
    }
    if (n < 0)
        return err_errno(e, "receive from the container's supervisor");
    if ((size_t)n < sizeof(head) || (size_t)n > sizeof(packet))
        return err_set(e, EPROTO, "the container's supervisor sent a message of %zd bytes", n);
    memcpy(&head, packet, sizeof(head));
    if (head.length != (size_t)n - sizeof(head))
        return err_set(e, EPROTO, "the container's supervisor sent a message of a wrong length");
    return take_packet(x, &head, packet + sizeof(head), e);
}

static int take_signals(struct session *x, struct err *e)
{
    for (int signal; (signal = streams_next_signal(&x->streams));) {
        struct err gone = {0};
        if (signal == SIGWINCH) {
            int r = send_size(x, e);
            if (r < 0)
                return r;
        } else if (x->o->sig_proxy) {
            (void)lifecycle_kill(x->s, x->c, signal, &gone); /* it may have ended just now */
        } else {
            x->dying = signal;
        }
    }
    return 0;
}

/* One turn: waits for something and deals with it. */
static int turn(struct session *x, struct err *e)
{
    struct streams *in = &x->streams;
    bool full = in->pending_length > 0 || in->ended;
    struct pollfd fds[] = {
        {.fd = x->socket, .events = (short)(POLLIN | (full ? POLLOUT : 0))},
        {.fd = in->signals, .events = POLLIN},
        {.fd = streams_want_input(in) ? STDIN_FILENO : -1, .events = POLLIN},
    };
    if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
        return errno == EINTR ? 0 : err_errno(e, "wait for the container");
    int r = fds[1].revents ? take_signals(x, e) : 0;
    if (r == 0 && fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        r = receive(x, e);
    if (r == 0 && fds[2].revents)
        r = streams_read_input(in, e);
    return r == 0 && !x->ended ? send_input(x, e) : r;
}

/* Until the container ends, the keys are typed, or the command itself is to end. */
static int relay(struct session *x, struct err *e)
{
    int r = send_size(x, e);
    while (r == 0 && !x->ended && !x->streams.detached && !x->dying && !x->streams.broken)
        r = turn(x, e);
    return r;
}

/* The container's own status; its supervisor may be lost. */
static int status_of(const struct session *x, struct err *e)
{
    const struct container *c = x->c;
    /* Its restart policy has gone on already: the record of the run that was watched is gone. */
    if (c->start.time != x->run && x->exit_code >= 0)
        return x->exit_code;
    if (c->lost)
        return err_set(e, EIO, "the supervisor of container %.12s was lost; nobody knows how it ended",
                       c->id);
    return c->exit_code;
}

static int finish(const struct store *s, struct session *x, struct err *e)
{
    struct err gone = {0};
    if (x->streams.detached) {
        events_container(s, &x->c->plan, "detach", NULL, 0);
        return EXIT_SUCCESS;
    }
    if (x->dying)
        return SIGNALED_BASE + x->dying;
    if (x->streams.broken && !x->o->owned)
        return SIGNALED_BASE + SIGPIPE;
    /* As a program whose output nobody reads. */
    if (x->streams.broken)
        (void)lifecycle_kill(x->s, x->c, SIGKILL, &gone);
    int r = lifecycle_wait(s, x->c, e);
    return r < 0 ? r : status_of(x, e);
}

int session_watch(const struct store *s, struct container *c, const struct session_options *o, int *socket,
                  struct err *e)
{
    struct session x = {.s = s,
                        .c = c,
                        .o = o,
                        .socket = *socket,
                        .streams = STREAMS_INIT,
                        .run = c->start.time,
                        .exit_code = -1};
    /* From now on: a restart policy gives those who wait a moment to read how the container ended. */
    if (c->waiter < 0)
        c->waiter = lock_waiter(c, e);
    int r = c->waiter < 0 ? c->waiter : 0;
    if (r == 0)
        r = streams_start(&x.streams, o->tty, o->streams & RUN_STDIN, o->sig_proxy, o->detach_keys, e);
    events_container(s, &c->plan, "attach", NULL, 0);
    if (r == 0)
        r = relay(&x, e);
    streams_stop(&x.streams);
    close_fd(socket);
    return r < 0 ? r : finish(s, &x, e);
}

int session_attach(const struct store *s, struct container *c, const struct session_options *o, struct err *e)
{
    int socket = attach_connect(c->shim_dir, o->streams, e);
    return socket < 0 ? socket : session_watch(s, c, o, &socket, e);
}
