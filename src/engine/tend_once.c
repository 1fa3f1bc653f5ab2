/* SPDX-License-Identifier: Apache-2.0 */
/* The tender's work once (tend.h): for a timer, at boot, and as the machine goes down. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/expire.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/logs_anchor.h"
#include "engine/logs_removed.h"
#include "engine/mend.h"
#include "engine/restarting.h"
#include "engine/tend.h"
#include "plan/policy.h"

struct once {
    const struct store *s;
    bool boot;
    uint64_t expire;
    int64_t now;
    void (*complain)(struct err *e);
    int failed;
};

static void count_failure(struct once *o, const struct container *c, struct err *e)
{
    (void)err_wrap(e, "container %s", c->plan.name);
    o->complain(e);
    o->failed++;
}

/* One that is watched by a tender already is left to it: its back-off is not cut short. */
static bool to_be_revived(const struct once *o, const struct container *c)
{
    if (c->status == CONTAINER_RESTARTING)
        return restarting_due(c, o->now) <= o->now || (c->lost && o->boot);
    return o->boot && restarting_wanted(c, true);
}

static int visit(struct container *c, void *context, struct err *e)
{
    struct once *o = context;
    struct err failed = {0};
    int r = 0;
    (void)e;
    logs_anchor_now(o->s, c);
    if (to_be_revived(o, c))
        r = lifecycle_revive(o->s, c, o->boot, &failed);
    else
        r = expire_container(o->s, c, o->expire, o->now, &failed);
    if (r < 0 && r != -ENOENT)
        count_failure(o, c, &failed);
    return 0;
}

int tend_once(const struct store *s, bool boot, void (*complain)(struct err *e), struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    int r = policy_load(&policy, e);
    if (r < 0)
        return r;
    struct once o = {
        .s = s, .boot = boot, .expire = policy.expire_containers, .now = clock_now(), .complain = complain};
    mend_all(s);
    r = container_for_each(s, visit, &o, e);
    if (r == 0)
        r = logs_expire(s, &policy, e);
    tend_ensure(s);
    return r < 0 ? r : o.failed;
}

struct going {
    const struct store *s;
    pid_t *pids;
    size_t count, capacity;
    void (*complain)(struct err *e);
    int failed;
};

static _Noreturn void stop_one(const struct going *g, struct container *c)
{
    struct err e = {0};
    int r = lifecycle_halt(g->s, c, &e);
    if (r < 0 && r != -ENOENT) {
        (void)err_wrap(&e, "container %s", c->plan.name);
        g->complain(&e);
    }
    _exit(r < 0 && r != -ENOENT ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Each in a process of its own: they need their time side by side. */
static int visit_running(struct container *c, void *context, struct err *e)
{
    struct going *g = context;
    if (c->status != CONTAINER_RUNNING)
        return 0;
    if (g->count == g->capacity) {
        size_t capacity = g->capacity ? g->capacity * 2 : 64;
        pid_t *grown = reallocarray(g->pids, capacity, sizeof(*grown));
        if (!grown)
            return err_oom(e);
        g->pids = grown;
        g->capacity = capacity;
    }
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, "fork");
    if (pid == 0)
        stop_one(g, c);
    g->pids[g->count++] = pid;
    return 0;
}

int tend_shutdown(const struct store *s, void (*complain)(struct err *e), struct err *e)
{
    struct going g = {.s = s, .complain = complain};
    tend_dismiss(s);
    int r = container_for_each(s, visit_running, &g, e);
    for (size_t i = 0; i < g.count; i++) {
        int status = 0;
        while (waitpid(g.pids[i], &status, 0) < 0 && errno == EINTR)
            ;
        g.failed += !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
    }
    free(g.pids);
    return r < 0 ? r : g.failed;
}
