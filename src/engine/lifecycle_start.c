/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container (lifecycle.h): claims an id block, composes the spec, makes the control group, forks the supervisor and waits for
 * its report. Whatever fails, everything claimed here is given back.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ids.h"
#include "engine/attach.h"
#include "engine/audit_log.h"
#include "engine/compose.h"
#include "engine/events.h"
#include "engine/exit_record.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/mark.h"
#include "engine/observe.h"
#include "engine/pause.h"
#include "engine/record.h"
#include "engine/share.h"
#include "engine/supervise.h"
#include "engine/tend.h"
#include "plan/policy.h"
#include "runtime/report.h"
#include "store/idpool.h"

/* 0 when the program runs; else e and *ret_status say why not. */
static int await_report(int report_fd, int *ret_status, struct err *e)
{
    struct runtime_report report;
    int r = report_await_start(report_fd, &report, e);
    if (r == 0)
        return 0;
    if (r < 0)
        return r;
    *ret_status = report.status;
    return err_set(e, report.code ? report.code : EIO, "%s", report.text);
}

/* A client that is to miss nothing connects before the supervisor exists: the listening socket is there already. */
static int supervise(const struct supervise_request *q, const struct supervise_shim *shim, uint32_t want,
                     int *ret_attach, struct err *e)
{
    _cleanup_close_ int attach = want ? attach_connect(q->container->shim_dir, want, e) : -1;
    if (want && attach < 0)
        return attach;
    int report = supervise_start(q, shim, e);
    if (report >= 0)
        *ret_attach = steal_fd(&attach);
    return report;
}

static int start_in_block(const struct store *s, const struct container *c, unsigned block, uint32_t want,
                          struct lifecycle_start *ret, struct err *e)
{
    _cleanup_spec_ struct spec spec;
    _cleanup_cgroup_ struct cgroup group = CGROUP_INIT;
    _cleanup_policy_ struct policy policy = {0};
    struct supervise_shim shim = SUPERVISE_SHIM_INIT;
    spec_init(&spec);
    int r = policy_load(&policy, e); /* what all containers together may have is the machine's as it is now */
    if (r == 0)
        r = compose_spec(s, c, block, &spec, e);
    if (r == 0)
        r = share_compose(s, &c->plan, block, &spec, e);
    if (r == 0)
        r = cgroup_make(observe_cgroup_parent(), c->id, &spec.resources, policy_total_memory(&policy), &group,
                        e);
    if (r == 0)
        compose_stand_in(&c->plan, &group, &spec.process);
    if (r == 0)
        observe_note_groups(s, &group);
    if (r == 0)
        r = supervise_prepare(c, spec.shim_uid, &shim, e);
    if (r < 0)
        return r;
    const struct supervise_request request = {.store = s,
                                              .container = c,
                                              .spec = &spec,
                                              .cgroup = &group,
                                              .block = block,
                                              .await_client = want != 0};
    _cleanup_close_ int report = supervise(&request, &shim, want, &ret->attach, e);
    supervise_shim_close(&shim);
    if (report < 0)
        return report;
    r = await_report(report, &ret->fail_status, e);
    struct err ignored = {0};
    if (r < 0)
        (void)shim_wait(c->shim_dir, &ignored);
    return r;
}

/* As if it had never been started, but for the reason. */
static void undo(const struct store *s, struct container *c, unsigned block, struct lifecycle_start *ret,
                 const struct err *why)
{
    struct err ignored = {0};
    close_fd(&ret->attach);
    c->start.block = block;
    if (c->plan.auto_remove) {
        (void)lifecycle_remove_locked(s, c, true, &ignored);
        return;
    }
    (void)lifecycle_release_locked(s, c, &ignored);
    record_forget_start(c->dir);
    record_write_error(c->dir, why->text);
    (void)container_refresh(c, &ignored);
}

/* Before the lock is given back, so that no end is told before it. */
static void note_start(const struct store *s, const struct plan *p)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (p->mounts[i].type == PLAN_MOUNT_VOLUME)
            events_volume(s, "mount", p->mounts[i].source, p->id);
    events_container(s, p, "start", NULL, 0);
    image_mark_used(s, p->image_id);
}

int lifecycle_start_locked(const struct store *s, struct container *c, uint32_t attach_want,
                           struct lifecycle_start *ret, struct err *e)
{
    int r = 0;
    events_end(s, c);
    pause_forget(c);
    if (c->start.time != 0)
        r = lifecycle_release_locked(s, c, e);
    int block = r < 0 ? r : share_wanted(&c->plan) ? share_block(s, c, e) : idpool_claim(s, c->id, e);
    if (block < 0)
        return block;
    events_forget_end(c);
    r = start_in_block(s, c, (unsigned)block, attach_want, ret, e);
    if (r < 0) {
        audit_note_refusal(s, &c->plan, e);
        undo(s, c, (unsigned)block, ret, e);
        return r;
    }
    ret->fail_status = 0;
    mark_remove(s, MARK_STARTING, c->id);
    note_start(s, &c->plan);
    record_write_error(c->dir, "");
    return container_refresh(c, e);
}

/* The user starts it: what a restart policy counts begins anew. Before the program runs, as it may end at once. */
static int begin_anew(const struct store *s, struct container *c, struct err *e)
{
    struct live *live = &c->live;
    bool touched = live->user_stopped || live->restart_count || live->delay || live->failed || live->attempt;
    *live = (struct live){.restart = live->restart};
    /* On the list first: killed in between, the policy holds again and somebody knows. */
    int r = tend_needed(c) ? tend_register(s, c, e) : 0;
    return r == 0 && touched ? live_write(c->dir, live, false, e) : r;
}

int lifecycle_start(const struct store *s, struct container *c, uint32_t attach_want,
                    struct lifecycle_start *ret, struct err *e)
{
    *ret = (struct lifecycle_start){.fail_status = RUNTIME_STATUS_ENGINE, .attach = -1};
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0)
        return r;
    if (c->paused)
        return err_set(e, EBUSY, "cannot start a paused container, try unpause instead");
    if (c->status == CONTAINER_RUNNING)
        return err_set(e, EALREADY, "container %s is already running", c->plan.name);
    if (lifecycle_removing(c))
        return err_set(e, EBUSY, "container is marked for removal and cannot be started");
    audit_note_container(s, AUDIT_START, &c->plan, NULL);
    r = begin_anew(s, c, e);
    if (r == 0)
        r = lifecycle_start_locked(s, c, attach_want, ret, e);
    if (c->tended && r == 0) {
        tend_nudge(s, c); /* now it is known which shim to watch */
        tend_ensure(s);
    } else if (c->tended) {
        tend_unregister(s, c);
    }
    return r;
}
