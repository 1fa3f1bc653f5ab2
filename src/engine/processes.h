/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container as the host sees them, from /proc. Nothing is started inside. */
#pragma once

#include <stdint.h>

#include "engine/container.h"

#define PROCESSES_ARGS_MAX 4096 /* bytes of a command line that are read */

struct process {
    pid_t pid, ppid, pgid, session;
    uid_t uid;
    gid_t gid;
    char state;
    int terminal; /* device number; 0: none */
    int64_t priority, nice;
    uint64_t threads;
    uint64_t cpu_ticks, start_ticks; /* used; since boot */
    uint64_t memory, resident;       /* bytes */
    char *name;                      /* as the kernel has it, at most 15 bytes; made visible */
    char *args;                      /* the command line, made visible; "[name]" when there is none */
};

struct process_list {
    struct process *items;
    size_t count;
};

void process_list_clear(struct process_list *list);
#define _cleanup_process_list_ _cleanup_(process_list_clear)

/* Those in the container's pid namespace, in the order of their pids. Not running: -ESRCH. */
int processes_read(const struct container *c, struct process_list *ret, struct err *e);
