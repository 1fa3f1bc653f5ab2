/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which UNIX sockets of this network namespace have a listener, asked of the kernel in one go (sock_diag(7)). Each shim listens on its
 * attach socket for as long as it lives, and nobody else holds that socket: where it is among those, the shim lives, and its lock
 * (exit_record.h) need not be tried. Only that way round: a socket that is not found (another network namespace, a file system whose device
 * numbers are not the mount's, a kernel without unix_diag) says nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/cleanup.h"

struct listening_socket {
    uint64_t cookie; /* the kernel never gives it again until it boots; 0: no socket */
    uint32_t inode, device;
};

struct listening {
    struct listening_socket *items; /* in order */
    size_t count;
};

#define _cleanup_listening_ _cleanup_(listening_clear)
void listening_clear(struct listening *l);

/* Empty when the kernel does not say. */
void listening_read(struct listening *ret);

/* Whether that very socket still listens. */
bool listening_has(const struct listening *l, const struct listening_socket *socket);

/* The socket bound to this file; false when none is known to listen there. */
bool listening_find(const struct listening *l, const struct stat *file, struct listening_socket *ret);
