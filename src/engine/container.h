/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container is a directory: containers/<id>/ with an immutable plan and what its starts leave behind (ARCHITECTURE.md). Its state is
 * what the kernel says: the shim's lock, the exit record, the record of the last start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/id.h"
#include "engine/denials.h"
#include "engine/live.h"
#include "plan/plan.h"
#include "store/root.h"

enum container_status {
    CONTAINER_CREATED, /* never started */
    CONTAINER_RUNNING,
    CONTAINER_EXITED,
    CONTAINER_RESTARTING, /* ended, and its policy starts it again in a moment (restarting.h) */
    CONTAINER_DEAD,       /* its supervisor was lost: nobody knows the exit status */
};

/* What one start has recorded before the program ran: containers/<id>/started. */
struct container_start {
    int64_t time;       /* ns since the epoch; 0: never started */
    pid_t pid;          /* the first process, on the host */
    uint64_t pid_start; /* its start time in clock ticks (proc(5), field 22): tells a reused pid */
    pid_t shim_pid;
    unsigned block; /* number of the id block; 0: none held */
};

struct container {
    char id[ID_LENGTH + 1];
    int dir;      /* containers/<id>/, O_RDONLY */
    int shim_dir; /* containers/<id>/shim/ */
    int waiter;   /* lock_waiter() while held: the container stays until its end has been read; else -1 */
    struct plan plan;
    struct live live;
    bool tended; /* `casemate tend` looks after it (tend.h): when it was opened, or since its start */
    enum container_status status;
    bool paused; /* running, but its processes are stopped */
    struct container_start start;
    bool lost;     /* dead, or restarting after that */
    int exit_code; /* when exited or restarting */
    int exit_signal;
    bool oom_killed;
    int64_t finished;         /* ns since the epoch; 0 when not exited */
    struct denials denials;   /* what the last run was refused, up to now */
    char error[ERR_TEXT_MAX]; /* why the last start failed; "" */
};

/* For a variable that container_close may meet before it was opened. */
#define CONTAINER_INIT                          \
    {                                           \
        .dir = -1, .shim_dir = -1, .waiter = -1 \
    }

void container_close(struct container *c);
#define _cleanup_container_ _cleanup_(container_close)

/* Finds by name, full id or unique id prefix. -ENOENT "No such container: X"; -EEXIST when a prefix is ambiguous. */
int container_find(const struct store *s, const char *name, struct container *ret, struct err *e);

/* Opens by full id. */
int container_open(const struct store *s, const char *id, struct container *ret, struct err *e);

/* Likewise, without lock and records: what starts it reads them once it holds its lock. */
int container_open_unread(const struct store *s, const char *id, struct container *ret, struct err *e);

/* Reads lock and records anew. */
int container_refresh(struct container *c, struct err *e);

/* Calls visit for each container, newest first, until it returns non-zero. A directory that is being made or removed is skipped. */
int container_for_each(const struct store *s, int (*visit)(struct container *c, void *context, struct err *e),
                       void *context, struct err *e);

/* Docker's word for what it does now: that of its status, or "paused". */
const char *container_state_name(const struct container *c);

/* "created", "running", "exited", "restarting", "dead": Docker's words. */
const char *container_status_name(enum container_status status);

/* "Up 3 minutes", "Exited (0) 2 hours ago" are the command line's to print, from status, start.time and finished. */
