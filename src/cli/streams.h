/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's side of a session: its terminal in raw mode, its input with the detach keys taken out, its signals. The container's side is
 * a connection to a shim (session.c) or the descriptors of exec (session_exec.c).
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "cli/detach_keys.h"

#define STREAMS_CHUNK 16384

struct streams {
    struct detach_keys keys;
    int signals;          /* signalfd; -1 */
    bool raw;             /* the terminal is in raw mode and `saved` is what it was */
    struct termios saved; /* of standard input */
    bool input;           /* standard input is still read */
    bool ended;           /* its end was seen; told to the container once the rest is sent */
    bool detached;        /* the detach keys were typed */
    bool broken;          /* nobody reads our output any more */
    unsigned char pending[STREAMS_CHUNK + DETACH_KEYS_MAX]; /* input that was not sent yet */
    size_t pending_at, pending_length;
};

#define STREAMS_INIT   \
    {                  \
        .signals = -1, \
    }

/* tty: the container has a terminal, so ours goes into raw mode (when it is one) and WINCH is seen. Without `input`, standard input is not touched. `proxy`:
 * signals are taken from their default action. */
int streams_start(struct streams *x, bool tty, bool input, bool proxy, const char *detach_keys,
                  struct err *e);
/* Gives the terminal back. */
void streams_stop(struct streams *x);
#define _cleanup_streams_ _cleanup_(streams_stop)

/* Events to poll standard input for: 0 while there is input that was not sent. */
short streams_want_input(const struct streams *x);

/* Standard input is readable: fills `pending`. */
int streams_read_input(struct streams *x, struct err *e);

/* Writes what the container said to our output `fd`; a reader that is gone sets x->broken. */
int streams_write(struct streams *x, int fd, const void *data, size_t length, struct err *e);

/* The next signal that was sent to us, 0 when there is none. */
int streams_next_signal(struct streams *x);

/* Size of our terminal; false when there is none. */
bool streams_terminal_size(unsigned short *ret_rows, unsigned short *ret_columns);
