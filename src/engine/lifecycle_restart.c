/* SPDX-License-Identifier: Apache-2.0 */
/* Starting again (lifecycle.h): for the user, and for a restart policy. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/events.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/notice.h"
#include "engine/restarting.h"
#include "engine/tend.h"

#define DETAIL_MAX 80

int lifecycle_restart(const struct store *s, struct container *c, uint64_t timeout_seconds,
                      struct lifecycle_start *ret, struct err *e)
{
    *ret = (struct lifecycle_start){.attach = -1};
    /* Somebody waits: so a --rm container stays. */
    _cleanup_close_ int waiter = lock_waiter(c, e);
    int r = waiter < 0 ? waiter : lifecycle_stop(s, c, timeout_seconds, e);
    if (r == 0)
        r = lifecycle_start(s, c, 0, ret, e);
    if (r == 0)
        events_container(s, &c->plan, "restart", NULL, 0);
    if (r == -EALREADY) { /* somebody else has started it meanwhile */
        err_clear(e);
        r = 0;
    }
    return r;
}

int lifecycle_await_restart(struct container *c, struct err *e)
{
    char path[sizeof("/proc/self/fd/") + 12];
    char events[sizeof(struct inotify_event) + NAME_MAX + 1]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    if (c->status != CONTAINER_RESTARTING)
        return 0;
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", c->dir);
    /* Its records are replaced by rename; the directory itself is renamed when it is removed. */
    if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ONLYDIR) < 0)
        return err_errno(e, "watch container %.12s", c->id);
    for (int r;;) {
        r = container_refresh(c, e);
        if (r < 0 || c->status != CONTAINER_RESTARTING)
            return r;
        ssize_t n = read(fd, events, sizeof(events));
        if (n < 0 && errno != EINTR)
            return err_errno(e, "watch container %.12s", c->id);
        const struct inotify_event *event = (const struct inotify_event *)(const void *)events;
        if (n > 0 && event->mask & IN_MOVE_SELF)
            return err_set(e, ENOENT, "No such container: %.12s", c->id);
    }
}

/* The attempt is written down before it is made: a program that takes the machine with it must not be started again at once. One that
 * was cut short is not counted twice. */
static int count_attempt(struct container *c, bool boot, struct err *e)
{
    struct live *live = &c->live;
    if (live->attempt != restarting_end(c)) {
        live->delay = restarting_delay(c);
        live->restart_count++;
        live->attempt = restarting_end(c);
    }
    if (boot)
        live->user_stopped = false;
    return live_write(c->dir, live, false, e);
}

static int start_again(const struct store *s, struct container *c, bool boot, struct err *e)
{
    char detail[DETAIL_MAX];
    struct lifecycle_start started = {.attach = -1};
    lock_await_readers(c); /* who wants to read how it ended */
    int r = count_attempt(c, boot, e);
    if (r == 0)
        r = tend_register(s, c, e);
    if (r < 0)
        return r;
    (void)snprintf(detail, sizeof(detail), "%s%s, restart %llu", restart_kind_name(c->live.restart.kind),
                   boot ? " (boot)" : "", (unsigned long long)c->live.restart_count);
    r = lifecycle_start_locked(s, c, 0, &started, e);
    struct err ignored = {0};
    bool changes = r < 0 || c->live.failed;
    c->live.failed = r < 0 ? clock_now() : 0;
    c->live.fail_status = r < 0 ? started.fail_status : 0;
    if (changes)
        (void)live_write(c->dir, &c->live, false, &ignored);
    if (r == 0)
        notice_container(s, c, NOTICE_RESTARTED, detail);
    return r;
}

int lifecycle_revive(const struct store *s, struct container *c, bool boot, struct err *e)
{
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0 || c->status == CONTAINER_RUNNING)
        return r;
    if (lifecycle_removing(c))
        return lifecycle_finish_removal(s, c, e);
    if (restarting_wanted(c, boot))
        return start_again(s, c, boot, e);
    tend_unregister(s, c);
    close_fd(&lock);
    return lifecycle_release(s, c, e);
}
