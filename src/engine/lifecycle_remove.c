/* SPDX-License-Identifier: Apache-2.0 */
/* Giving back what a run has held, and removing containers (lifecycle.h). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "engine/audit_log.h"
#include "engine/denial_advice.h"
#include "engine/disk_limit.h"
#include "engine/events.h"
#include "engine/exit_record.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/logs_removed.h"
#include "engine/mark.h"
#include "engine/names.h"
#include "engine/notice.h"
#include "engine/observe.h"
#include "engine/pause.h"
#include "engine/volume.h"
#include "runtime/cgroup.h"
#include "store/idpool.h"

#define SHIM_END_MS 5000
/* In the container's directory; the second when anonymous volumes go, too. Empty: there may be no room for a content. */
#define REMOVING_FILE "removing"
#define REMOVING_VOLUMES_FILE "removing-volumes"

/* For `casemate events`. */
static void tell_denial(const struct store *s, const struct container *c, const struct denial *d,
                        int practice)
{
    char name[DENIAL_TEXT];
    char count[24];
    char number[8];
    (void)snprintf(count, sizeof(count), "%" PRIu64, d->count);
    (void)snprintf(number, sizeof(number), "%d", practice);
    const struct event_attribute extra[] = {{"call", denial_text(d, name)},
                                            {"count", count},
                                            {"practice", number},
                                            {"process", *d->process ? d->process : NULL}};
    events_container(s, &c->plan, "denied", extra, ARRAY_SIZE(extra));
}

/* Once for each run: who takes the record notes what stands in it. The container's lock is held. */
static void note_denials(const struct store *s, struct container *c)
{
    struct denial_advice advice;
    struct audit_event events[SHIM_DENIALS_MAX];
    char what[SHIM_DENIALS_MAX][DENIAL_TEXT * 2];
    char name[DENIAL_TEXT];
    if (c->status == CONTAINER_RUNNING || c->denials.count == 0 || !denials_take(c->shim_dir))
        return;
    for (size_t i = 0; i < c->denials.count; i++) {
        const struct denial *d = &c->denials.items[i];
        denial_advise_one(c, d, &advice);
        tell_denial(s, c, d, advice.practice);
        (void)snprintf(what[i], sizeof(what[i]), "%s%s%s, %" PRIu64 " time%s", denial_text(d, name),
                       *d->process ? " by " : "", d->process, d->count, d->count == 1 ? "" : "s");
        events[i] = (struct audit_event){.kind = AUDIT_DENIAL,
                                         .container = c->id,
                                         .name = c->plan.name,
                                         .image = c->plan.image_id,
                                         .practice = advice.practice,
                                         .what = what[i]};
    }
    audit_note_all(s, events, c->denials.count);
}

/* The mark stays: whoever still waits will release again, or the next command when that one was killed. */
static int release_run(const struct store *s, struct container *c, struct err *e)
{
    note_denials(s, c);
    int r = cgroup_remove(observe_cgroup_parent(), c->id, e);
    return r == 0 && c->start.block ? idpool_release(s, c->start.block, c->id, e) : r;
}

static void remove_marks(const struct store *s, const struct container *c)
{
    mark_remove(s, MARK_STARTING, c->id);
    mark_remove(s, MARK_EXITED, c->id);
}

/* For the events: each end is told once, by whoever releases first. */
static void tell_end(const struct store *s, const struct container *c)
{
    if (c->status != CONTAINER_CREATED && mark_exists(s, MARK_EXITED, c->id))
        notice_container(s, c, NOTICE_DIED, NULL);
}

int lifecycle_release_locked(const struct store *s, struct container *c, struct err *e)
{
    int r = release_run(s, c, e);
    if (r == 0) {
        tell_end(s, c);
        remove_marks(s, c);
    }
    return r;
}

/* While the container still names them: afterwards nobody would. */
static void remove_volumes(const struct store *s, const struct plan *p)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (p->mounts[i].anonymous)
            volume_leave(s, p->mounts[i].source, p->id);
}

/* When it is out of sight: a volume that is still named must not be free. */
static void forget_volumes(const struct store *s, const struct plan *p)
{
    struct err ignored = {0};
    for (size_t i = 0; i < p->mount_count; i++) {
        if (p->mounts[i].type != PLAN_MOUNT_VOLUME)
            continue;
        _cleanup_close_ int dir = volume_open(s, p->mounts[i].source, &ignored);
        if (dir >= 0)
            volume_remove_user(dir, p->id);
    }
}

/* Written before anything of it goes, in one step, and marked: when this command is killed, the next one finishes (finish_removal),
 * and nobody starts what lacks its log or its volumes. */
