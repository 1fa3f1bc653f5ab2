/* SPDX-License-Identifier: Apache-2.0 */
/* `create`: everything up to a process that waits for the start. */
#pragma once

#include "oci/container.h"
#include "seccomp/tables.h"

struct oci_create {
    const char *id, *bundle;    /* the bundle's path as given */
    const char *console_socket; /* or NULL: the master comes back in ret_terminal */
    const char *pid_file;       /* or NULL */
    unsigned preserve_fds;      /* descriptors from 3 on that the container gets */
    unsigned listen_fds;        /* the first of these are sockets that the program is told of */
    bool no_pivot, no_new_keyring;
    bool notify;  /* the container gets a socket on which it says that it is ready (notify.h) */
    bool systemd; /* the control group is of a scope of systemd */
    /* Judges the configuration before anything is made of it, and may change it (oci_container_rewrite); NULL: nobody does. */
    int (*review)(struct oci_container *c, struct err *e);
    bool needs_console; /* nobody is there to be the terminal's other side */
};

/* On success the container waits for its start; ret is open and locked. On failure nothing is left. *ret_terminal: the pty master when
 * the process has a terminal and there is no console socket, else -1. */
int oci_create(int root, const struct oci_create *o, struct oci_container *ret, int *ret_terminal,
               struct err *e);

/* `start`: lets the program run, then poststart hooks. */
int oci_start(struct oci_container *c, int *ret_status, struct err *e);

/* Ends what runs of it, runs poststop hooks and removes everything that it had. Warnings go to `warn` (may be NULL). */
int oci_delete(struct oci_container *c, bool force, struct str_list *warnings, struct err *e);

/* Sends the pty master to the listener at `path`, with `name` as the message (console-socket protocol of runc). */
int oci_console_send(const char *path, int master, struct err *e);

/* The filter of linux.seccomp: compiled, or kept from an earlier time. NULL in *ret when there is none. The caller frees it. */
int oci_filter(const struct oci_config *c, struct filter **ret, struct err *e);

/* Whether it asks somebody about calls, so that it has a listener. */
bool oci_filter_notifies(const struct filter *f);

/* Takes the listener of the filter out of the process, where it has the given number, and hands it to the agent at
 * linux.seccomp.listenerPath. `pid` is the process's; the container's first one unless it was executed later. */
int oci_listener_send(const struct oci_container *c, pid_t pid, int pidfd, int number, struct err *e);

/* Writes the pid, in decimal, to a file that appears whole. */
int oci_pid_file_write(const char *path, pid_t pid, struct err *e);
