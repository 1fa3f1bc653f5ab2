/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over the fourteen that gathers evidence (practice.h). Reads /proc of the container's first process through one descriptor, so a
 * reused pid cannot be taken for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/proc.h"
#include "practices/practice.h"
#include "practices/subject.h"

#define STATUS_MAX (1U << 20)

static int subject_open(const struct explain_request *request, struct subject *ret, struct err *e)
{
    char path[32];
    uint64_t start = 0;
    *ret = (struct subject){.plan = request->plan, .pid = request->pid, .proc = -1};
    if (request->pid <= 0)
        return err_set(e, ESRCH, "the container does not run");
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)request->pid);
    _cleanup_close_ int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return err_set(e, ESRCH, "the container's first process is gone");
    int r = proc_start_time(request->pid, &start, e);
    if (r == 0 && start != request->pid_start)
        r = err_set(e, ESRCH, "the container's first process is gone");
    if (r == 0)
        r = subject_read(&(struct subject){.proc = proc}, "status", STATUS_MAX, &ret->status, e);
    if (r < 0)
        return r;
    ret->proc = steal_fd(&proc);
    return 0;
}

static void subject_close(struct subject *s)
{
    buf_clear(&s->status);
    close_fd(&s->proc);
}

static int add_grants(const struct practice *p, const struct plan *plan, struct evidence *ev, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < plan->grant_count && r == 0; i++) {
        const struct plan_grant *g = &plan->grants[i];
        if (g->practice != p->number)
            continue;
        r = evidence_add(ev, p->number, EVIDENCE_GRANTED, "grant", g->source, e, "%s", g->what);
        if (r == 0)
            ev->lines[ev->count - 1].record = g->record;
    }
    return r;
}

/* `dead`: why nothing can be read, or NULL. */
static int explain_one(const struct practice *p, const struct subject *s, const char *dead,
                       struct evidence *ev, struct err *e)
{
    struct err inner = {0};
    int r = 0;
    if (p->explain && dead)
        r = evidence_add(ev, p->number, EVIDENCE_UNKNOWN, p->title, "", e, "%s", dead);
    else if (p->explain && p->explain(s, ev, &inner) < 0)
        r = evidence_add(ev, p->number, EVIDENCE_UNKNOWN, p->title, "", e, "%s", inner.text);
    if (r == 0)
        r = add_grants(p, s->plan, ev, e);
    if (r == 0 && p->missing)
        r = evidence_add(ev, p->number, EVIDENCE_NOT_ENFORCED, p->title, "", e, "%s", p->missing);
    return r;
}

int practices_explain(const struct explain_request *request, struct evidence *ret, struct err *e)
{
    _cleanup_evidence_ struct evidence ev = {0};
    _cleanup_(subject_close) struct subject subject = {.proc = -1};
    struct err why = {0};
    bool alive = subject_open(request, &subject, &why) == 0;
    for (int n = 1; n <= PLAN_PRACTICES; n++) {
        int r = explain_one(practice_find(n), &subject, alive ? NULL : why.text, &ev, e);
        if (r < 0)
            return r;
    }
    *ret = ev;
    ev = (struct evidence){0};
    return 0;
}