static int intend_removal(const struct store *s, const struct container *c, bool volumes, struct err *e)
{
    const char *name = volumes ? REMOVING_VOLUMES_FILE : REMOVING_FILE;
    int r = mark_make(s, MARK_STARTING, c->id, e);
    _cleanup_close_ int fd =
        r < 0 ? r : openat(c->dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return r < 0 ? r : fd < 0 ? err_errno(e, "remove container %.12s", c->id) : 0;
}

static bool has(const struct container *c, const char *name)
{
    return faccessat(c->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool lifecycle_removing(const struct container *c)
{
    return has(c, REMOVING_FILE) || has(c, REMOVING_VOLUMES_FILE);
}

int lifecycle_finish_removal(const struct store *s, struct container *c, struct err *e)
{
    return lifecycle_remove_locked(s, c, has(c, REMOVING_VOLUMES_FILE), e);
}

/* First out of sight in one step, then away: a killed command leaves what the next sweep of staging/ removes. The directory's lock, which
 * the caller holds, keeps sweepers off. Marks go after the step, so that a --rm container is not forgotten. */
int lifecycle_remove_locked(const struct store *s, struct container *c, bool volumes, struct err *e)
{
    char name[STORE_STAGING_NAME_MAX];
    int r = release_run(s, c, e);
    if (r == 0)
        r = intend_removal(s, c, volumes, e);
    if (r < 0)
        return r;
    tell_end(s, c);
    audit_note_container(s, AUDIT_REMOVE, &c->plan, NULL);
    events_end(s, c);
    logs_removed_keep(s, c);
    if (volumes)
        remove_volumes(s, &c->plan);
    uint32_t project = disk_limit_project(c->dir, "rw");
    (void)snprintf(name, sizeof(name), "rm-%s", c->id);
    if (renameat(s->containers, c->id, s->staging, name) < 0)
        return err_errno(e, "remove container %.12s", c->id);
    forget_volumes(s, &c->plan);
    remove_marks(s, c);
    mark_remove(s, MARK_TENDED, c->id);
    names_release(s, c->plan.name, c->id);
    events_container(s, &c->plan, "destroy", NULL, 0);
    r = path_remove_tree_at(s->staging, name, e);
    if (r == 0)
        quota_release(s, project);
    return r;
}

/* A shim holds back its end while an attached client does not take the last output: what is removed is not waited for that long. */
static void end_shim(const struct container *c)
{
    _cleanup_close_ int pidfd = sys_pidfd_open(c->start.shim_pid);
    if (pidfd < 0 || shim_alive(c->shim_dir) <= 0) /* its number may be another's by now */
        return;
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    if (poll(&end, 1, SHIM_END_MS) == 0)
        (void)sys_pidfd_send_signal(pidfd, SIGKILL);
}

static int kill_and_wait(const struct store *s, struct container *c, struct err *e)
{
    struct err gone = {0};
    _cleanup_close_ int pidfd = proc_open(c->start.pid, c->start.pid_start, &gone);
    if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL) == 0)
        events_container(s, &c->plan, "kill", &(const struct event_attribute){"signal", "9"}, 1);
    pause_end(c);
    end_shim(c);
    int r = shim_wait(c->shim_dir, e);
    lock_await_readers(c);
    return r < 0 ? r : container_refresh(c, e);
}

int lifecycle_remove(const struct store *s, struct container *c, bool force, bool volumes, struct err *e)
{
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0)
        return r;
    if (c->status == CONTAINER_RESTARTING && !force)
        return err_set(
            e, EBUSY,
            "You cannot remove a restarting container %s. Stop the container before attempting removal or "
            "force remove (rm -f)",
            c->id);
    if (c->paused && !force)
        return err_set(e, EBUSY,
                       "You cannot remove a paused container %s. Unpause and then stop the container before "
                       "attempting removal or force remove (rm -f)",
                       c->id);
    if (c->status == CONTAINER_RUNNING && !force)
        return err_set(e, EBUSY,
                       "You cannot remove a running container %s. Stop the container before attempting "
                       "removal or force remove "
                       "(rm -f)",
                       c->id);
    if (c->status == CONTAINER_RUNNING)
        r = kill_and_wait(s, c, e);
    return r < 0 ? r : lifecycle_remove_locked(s, c, volumes, e);
}

int lifecycle_release(const struct store *s, struct container *c, struct err *e)
{
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0 || c->status == CONTAINER_RUNNING)
        return r;
    events_end(s, c);
    if (lifecycle_removing(c))
        return lifecycle_finish_removal(s, c, e);
    if (c->status == CONTAINER_CREATED && !mark_exists(s, MARK_STARTING, c->id)) /* it stays, as created */
        return 0;
    if (c->plan.auto_remove && !lock_no_waiter(c))
        return c->status == CONTAINER_CREATED ? 0 : release_run(s, c, e);
    return c->plan.auto_remove ? lifecycle_remove_locked(s, c, true, e) : lifecycle_release_locked(s, c, e);
}

struct user_search {
    const char *image_id;
    char *ret_id;
};

static int is_user(struct container *c, void *context, struct err *e)
{
    const struct user_search *search = context;
    (void)e;
    if (!str_equal(c->plan.image_id, search->image_id))
        return 0;
    memcpy(search->ret_id, c->id, sizeof(c->id));
    return 1;
}

int lifecycle_image_user(const struct store *s, const char *image_id, char *ret_id, struct err *e)
{
    struct user_search search = {image_id, ret_id};
    return container_for_each(s, is_user, &search, e);
}
