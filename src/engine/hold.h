/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of a container that does not run, put together as a start would: overlay, volumes and binds with their ids and
 * read-only flags, in namespaces of its own. A process that never executes anything holds it; everything goes when it or its maker ends.
 * The caller holds the container's lock (engine/lock.h) as long as this lives.
 */
#pragma once

#include "engine/container.h"

struct hold {
    pid_t pid;  /* of the process that holds it, a child of the caller; -1: none */
    int socket; /* its end closed: it lets go */
    unsigned block;
    int user_namespace;
    int mount_namespace;
};

#define HOLD_INIT         \
    {                     \
        -1, -1, 0, -1, -1 \
    }

int hold_open(const struct store *s, const struct container *c, struct hold *ret, struct err *e);

/* Lets go and gives back ids and control group. Safe on one that was not opened. */
void hold_close(const struct store *s, const struct container *c, struct hold *h);
