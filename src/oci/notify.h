/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service manager's NOTIFY_SOCKET (sd_notify(3)). The container gets a socket of its own, and nothing of what it says there reaches the manager but that it
 * is ready: the manager does not take orders from a container. READY=1 is sent by the command itself, whom the manager knows, and with it, where the command
 * is going to end before the container does, MAINPID.
 */
#pragma once

#include "oci/container.h"

struct oci_notify {
    int socket;    /* the container's; -1: it has none */
    int manager;   /* connected */
    pid_t main_id; /* what the manager shall watch from now on; 0: the command goes on to be that */
};

#define OCI_NOTIFY_INIT \
    {                   \
        -1, -1, 0       \
    }

void oci_notify_close(struct oci_notify *n);
#define _cleanup_oci_notify_ _cleanup_(oci_notify_close)

/* Whether NOTIFY_SOCKET names something that can be spoken to: a path, or with "@" in front a name of the kernel's. */
int oci_notify_check(const char *address, struct err *e);

/* During the creation: a directory for the socket, which the configuration is changed to have in the container, and the variable that names it. */
int oci_notify_prepare(struct oci_container *c, struct err *e);

/* Before the start: makes the socket and connects to the manager. A container that was created without any gets none. */
int oci_notify_open(const struct oci_container *c, const char *address, struct oci_notify *ret,
                    struct err *e);

/* Reads one message. 1: the container is ready, and the manager knows. */
int oci_notify_forward(const struct oci_notify *n, struct err *e);

/* Until the container is ready or its process has ended. */
int oci_notify_await(const struct oci_notify *n, int process, struct err *e);
