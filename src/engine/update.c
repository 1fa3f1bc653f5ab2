/* SPDX-License-Identifier: Apache-2.0 */
/* casemate update (update.h). Trusted; the container has no say in it. */
#include "engine/update.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "engine/audit_log.h"
#include "engine/changed_limits.h"
#include "engine/compose_resources.h"
#include "engine/disk_limit.h"
#include "engine/events.h"
#include "engine/lock.h"
#include "engine/observe.h"
#include "engine/tend.h"
#include "image/image.h"
#include "plan/policy.h"
#include "practices/practice.h"
#include "runtime/cgroup_state.h"

/* The numbers that can be asked for: where they are in a plan, the flag and the word of their grants. */
static const struct {
    size_t offset;
    const char *flag;
    const char *unlimited; /* the grant of no limit, or NULL */
} numbers[] = {
    {offsetof(struct plan, memory), "--memory", "unlimited memory"},
    {offsetof(struct plan, memory_swap), "--memory-swap", "unlimited swap"},
    {offsetof(struct plan, cpus_nano), "--cpus", NULL},
    {offsetof(struct plan, pids), "--pids-limit", "unlimited pids"},
    {offsetof(struct plan, memory_reservation), "", NULL},
    {offsetof(struct plan, cpu_period_us), "", NULL},
    {offsetof(struct plan, cpu_shares), "", NULL},
    {offsetof(struct plan, blkio_weight), "", NULL},
    {offsetof(struct plan, disk), "--storage-opt size", "unlimited disk"},
    {offsetof(struct plan, disk_inodes), "--storage-opt inodes", "unlimited files"},
};

static uint64_t *number_at(const struct plan *p, size_t offset)
{
    return (uint64_t *)((uintptr_t)p + offset);
}

/* What was granted for a limit goes when the limit is set anew. */
static void drop_grants(struct plan *p, size_t i)
{
    size_t kept = 0;
    for (size_t g = 0; g < p->grant_count; g++) {
        struct plan_grant *grant = &p->grants[g];
        bool same =
            grant->practice == 4 && (str_equal(grant->source, numbers[i].flag) ||
                                     (numbers[i].unlimited && str_equal(grant->what, numbers[i].unlimited)));
        if (!same) {
            p->grants[kept++] = *grant;
            continue;
        }
        free(grant->what);
        free(grant->source);
    }
    p->grant_count = kept;
}

/* The limit of processes by user that stands for the group's goes with it: the practice makes it anew. */
static void drop_process_ulimit(struct plan *p)
{
    uint64_t same = p->pids == PLAN_UNSET ? PLAN_UNLIMITED : p->pids;
    size_t kept = 0;
    for (size_t i = 0; i < p->ulimit_count; i++)
        if (!str_equal(p->ulimits[i].name, "nproc") || p->ulimits[i].soft != same ||
            p->ulimits[i].hard != same)
            p->ulimits[kept++] = p->ulimits[i];
    p->ulimit_count = kept;
}

static int take_numbers(struct plan *p, const struct plan *asked)
{
    bool no_swap = p->memory_swap == p->memory; /* stays so when memory alone is changed */
    int changed = 0;
    if (asked->pids != PLAN_UNSET)
        drop_process_ulimit(p);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        uint64_t value = *number_at(asked, numbers[i].offset);
        if (value == PLAN_UNSET)
            continue;
        *number_at(p, numbers[i].offset) = value;
        drop_grants(p, i);
        changed++;
    }
    if (asked->memory != PLAN_UNSET && asked->memory_swap == PLAN_UNSET && no_swap)
        p->memory_swap = PLAN_UNSET;
    if (asked->cpus_nano != PLAN_UNSET && asked->cpu_period_us == PLAN_UNSET)
        p->cpu_period_us = PLAN_UNSET;
    return changed;
}

