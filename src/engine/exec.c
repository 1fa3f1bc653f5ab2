/* SPDX-License-Identifier: Apache-2.0 */
/* Another process in a container (exec.h): the container's plan with the request's changes, never more rights than its first process. */
#include "engine/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "engine/audit_log.h"
#include "engine/compose.h"
#include "engine/compose_resources.h"
#include "engine/events.h"
#include "engine/first_process.h"
#include "engine/observe.h"
#include "plan/secret_text.h"
#include "runtime/enter.h"
#include "runtime/report.h"

#define SIGNALED_BASE 128

void exec_session_close(struct exec_session *x)
{
    close_fd(&x->pidfd);
    close_fd(&x->terminal);
    for (int i = 0; i < 3; i++)
        close_fd(&x->streams[i]);
}

static int change_process(const struct exec_request *q, struct spec_process *p, struct err *e)
{
    str_list_clear(&p->args);
    p->terminal = q->tty;
    p->init = -1;
    int r = str_list_copy(&q->command, &p->args, e);
    for (size_t i = 0; i < q->env.count && r == 0; i++)
        r = str_list_set_env(&p->env, q->env.items[i], e);
    if (r == 0 && q->user)
        r = str_replace(&p->user, q->user, e);
    if (r == 0 && q->working_dir)
        r = str_replace(&p->cwd, q->working_dir, e);
    if (r == 0 && q->tty && !str_list_env(&p->env, "TERM"))
        r = str_list_add(&p->env, "TERM=xterm", e);
    return r;
}

/* theirs: what the process gets; ours (x->streams): the other ends. */
static int make_streams(const struct exec_request *q, int theirs[3], struct exec_session *x, struct err *e)
{
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (q->detach || (i == 0 && !q->open_stdin)) {
            theirs[i] = open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
            if (theirs[i] < 0)
                return err_errno(e, "open /dev/null");
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
            return err_errno(e, "pipe");
        theirs[i] = ends[i == 0 ? 0 : 1];
        x->streams[i] = ends[i == 0 ? 1 : 0];
    }
    return 0;
}

static int open_target(struct container *c, struct err *e)
{
    if (c->paused)
        return err_set(e, EBUSY, "Container %s is paused, unpause the container before exec", c->plan.name);
    if (c->status == CONTAINER_RESTARTING)
        return err_set(e, ESRCH, "Container %.12s is restarting, wait until the container is running", c->id);
    return first_process_open(c, e);
}

static int enter(const struct container *c, struct spec_process *process, int target, const int theirs[3],
                 int report_fd, struct exec_session *x, struct err *e)
{
    _cleanup_str_list_ struct str_list writable = {0};
    _cleanup_cgroup_ struct cgroup group = CGROUP_INIT;
    int r = compose_writable(&c->plan, &writable, e);
    if (r == 0)
        r = cgroup_open(observe_cgroup_parent(), c->id, &group, e);
    if (r < 0)
        return r;
    compose_stand_in(&c->plan, &group, process);
    const struct runtime_enter request = {.process = process,
                                          .writable = &writable,
                                          .target = target,
                                          .cgroup = &group,
                                          .block_first = identity_block_first(c->start.block),
                                          .oom_score_adj = compose_oom_score_adj(&c->plan),
                                          .stdio = {theirs[0], theirs[1], theirs[2]},
                                          .report_fd = report_fd};
    return runtime_enter(&request, &x->pidfd, &x->terminal, e);
}

/* A report, where there is one, says more than the failure on our side. */
static int await(int report_fd, int failed, struct exec_session *x, struct err *e)
{
    struct runtime_report report;
    struct err unreadable = {0};
    int r = report_receive(report_fd, &report, &unreadable);
    if (r == 0)
        return failed;
    if (r < 0) {
        *e = unreadable;
        return r;
    }
    x->fail_status = report.status;
    return err_set(e, report.code ? report.code : EIO, "%s", report.text);
}

static int start(const struct store *s, const struct container *c, int target, const struct exec_request *q,
                 struct exec_session *x, struct err *e)
{
    struct spec_process process;
    int theirs[3] = {-1, -1, -1};
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int read_end = report[0];
    int r = compose_process(s, c, &process, e);
    if (r < 0) {
        (void)close(report[1]);
        return r;
    }
    r = change_process(q, &process, e);
    if (r == 0 && !q->tty)
        r = make_streams(q, theirs, x, e);
    if (r == 0)
        r = enter(c, &process, target, theirs, report[1], x, e);
    (void)close(report[1]);
    for (int i = 0; i < 3; i++)
        close_fd(&theirs[i]);
    spec_process_clear(&process);
    r = await(read_end, r, x, e);
    /* It has ended on the way. */
    return r == -ESRCH ? err_set(e, ESRCH, "Container %.12s is not running", c->id) : r;
}

/* "exec_create: sh -c …" */
static void note_step(const struct store *s, const struct container *c, const struct exec_request *q,
                      struct exec_session *x, const char *step)
{
    struct err ignored = {0};
    _cleanup_buf_ struct buf action = {0};
    if (q->health_check) /* each would be three events, every few seconds */
        return;
    int r = x->id[0] ? 0 : id_random(x->id, &ignored);
    if (r == 0)
        r = buf_printf(&action, EVENTS_LINE_MAX, &ignored, "%s:", step);
    for (size_t i = 0; i < q->command.count && r == 0; i++)
        r = buf_printf(&action, EVENTS_LINE_MAX, &ignored, " %s", q->command.items[i]);
    _cleanup_free_ char *hidden = NULL;
    if (r == 0)
        r = secret_hide(action.data, &hidden, &ignored);
    const struct event_attribute extra[] = {{"execID", x->id}};
    if (r == 0)
        events_container(s, &c->plan, hidden, extra, ARRAY_SIZE(extra));
}

void exec_note_end(const struct store *s, const struct container *c, const struct exec_session *x, int code)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", code);
    const struct event_attribute extra[] = {{"execID", x->id}, {"exitCode", text}};
    events_container(s, &c->plan, "exec_die", extra, ARRAY_SIZE(extra));
}

int exec_start(const struct store *s, struct container *c, const struct exec_request *request,
               struct exec_session *ret, struct err *e)
{
    struct exec_session x = EXEC_SESSION_INIT;
    ret->fail_status = RUNTIME_STATUS_ENGINE;
    if (request->command.count == 0)
        return err_set(e, EINVAL, "exec needs a command");
    int r = container_refresh(c, e);
    _cleanup_close_ int target = r < 0 ? r : open_target(c, e);
    if (target < 0)
        return target;
    x.fail_status = RUNTIME_STATUS_ENGINE;
    if (!request->health_check)
        audit_note_exec(s, &c->plan, &request->command, request->user);
    note_step(s, c, request, &x, "exec_create");
    r = start(s, c, target, request, &x, e);
    if (r < 0) {
        ret->fail_status = x.fail_status;
        exec_session_close(&x);
        return r;
    }
    note_step(s, c, request, &x, "exec_start");
    x.fail_status = 0;
    *ret = x;
    return 0;
}

int exec_wait(struct exec_session *x, int *ret_code, struct err *e)
{
    siginfo_t info = {0};
    int r;
    do
        r = waitid(P_PIDFD, (id_t)x->pidfd, &info, WEXITED);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return err_errno(e, "wait for the process");
    x->waited = true;
    *ret_code = info.si_code == CLD_EXITED ? info.si_status : SIGNALED_BASE + info.si_status;
    return 0;
}
