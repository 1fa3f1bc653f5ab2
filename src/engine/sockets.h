/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a container as /proc/PID/net has it, read from the host. The texts are the kernel's, but a name of a UNIX socket is
 * the container's: a newline in it makes a line of its own, so a line of the UNIX table says no more than that somebody inside wants it read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SOCKETS_MAX 2048 /* that are kept of all tables together */
#define SOCKET_TEXT_MAX 160
#define ROUTES_MAX 512
#define NET_TEXT_MAX (4U << 20) /* bytes of one table */

enum socket_table { SOCKETS_TCP, SOCKETS_TCP6, SOCKETS_UDP, SOCKETS_UDP6, SOCKETS_UNIX, SOCKETS_TABLES };

struct socket_item {
    enum socket_table table;
    char local
        [SOCKET_TEXT_MAX]; /* ADDRESS:PORT; of a UNIX socket its name, "@" in front of an abstract one, "" for none; made visible */
    char remote[SOCKET_TEXT_MAX]; /* "" for none */
    const char *state;            /* "LISTEN", "ESTABLISHED" … */
    uint32_t uid;                 /* on the host; 0 for UNIX sockets, which have none here */
    uint64_t inode;
};

struct sockets {
    struct socket_item *items;
    size_t count;
    size_t left_out; /* beyond SOCKETS_MAX */
};

void sockets_clear(struct sockets *s);
#define _cleanup_sockets_ _cleanup_(sockets_clear)

/* "tcp", "tcp6", "udp", "udp6", "unix"; also the name of the file. */
const char *sockets_table_name(enum socket_table table);

/* Adds what a table says. `text` is cut up in place; lines that are none are passed over. */
int sockets_parse(enum socket_table table, char *text, struct sockets *s, struct err *e);

struct route {
    char destination[SOCKET_TEXT_MAX]; /* "default", 10.0.0.0/8, 2001:db8::/32 */
    char gateway[SOCKET_TEXT_MAX];     /* "" for none */
    char interface[32];
};

/* Lines of `route` (v6: ipv6_route); loopback's own and those that lead nowhere are left out. How many of at most `max`. */
size_t routes_parse(char *text, bool v6, struct route *ret, size_t max);
