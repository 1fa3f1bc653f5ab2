/* SPDX-License-Identifier: Apache-2.0 */
/* `exec`: another process in a container. */
#pragma once

#include "oci/container.h"

struct oci_exec {
    const struct oci_process *process; /* what runs, complete */
    const char *console_socket;        /* as of oci_create */
    const char *pid_file;
    unsigned preserve_fds;
    bool needs_console;
    const char *sub_group; /* below the container's own control group; NULL: that itself */
};

struct oci_executed {
    pid_t pid;
    int pidfd;
    int terminal; /* the pty master, -1 */
};

/* On success the program runs. *ret_status: the exit status that a failure has, as a shell gives it. */
int oci_exec(const struct oci_container *c, const struct oci_exec *x, struct oci_executed *ret,
             int *ret_status, struct err *e);
