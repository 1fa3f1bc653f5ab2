/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process joins the v1 control groups of a container by itself. A process that is moved by its id waits for an RCU grace period
 * (5 to 10 ms: as much as all the rest of a start), and every fork on the machine waits with it: its threads must not change meanwhile.
 * A thread that moves itself, "0" written to `tasks`, waits for nothing (Linux 5.5). What counts are the rights of whoever has opened
 * the file, so the supervisor opens the files and the new process, which may do nothing on the host, writes.
 */
#pragma once

#include "runtime/cgroup.h"

struct cgroup_join {
    int tasks[CGROUP_CONTROLLERS]; /* -1 where there is no hierarchy */
};

#define CGROUP_JOIN_INIT                   \
    {                                      \
        {                                  \
            -1, -1, -1, -1, -1, -1, -1, -1 \
        }                                  \
    }

void cgroup_join_close(struct cgroup_join *j);
#define _cleanup_cgroup_join_ _cleanup_(cgroup_join_close)

/* Opens what the process will need. Opens nothing on v2. */
int cgroup_join_open(const struct cgroup *g, struct cgroup_join *ret, struct err *e);

/* Moves this process, which must have one thread, and closes the files. */
int cgroup_join_self(struct cgroup_join *j, struct err *e);
