/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may change while a container exists: containers/<id>/live.json beside the plan, which never changes ("version": 1). An absent
 * file means what the plan says. Read by container_refresh into struct container; whoever writes holds the container's
 * lock (engine/lock.h), has refreshed after taking it, and changes its own members only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "plan/plan.h"
#include "plan/restart.h"

#define LIVE_FILE "live.json"

struct live {
    struct restart_policy restart;
    bool
        user_stopped; /* by stop or kill: no policy starts it before the user does, or (always) the machine boots */
    uint64_t restart_count; /* restarts by its policy since the user has started it */
    uint64_t delay; /* ns that the last restart waited; 0: there was none, or the container ran well since */
    int64_t failed; /* ns since the epoch: when the last restart failed to start the program; 0: it did not */
    int fail_status; /* exit status of that: 125, 126, 127 */
    int64_t
        attempt; /* the end that the last restart answers (restarting.h): while it is the newest, that restart is under way */
};

/* What the plan alone says. */
int live_init(const struct plan *p, struct live *ret_live, struct err *e);

/* `dir` is the container's. Absent: live_init. */
int live_read(int dir, const struct plan *p, struct live *ret_live, struct err *e);

/* Replaces the file; flushed to the disk when `sync`. */
int live_write(int dir, const struct live *live, bool sync, struct err *e);

/* Sets user_stopped, and replaces the file; where the disk is full an empty file beside it says so until the next live_write: what
 * fills the disk can be stopped. */
int live_write_stopped(int dir, struct live *live, bool sync, struct err *e);
