/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One health check (health.h): the command of the plan, run as `exec` would run it, with the limits of the container. Trusted code that reads what
 * an untrusted process writes: bytes are bounded, made text and kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/proc.h"
#include "engine/exec.h"
#include "engine/health.h"
#include "engine/kill_tree.h"
#include "engine/notice.h"

#define LOCK_FILE "health.lock"
#define CHUNK 4096
#define NS_PER_MS 1000000
#define POLL_MAX_MS 3600000
#define KILLED_MS 5000
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define CUT_MARK "..."

struct output {
    struct buf bytes; /* at most HEALTH_OUTPUT_MAX */
    bool cut;
};

static int make_command(const struct plan *p, struct str_list *ret, struct err *e)
{
    bool shell = str_equal(p->health_test.items[0], "CMD-SHELL");
    int r = 0;
    if (shell && p->health_shell.count > 0)
        r = str_list_copy(&p->health_shell, ret, e);
    else if (shell)
        r = str_list_add(ret, "/bin/sh", e) < 0 ? -e->code : str_list_add(ret, "-c", e);
    for (size_t i = 1; r == 0 && i < p->health_test.count; i++)
        r = str_list_add(ret, p->health_test.items[i], e);
    return r;
}

static void keep(struct output *out, const char *data, size_t length)
{
    struct err ignored = {0};
    size_t room = HEALTH_OUTPUT_MAX - out->bytes.length;
    if (length > room) {
        out->cut = true;
        length = room;
    }
    if (buf_add(&out->bytes, data, length, HEALTH_OUTPUT_MAX, &ignored) < 0)
        out->cut = true;
}

/* Takes what is there. The end closes the descriptor. */
static void take(int *fd, struct output *out)
{
    char data[CHUNK];
    while (*fd >= 0) {
        ssize_t n = read(*fd, data, sizeof(data));
        if (n > 0) {
            keep(out, data, (size_t)n);
            if (n < (ssize_t)sizeof(data))
                return;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        close_fd(fd);
    }
}

/* Relays until the process ends: 1, or the time is over: 0. */
static int relay(struct exec_session *x, int64_t deadline, struct output *out, struct err *e)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = x->pidfd, .events = POLLIN},
                               {.fd = x->streams[1], .events = POLLIN},
                               {.fd = x->streams[2], .events = POLLIN}};
        int64_t left = (deadline - clock_monotonic() + NS_PER_MS - 1) / NS_PER_MS;
        if (left <= 0)
            return 0;
        int n = poll(fds, ARRAY_SIZE(fds), left > POLL_MAX_MS ? POLL_MAX_MS : (int)left);
        if (n < 0 && errno != EINTR)
            return err_errno(e, "wait for the health check");
        if (n <= 0)
            continue;
        for (int i = 1; i <= 2; i++)
            if (fds[i].revents)
                take(&x->streams[i], out);
        if (fds[0].revents)
            return 1;
    }
}

/* Bytes that are no text become U+FFFD. */
static int to_text(const struct output *out, char **ret, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    const char *data = out->bytes.data ? out->bytes.data : "";
    size_t max = HEALTH_OUTPUT_MAX * sizeof(REPLACEMENT) + sizeof(CUT_MARK);
    int r = buf_add(&text, "", 0, max, e);
    for (size_t i = 0; r == 0 && i < out->bytes.length;) {
        size_t n = data[i] ? str_utf8_length(data + i) : 0;
        r = n ? buf_add(&text, data + i, n, max, e)
              : buf_add(&text, REPLACEMENT, sizeof(REPLACEMENT) - 1, max, e);
        i += n ? n : 1;
    }
    if (r == 0 && out->cut)
        r = buf_add(&text, CUT_MARK, sizeof(CUT_MARK) - 1, max, e);
    return r < 0 ? r : str_copy(text.data ? text.data : "", ret, e);
}

static int end_late_one(struct exec_session *x, uint64_t timeout, struct health_result *result, struct err *e)
{
    struct err gone = {0};
    struct pollfd end = {.fd = x->pidfd, .events = POLLIN};
    pid_t pid;
    int ignored;
    if (proc_of_pidfd(x->pidfd, &pid, &gone) == 0)
        kill_tree(pid);
    result->exit_code = HEALTH_EXIT_TIMEOUT;
    /* In a frozen container it dies when that goes on: then nobody waits for it. */
    int r = poll(&end, 1, KILLED_MS) > 0 ? exec_wait(x, &ignored, e) : 0;
    return r < 0 ? r
                 : str_format(&result->output, e, "Health check exceeded timeout (%gs)",
                              (double)timeout / (double)CLOCK_SECOND);
}

static int run_started(struct exec_session *x, uint64_t timeout, struct health_result *result, struct err *e)
{
    struct output out = {0};
    for (int i = 1; i <= 2; i++)
        if (fcntl(x->streams[i], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(e, "output of the health check");
    int r = relay(x, clock_monotonic() + (int64_t)timeout, &out, e);
    if (r == 0) {
        r = end_late_one(x, timeout, result, e);
    } else if (r > 0) {
        for (int i = 1; i <= 2;
             i++) /* what it wrote last; children that keep the streams open are not waited for */
            take(&x->streams[i], &out);
        r = exec_wait(x, &result->exit_code, e);
        if (r == 0)
            r = to_text(&out, &result->output, e);
    }
    buf_clear(&out.bytes);
    return r;
}

/* A command that cannot be run is a result as well: a failure that says why. -ESRCH: the container does not run any more. */
static int run_command(const struct store *s, struct container *c, struct health_result *result,
                       struct err *e)
{
    struct health_times times;
    struct exec_session x = EXEC_SESSION_INIT;
    struct exec_request request = {.health_check = true};
    struct err failed = {0};
    health_times(&c->plan, &times);
    int r = make_command(&c->plan, &request.command, e);
    if (r == 0) {
        result->start = clock_now();
        r = exec_start(s, c, &request, &x, &failed);
        if (r == -ESRCH) {
            *e = failed;
        } else if (r < 0) {
            result->exit_code = HEALTH_EXIT_TIMEOUT;
            str_neutralize(failed.text);
            r = str_copy(failed.text, &result->output, e);
        } else {
            r = run_started(&x, times.timeout, result, e);
        }
        result->end = clock_now();
    }
    str_list_clear(&request.command);
    exec_session_close(&x);
    return r;
}

/* Under the lock of the container's checks: an earlier tender's may still be under way. */
static int take_lock(const struct container *c, struct err *e)
{
    _cleanup_close_ int fd = openat(c->dir, LOCK_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EWOULDBLOCK : err_errno(e, "lock the health checks");
    return steal_fd(&fd);
}

int health_check(const struct store *s, struct container *c, struct err *e)
{
    struct health_result result = {0};
    _cleanup_health_ struct health h = {0};
    _cleanup_close_ int lock = take_lock(c, e);
    if (lock < 0)
        return lock == -EWOULDBLOCK ? 0 : lock;
    int64_t run = c->start.time;
    if (c->status != CONTAINER_RUNNING || c->paused)
        return 0;
    int r = run_command(s, c, &result, e);
    if (r == 0)
        r = container_refresh(c, e);
    /* What was stopped half-way says nothing. */
    bool same_run = r == 0 && c->status == CONTAINER_RUNNING && !c->paused && c->start.time == run;
    if (same_run) {
        health_read(c, &h);
        bool changed = health_add(&h, c, &result);
        r = health_write(c, &h, e);
        if (r == 0 && changed)
            notice_container(s, c, NOTICE_HEALTH, health_status_name(h.status));
    }
    free(result.output);
    return r == -ESRCH ? 0 : r;
}
