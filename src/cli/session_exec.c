/* SPDX-License-Identifier: Apache-2.0 */
/* A session with a command of exec (session.h): its pipes or its terminal, and signals by its pidfd. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "cli/run_options.h"
#include "cli/session.h"
#include "cli/streams.h"

#define SIGNALED_BASE 128

struct exec_watch {
    struct exec_session *x;
    const struct session_options *o;
    struct streams streams;
    int input;      /* where typed bytes go: the terminal or the pipe; not owned */
    int outputs[2]; /* where the command's output is read; -1 after the end; not owned */
    bool ended;     /* the process has ended */
    int dying;
};

static void send_size(const struct exec_watch *w)
{
    struct winsize size = {0};
    if (w->x->terminal >= 0 && streams_terminal_size(&size.ws_row, &size.ws_col))
        (void)ioctl(w->x->terminal, TIOCSWINSZ, &size);
}

/* Gives the command what was typed; one that does not read any more ends the input. */
static int send_input(struct exec_watch *w, struct err *e)
{
    struct streams *in = &w->streams;
    while (in->pending_length > 0 && w->input >= 0) {
        ssize_t n = write(w->input, in->pending + in->pending_at, in->pending_length);
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && (errno == EPIPE || errno == EIO)) {
            in->input = false;
            in->pending_length = 0;
        } else if (n < 0 && errno != EINTR) {
            return err_errno(e, "write to the command");
        } else if (n > 0) {
            in->pending_at += (size_t)n;
            in->pending_length -= (size_t)n;
        }
    }
    if (in->ended) {
        in->ended = false;
        close_fd(&w->x->streams[0]);
        w->input = w->x->terminal;
    }
    return 0;
}

/* 1: there may be more; 0: nothing is there now. The end sets the descriptor to -1. */
static int take_output(struct exec_watch *w, int i, struct err *e)
{
    char data[STREAMS_CHUNK];
    ssize_t n = read(w->outputs[i], data, sizeof(data));
    if (n > 0) {
        int r = streams_write(&w->streams, i == 0 ? STDOUT_FILENO : STDERR_FILENO, data, (size_t)n, e);
        return r < 0 ? r : 1;
    }
    if (n < 0 && errno == EINTR)
        return 1;
    if (n < 0 && errno == EAGAIN)
        return 0;
    w->outputs[i] = -1; /* EIO: the last slave of a terminal was closed */
    return 0;
}

static void take_signals(struct exec_watch *w)
{
    for (int signal; (signal = streams_next_signal(&w->streams));) {
        if (signal == SIGWINCH)
            send_size(w);
        else if (w->o->tty)
            w->dying = signal;
        else
            (void)sys_pidfd_send_signal(w->x->pidfd, signal);
    }
}

static int turn(struct exec_watch *w, struct err *e)
{
    bool full = w->streams.pending_length > 0;
    struct pollfd fds[] = {
        {.fd = w->outputs[0], .events = POLLIN},
        {.fd = w->outputs[1], .events = POLLIN},
        {.fd = w->streams.signals, .events = POLLIN},
        {.fd = streams_want_input(&w->streams) ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = full ? w->input : -1, .events = POLLOUT},
        {.fd = w->x->pidfd, .events = POLLIN},
    };
    if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
        return errno == EINTR ? 0 : err_errno(e, "wait for the command");
    if (fds[2].revents)
        take_signals(w);
    int r = 0;
    for (int i = 0; i < 2 && r >= 0; i++)
        r = fds[i].revents ? take_output(w, i, e) : 0;
    if (r >= 0 && fds[3].revents)
        r = streams_read_input(&w->streams, e);
    if (r >= 0)
        r = send_input(w, e);
    w->ended = fds[5].revents;
    return r < 0 ? r : 0;
}

static int set_nonblocking(int fd, struct err *e)
{
    return fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : err_errno(e, "stream of the command");
}

static int relay(struct exec_watch *w, struct err *e)
{
    int r = 0;
    send_size(w);
    while (r == 0 && !w->ended && !w->streams.detached && !w->dying && !w->streams.broken)
        r = turn(w, e);
    /* What it wrote last; children that hold the streams open are not waited for. */
    for (int i = 0; i < 2 && r >= 0 && w->ended; i++)
        while (w->outputs[i] >= 0 && (r = take_output(w, i, e)) > 0)
            continue;
    return r < 0 ? r : 0;
}

static int finish(struct exec_watch *w, struct err *e)
{
    int code = 0;
    if (w->streams.detached)
        return EXIT_SUCCESS;
    if (w->dying)
        return SIGNALED_BASE + w->dying;
    if (w->streams.broken)
        return SIGNALED_BASE + SIGPIPE;
    int r = exec_wait(w->x, &code, e);
    return r < 0 ? r : code;
}

int session_exec(struct exec_session *x, const struct session_options *o, struct err *e)
{
    bool terminal = x->terminal >= 0;
    struct exec_watch w = {
        .x = x,
        .o = o,
        .streams = STREAMS_INIT,
        .input = terminal ? x->terminal : x->streams[0],
        .outputs = {terminal ? x->terminal : x->streams[1], terminal ? -1 : x->streams[2]},
    };
    int r = 0;
    const int all[] = {x->terminal, x->streams[0], x->streams[1], x->streams[2]};
    for (size_t i = 0; i < ARRAY_SIZE(all) && r == 0; i++)
        r = set_nonblocking(all[i], e);
    if (r == 0)
        r = streams_start(&w.streams, o->tty, o->streams & RUN_STDIN, !o->tty, o->detach_keys, e);
    if (r == 0)
        r = relay(&w, e);
    streams_stop(&w.streams);
    return r < 0 ? r : finish(&w, e);
}