/* The plan as it is to be. What has no limit by an old grant, and is not asked for, keeps that. */
static int change_plan(struct plan *p, const struct plan *asked, const struct image *image,
                       const struct policy *policy, struct err *e)
{
    static const size_t may_be_free[] = {offsetof(struct plan, memory), offsetof(struct plan, pids),
                                         offsetof(struct plan, cpus_nano), offsetof(struct plan, disk),
                                         offsetof(struct plan, disk_inodes)};
    bool stays_free[ARRAY_SIZE(may_be_free)];
    for (size_t i = 0; i < ARRAY_SIZE(may_be_free); i++)
        stays_free[i] =
            *number_at(p, may_be_free[i]) == PLAN_UNSET && *number_at(asked, may_be_free[i]) == PLAN_UNSET;
    int changed = take_numbers(p, asked);
    int r = 0;
    for (size_t i = 0; i < asked->storage_opt.count && r == 0; i++)
        r = str_list_set_env(&p->storage_opt, asked->storage_opt.items[i], e);
    if (asked->cpuset_cpus)
        r = str_replace(&p->cpuset_cpus, asked->cpuset_cpus, e);
    if (r == 0 && asked->cpuset_mems)
        r = str_replace(&p->cpuset_mems, asked->cpuset_mems, e);
    if (r == 0 && changed)
        r = practices_apply_limits(p, image, policy, e);
    for (size_t i = 0; i < ARRAY_SIZE(may_be_free); i++)
        if (stays_free[i])
            *number_at(p, may_be_free[i]) = PLAN_UNSET;
    return r;
}

static uint64_t spelled(uint64_t value)
{
    return value == SPEC_UNSET ? SPEC_UNLIMITED : value;
}

/* All limits as the plan has them: also those that were there before and are not any more. */
static int set_group(const struct container *c, const struct plan *p, const struct plan *before,
                     struct err *e)
{
    _cleanup_cgroup_ struct cgroup group = CGROUP_INIT;
    _cleanup_spec_resources_ struct spec_resources limits;
    spec_resources_init(&limits);
    int r = compose_limits(p, &limits, e);
    if (r == 0)
        r = cgroup_open(observe_cgroup_parent(), c->id, &group, e);
    if (r == 0)
        r = cgroup_need(&group, e);
    if (r < 0)
        return r;
    limits.memory = spelled(limits.memory);
    limits.memory_swap = spelled(limits.memory_swap);
    limits.pids = spelled(limits.pids);
    if (before->memory_reservation != PLAN_UNSET)
        limits.memory_reservation = spelled(limits.memory_reservation);
    return cgroup_set(&group, &limits, e);
}

struct raise {
    struct rlimit limit;
    bool old; /* some process has kept its own */
};

static void raise_one(pid_t pid, void *context)
{
    struct raise *raise = context;
    if (prlimit(pid, RLIMIT_NPROC, &raise->limit, NULL) < 0 && errno != ESRCH)
        raise->old = true;
}

/* The limit by user that stands for the group's (limits of practice 4), in the processes that run. */
static bool raise_processes(const struct container *c)
{
    const struct plan_ulimit *limit = NULL;
    struct raise raise = {.limit = {RLIM_INFINITY, RLIM_INFINITY}};
    struct err ignored = {0};
    _cleanup_cgroup_ struct cgroup group = CGROUP_INIT;
    for (size_t i = 0; i < c->plan.ulimit_count; i++)
        if (str_equal(c->plan.ulimits[i].name, "nproc"))
            limit = &c->plan.ulimits[i];
    if (!limit && c->plan.pids != PLAN_UNSET)
        return false;
    if (limit && limit->soft != PLAN_UNLIMITED)
        raise.limit.rlim_cur = (rlim_t)limit->soft;
    if (limit && limit->hard != PLAN_UNLIMITED)
        raise.limit.rlim_max = (rlim_t)limit->hard;
    if (cgroup_open(observe_cgroup_parent(), c->id, &group, &ignored) == 0)
        (void)cgroup_for_each_process(&group, raise_one, &raise, &ignored);
    return raise.old;
}

