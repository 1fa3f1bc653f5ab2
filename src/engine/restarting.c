/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies (restarting.h); the figures are Docker's. */
#include "engine/restarting.h"

/* A record of a failure that is older than the last start is a killed command's, which could not take it away. */
bool restarting_failed(const struct container *c)
{
    return c->live.failed > c->start.time;
}

static bool was_failure(const struct container *c)
{
    return c->lost || c->exit_code != 0 || restarting_failed(c);
}

int64_t restarting_end(const struct container *c)
{
    return restarting_failed(c) ? c->live.failed : c->start.time;
}

bool restarting_wanted(const struct container *c, bool boot)
{
    const struct live *live = &c->live;
    bool begun = c->start.time != 0 || live->failed != 0 || live->attempt != 0;
    if (c->status == CONTAINER_RUNNING || !begun)
        return false;
    if (live->user_stopped && !(boot && live->restart.kind == RESTART_ALWAYS))
        return false;
    switch (live->restart.kind) {
    case RESTART_NO:
        return false;
    case RESTART_ALWAYS:
    case RESTART_UNLESS_STOPPED:
        return true;
    case RESTART_ON_FAILURE:
        return was_failure(c) && (live->restart.max == 0 || live->restart_count < live->restart.max ||
                                  live->attempt == restarting_end(c));
    }
    return false;
}

uint64_t restarting_delay(const struct container *c)
{
    uint64_t last = c->live.delay;
    if (!restarting_failed(c) && c->finished > 0 && c->finished - c->start.time >= RESTARTING_RAN_WELL)
        last = 0;
    if (last == 0)
        return RESTARTING_DELAY_MIN;
    return last >= RESTARTING_DELAY_MAX / 2 ? RESTARTING_DELAY_MAX : last * 2;
}

int64_t restarting_due(const struct container *c, int64_t now)
{
    int64_t ended = restarting_failed(c) ? c->live.failed : c->finished;
    /* A clock that was set back must not keep it waiting for more than it is told to. */
    if (ended == 0 || ended > now)
        ended = now;
    return ended + (int64_t)restarting_delay(c);
}
