/* SPDX-License-Identifier: Apache-2.0 */
/* A container's process in the foreground: input, output of its terminal, signals, exit status (oci.h). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "cli/oci/oci.h"
#include "cli/streams.h"

static void resize(int master)
{
    struct winsize size = {0};
    if (master >= 0 && streams_terminal_size(&size.ws_row, &size.ws_col))
        (void)ioctl(master, TIOCSWINSZ, &size);
}

static void pass_signals(struct streams *x, int pidfd, int master)
{
    for (int sig; (sig = streams_next_signal(x)) > 0;)
        if (sig == SIGWINCH)
            resize(master);
        else if (sig != SIGCHLD)
            (void)sys_pidfd_send_signal(pidfd, sig);
}

static int give_input(struct streams *x, int master, struct err *e)
{
    int r = streams_read_input(x, e);
    while (r == 0 && x->pending_length > 0) {
        ssize_t n = write(master, x->pending + x->pending_at, x->pending_length);
        if (n < 0 && errno != EINTR)
            return 0;
        x->pending_at += n > 0 ? (size_t)n : 0;
        x->pending_length -= n > 0 ? (size_t)n : 0;
    }
    return r;
}

/* 1: there may be more; 0: the terminal is closed. */
static int take_output(struct streams *x, int master, struct err *e)
{
    char chunk[STREAMS_CHUNK];
    ssize_t n = read(master, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0)
        return 0;
    int r = streams_write(x, STDOUT_FILENO, chunk, (size_t)n, e);
    return r < 0 ? r : 1;
}

/* What the terminal still holds when the process has ended. */
static void drain(struct streams *x, int master)
{
    struct err ignored = {0};
    struct pollfd p = {.fd = master, .events = POLLIN};
    while (master >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLIN && take_output(x, master, &ignored) > 0)
        ;
}

/* Once is enough. That the manager cannot be told ends no container. */
static void pass_readiness(struct oci_notify *notify)
{
    struct err e = {0};
    int r = oci_notify_forward(notify, &e);
    if (r < 0)
        oci_log("warning", e.text);
    if (r != 0)
        oci_notify_close(notify);
}

static int watch(struct streams *x, int pidfd, int master, struct oci_notify *notify, struct err *e)
{
    bool open = master >= 0;
    for (;;) {
        struct pollfd p[5] = {{.fd = pidfd, .events = POLLIN},
                              {.fd = x->signals, .events = POLLIN},
                              {.fd = open ? master : -1, .events = POLLIN},
                              {.fd = open && x->input ? STDIN_FILENO : -1, .events = streams_want_input(x)},
                              {.fd = notify ? notify->socket : -1, .events = POLLIN}};
        if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
            return err_errno(e, "poll");
        if (p[1].revents)
            pass_signals(x, pidfd, master);
        if (p[4].revents)
            pass_readiness(notify);
        int r = p[2].revents ? take_output(x, master, e) : 1;
        open = open && r > 0;
        if (r >= 0 && p[3].revents)
            r = give_input(x, master, e);
        if (r < 0)
            return r;
        if (p[0].revents)
            return 0;
    }
}

int oci_foreground(int pidfd, int master, struct oci_notify *notify, struct err *e)
{
    _cleanup_streams_ struct streams x = STREAMS_INIT;
    siginfo_t info = {0};
    int r = streams_start(&x, master >= 0, master >= 0, true, NULL, e);
    if (r < 0)
        return r;
    resize(master);
    r = watch(&x, pidfd, master, notify, e);
    drain(&x, master);
    if (r < 0)
        return r;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        return err_errno(e, "wait for the container's process");
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