/* Who looks after restarts hears of it. */
static int set_restart(const struct store *s, struct container *c, const char *restart, struct err *e)
{
    if (c->plan.auto_remove)
        return err_set(e, EINVAL,
                       "Restart policy cannot be updated because AutoRemove is enabled for the container");
    int r = restart_parse(restart, &c->live.restart, e);
    if (r == 0)
        r = live_write(c->dir, &c->live, true, e);
    if (r < 0)
        return r;
    if (c->status != CONTAINER_RUNNING || !tend_needed(c)) {
        tend_nudge(s, c);
        return 0;
    }
    r = tend_register(s, c, e);
    if (r == 0)
        tend_ensure(s);
    return r;
}

static bool same_disk(const struct plan *a, const struct plan *b)
{
    return a->disk == b->disk && a->disk_inodes == b->disk_inodes;
}

/* What holds now: the group's limits while it runs, the disk's always. */
static int set_limits(const struct container *c, const struct plan *p, const struct plan *before,
                      struct err *e)
{
    int r = c->status == CONTAINER_RUNNING ? set_group(c, p, before, e) : 0;
    return r < 0 || same_disk(p, before) ? r : disk_limit_change(c->dir, p, e);
}

static int store_limits(const struct store *s, struct container *c, const struct plan *before, struct err *e)
{
    struct err ignored = {0};
    int r = audit_log_grants(s, &c->plan, e);
    if (r < 0)
        return r;
    r = set_limits(c, &c->plan, before, e);
    if (r == 0)
        r = limits_write(c->dir, &c->plan, e);
    if (r < 0)
        (void)set_limits(c, before, &c->plan, &ignored);
    return r;
}

static bool asks_for_limits(const struct plan *asked)
{
    bool any = asked->cpuset_cpus || asked->cpuset_mems;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        any = any || *number_at(asked, numbers[i].offset) != PLAN_UNSET;
    return any;
}

/* A plan of its own with the limits of another. */
static int copy_limits(const struct plan *from, struct plan *ret, struct err *e)
{
    struct json_object *json = NULL;
    plan_init(ret);
    int r = plan_limits_to_json(from, &json, e);
    if (r == 0)
        r = plan_limits_from_json(json, ret, e);
    json_object_put(json);
    return r;
}

static int change_limits(const struct store *s, struct container *c, const struct plan *asked, struct err *e)
{
    _cleanup_plan_ struct plan before;
    _cleanup_policy_ struct policy policy = {0};
    _cleanup_image_ struct image *image = NULL;
    int r = copy_limits(&c->plan, &before, e);
    if (r == 0)
        r = policy_load(&policy, e);
    if (r == 0)
        r = image_find(s, c->plan.image_id, &image, e);
    if (r == 0)
        r = change_plan(&c->plan, asked, image, &policy, e);
    if (r < 0)
        audit_note_refusal(s, &c->plan, e);
    return r < 0 ? r : store_limits(s, c, &before, e);
}

int update_container(const struct store *s, struct container *c, const struct plan *asked, bool *ret_old,
                     struct err *e)
{
    *ret_old = false;
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    uint64_t pids_before = c->plan.pids;
    if (r == 0 && asks_for_limits(asked))
        r = change_limits(s, c, asked, e);
    /* A limit by user that stays too high does nothing: the group's is the lower one. */
    if (r == 0 && asked->pids != PLAN_UNSET && c->status == CONTAINER_RUNNING)
        *ret_old = raise_processes(c) && c->plan.pids > pids_before;
    if (r == 0 && asked->restart)
        r = set_restart(s, c, asked->restart, e);
    if (r < 0)
        return r;
    audit_note_container(s, AUDIT_UPDATE, &c->plan, NULL);
    events_container(s, &c->plan, "update", NULL, 0);
    return 0;
}
