/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, stopping and waiting (lifecycle.h). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/imagerules.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/exit_record.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/pause.h"
#include "engine/tend.h"

#define STOP_TIMEOUT_DEFAULT 10 /* seconds, Docker's */
#define NS_PER_MS 1000000

static int not_running(const struct container *c, struct err *e)
{
    return err_set(e, ESRCH, "Container %.12s is not running", c->id);
}

/* A descriptor of the first process: by pid and start time, so that a reused pid is never hit. */
static int open_first(struct container *c, struct err *e)
{
    int r = container_refresh(c, e);
    if (r < 0)
        return r;
    if (c->status != CONTAINER_RUNNING)
        return not_running(c, e);
    int fd = proc_open(c->start.pid, c->start.pid_start, e);
    return fd == -ESRCH ? not_running(c, e) : fd;
}

static int send_signal(const struct store *s, int pidfd, const struct container *c, int signal, struct err *e)
{
    char number[16];
    if (sys_pidfd_send_signal(pidfd, signal) == 0) {
        (void)snprintf(number, sizeof(number), "%d", signal);
        events_container(s, &c->plan, "kill", &(const struct event_attribute){"signal", number}, 1);
        return 0;
    }
    return errno == ESRCH ? not_running(c, e)
                          : err_errno(e, "send signal %d to container %.12s", signal, c->id);
}

/* No policy starts it again before the user does. Written before the signal goes out, and kept over a crash of the machine where a policy
 * would ask for it. */
static int hold_off(const struct store *s, struct container *c, struct err *e)
{
    if (c->plan.auto_remove)
        return 0;
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    bool waiting = c->status == CONTAINER_RESTARTING;
    if (r < 0 || c->live.user_stopped || (c->status != CONTAINER_RUNNING && !waiting))
        return r;
    r = live_write_stopped(c->dir, &c->live, c->live.restart.kind != RESTART_NO, e);
    if (r == 0 && waiting)
        tend_nudge(s, c);
    return r < 0 ? r : container_refresh(c, e);
}

/* It had ended by itself before the signal came: the user has ended nothing, and its policy goes on to hold. */
static void take_back(const struct store *s, struct container *c)
{
    struct err ignored = {0};
    _cleanup_close_ int lock = lock_container(s, c, &ignored);
    if (lock < 0 || container_refresh(c, &ignored) < 0 || !c->live.user_stopped)
        return;
    c->live.user_stopped = false;
    if (live_write(c->dir, &c->live, false, &ignored) == 0 && tend_needed(c) &&
        tend_register(s, c, &ignored) == 0)
        tend_ensure(s);
}

static int stop_signal(const struct plan *p)
{
    int number = p->stop_signal ? image_rule_signal_number(p->stop_signal) : SIGTERM;
    return number > 0 ? number : SIGTERM;
}

static bool means_end(const struct plan *p, int signal)
{
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT ||
           signal == stop_signal(p);
}

int lifecycle_kill(const struct store *s, struct container *c, int signal, struct err *e)
{
    char what[32];
    _cleanup_close_ int pidfd = open_first(c, e);
    if (pidfd < 0)
        return pidfd;
    (void)snprintf(what, sizeof(what), "signal %d", signal);
    audit_note_container(s, AUDIT_KILL, &c->plan, what);
    bool before = c->live.user_stopped;
    int r = means_end(&c->plan, signal) ? hold_off(s, c, e) : 0;
    if (r == 0)
        r = send_signal(s, pidfd, c, signal, e);
    if (r == -ESRCH && !before)
        take_back(s, c);
    if (r == 0 && (signal == SIGKILL || signal == stop_signal(&c->plan)))
        pause_end(c); /* other signals wait until it goes on */
    return r;
}

/* Waits until the process has ended: 1, or the time is over: 0. */
static int await_end(int pidfd, uint64_t seconds, struct err *e)
{
    int64_t deadline = seconds > INT32_MAX ? INT64_MAX : clock_monotonic() + (int64_t)seconds * CLOCK_SECOND;
    for (;;) {
        struct pollfd p = {.fd = pidfd, .events = POLLIN};
        int64_t left = deadline == INT64_MAX ? INT32_MAX : (deadline - clock_monotonic()) / NS_PER_MS;
        int r = poll(&p, 1, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);
        if (r < 0 && errno != EINTR)
            return err_errno(e, "wait for the container");
        if (r > 0)
            return 1;
        if (deadline != INT64_MAX && clock_monotonic() >= deadline)
            return 0;
    }
}

static int stop(const struct store *s, struct container *c, uint64_t timeout_seconds, struct err *e)
{
    uint64_t timeout = timeout_seconds != PLAN_UNSET        ? timeout_seconds
                       : c->plan.stop_timeout != PLAN_UNSET ? c->plan.stop_timeout
                                                            : STOP_TIMEOUT_DEFAULT;
    _cleanup_close_ int pidfd = open_first(c, e);
    if (pidfd == -ESRCH) {
        err_clear(e);
        return 0;
    }
    if (pidfd >= 0)
        audit_note_container(s, AUDIT_STOP, &c->plan, NULL);
    int r = pidfd < 0 ? pidfd : send_signal(s, pidfd, c, stop_signal(&c->plan), e);
    if (r == 0) {
        pause_end(c);
        r = await_end(pidfd, timeout, e);
    }
    if (r == 0)
        r = send_signal(s, pidfd, c, SIGKILL, e);
    if (r < 0 && r != -ESRCH)
        return r;
    err_clear(e);
    r = lifecycle_wait(s, c, e);
    if (r == 0)
        events_container(s, &c->plan, "stop", NULL, 0);
    return r;
}

int lifecycle_stop(const struct store *s, struct container *c, uint64_t timeout_seconds, struct err *e)
{
    int r = hold_off(s, c, e);
    return r < 0 ? r : stop(s, c, timeout_seconds, e);
}

int lifecycle_halt(const struct store *s, struct container *c, struct err *e)
{
    return stop(s, c, PLAN_UNSET, e);
}

int lifecycle_wait(const struct store *s, struct container *c, struct err *e)
{
    /* Until the exit record is read, a --rm container must not go. */
    if (c->waiter < 0)
        c->waiter = lock_waiter(c, e);
    int r = c->waiter < 0 ? c->waiter : shim_wait(c->shim_dir, e);
    if (r == 0)
        r = container_refresh(c, e);
    close_fd(&c->waiter);
    if (r < 0)
        return r;
    r = lifecycle_release(s, c, e);
    if (r == -ENOENT) { /* somebody else has removed it meanwhile */
        err_clear(e);
        r = 0;
    }
    return r;
}
