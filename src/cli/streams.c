/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's side of a session (streams.h). */
#include "cli/streams.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Signals that a program may be sent from outside and that mean something to it. Stopping and continuing stay with the shell. */
static const int proxied[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGIO, SIGPWR};

/* With a terminal these come from outside only (what is typed goes to the container as bytes): ours must be given back first. */
static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static int take_signals(struct streams *x, bool tty, bool proxy, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    if (tty)
        sigaddset(&set, SIGWINCH);
    for (size_t i = 0; tty && i < ARRAY_SIZE(ending); i++)
        sigaddset(&set, ending[i]);
    for (size_t i = 0; proxy && i < ARRAY_SIZE(proxied); i++)
        sigaddset(&set, proxied[i]);
    sigset_t broken;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigprocmask(SIG_BLOCK, &broken, NULL) < 0)
        return err_errno(e, "block signals");
    x->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return x->signals < 0 ? err_errno(e, "signalfd") : 0;
}

static int make_raw(struct streams *x, struct err *e)
{
    if (tcgetattr(STDIN_FILENO, &x->saved) < 0)
        return errno == ENOTTY ? 0 : err_errno(e, "read the terminal's settings");
    struct termios raw = x->saved;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
        return err_errno(e, "set the terminal to raw mode");
    x->raw = true;
    return 0;
}

int streams_start(struct streams *x, bool tty, bool input, bool proxy, const char *detach_keys, struct err *e)
{
    int r = detach_keys_parse(tty ? detach_keys : "", &x->keys, e);
    if (r == 0)
        r = take_signals(x, tty, proxy, e);
    if (r == 0 && tty && input)
        r = make_raw(x, e);
    x->input = input;
    return r;
}

void streams_stop(struct streams *x)
{
    if (x->raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &x->saved);
    x->raw = false;
    close_fd(&x->signals);
}

short streams_want_input(const struct streams *x)
{
    return x->input && x->pending_length == 0 ? POLLIN : 0;
}

int streams_read_input(struct streams *x, struct err *e)
{
    unsigned char typed[STREAMS_CHUNK];
    ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    /* A terminal that hangs up is the end of input. */
    if (n < 0 && errno != EIO)
        return err_errno(e, "read standard input");
    if (n <= 0) {
        x->input = false;
        x->ended = true;
        return 0;
    }
    x->pending_at = 0;
    x->detached = detach_keys_feed(&x->keys, typed, (size_t)n, x->pending, &x->pending_length);
    return 0;
}

int streams_write(struct streams *x, int fd, const void *data, size_t length, struct err *e)
{
    const char *at = data;
    while (length > 0 && !x->broken) {
        ssize_t n = write(fd, at, length);
        if (n >= 0) {
            at += n;
            length -= (size_t)n;
        } else if (errno == EPIPE) {
            x->broken = true;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return err_errno(e, "write output");
        }
    }
    return 0;
}

int streams_next_signal(struct streams *x)
{
    struct signalfd_siginfo info;
    return read(x->signals, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

bool streams_terminal_size(unsigned short *ret_rows, unsigned short *ret_columns)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return false;
    *ret_rows = size.ws_row;
    *ret_columns = size.ws_col;
    return true;
}
