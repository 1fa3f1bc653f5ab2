/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a D-Bus, the system's or the user's, to call methods of one service: no library, since a start of a container should not
 * load one. Everything has a time limit; nothing but answers of the service that was called, and signals that it sends, is heard.
 */
#pragma once

#include "oci/dbus_message.h"

struct dbus {
    int fd;
    uint32_t serial;   /* of the last call */
    char service[128]; /* unique name of who has answered the last call: signals of others are not ours */
    struct buf in;     /* the message that was read last */
};

#define DBUS_INIT \
    {             \
        .fd = -1  \
    }

void dbus_close(struct dbus *b);
#define _cleanup_dbus_ _cleanup_(dbus_close)

/* user: the bus of the user's session (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR/bus), else the system's. */
int dbus_open(bool user, struct dbus *ret, struct err *e);

/* Calls and waits for the answer, which `ret` (may be NULL) borrows from b until the next call. c->serial is set here. An error that the
 * service answers with is what `e` says; its name is put into ret_error (of that size, may be NULL), else "". */
int dbus_ask(struct dbus *b, struct dbus_call *c, struct dbus_message *ret, char *ret_error,
             size_t error_size, struct err *e);

/* Waits for the next signal of that name that the service sends. */
int dbus_await(struct dbus *b, const char *member, int timeout_ms, struct dbus_message *ret, struct err *e);
