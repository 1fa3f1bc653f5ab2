/* SPDX-License-Identifier: Apache-2.0 */
/* Drift as evidence (drift_tell.h). */
#include "cli/drift_tell.h"

#include <stdio.h>

#include "base/str.h"
#include "engine/drift.h"

#define PRACTICE 9
#define WHAT "running programs"
#define LINES_MAX 32 /* files that are named; how many more there are is said */

/* True when a process before it executes the same file. */
static bool told(const struct drift *d, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (d->items[k].origin == d->items[i].origin && d->items[k].path &&
            str_equal(d->items[k].path, d->items[i].path))
            return true;
    return false;
}

static int add_line(const struct process *p, const struct drift_program *program, struct evidence *ev,
                    struct err *e)
{
    char source[48];
    bool drifted = drift_is_drift(program->origin);
    (void)snprintf(source, sizeof(source), "/proc/%d/exe", (int)p->pid);
    return evidence_add(ev, PRACTICE, drifted ? EVIDENCE_DRIFTED : EVIDENCE_GRANTED, WHAT, source, e,
                        "%s is not from the image: %s%s%s", program->path, drift_origin_name(program->origin),
                        program->mount ? " at " : "", program->mount ? program->mount : "");
}

static int add_lines(const struct process_list *list, const struct drift *d, struct evidence *ev,
                     struct err *e)
{
    size_t lines = 0, images = 0;
    int r = 0;
    for (size_t i = 0; i < d->count && r == 0; i++) {
        enum drift_origin origin = d->items[i].origin;
        images += origin == DRIFT_IMAGE;
        if (origin <= DRIFT_ENGINE || told(d, i))
            continue;
        if (lines++ < LINES_MAX)
            r = add_line(&list->items[i], &d->items[i], ev, e);
    }
    if (r == 0 && lines > LINES_MAX)
        r = evidence_add(ev, PRACTICE, EVIDENCE_DRIFTED, WHAT, "/proc", e,
                         "%zu more files are not from the image", lines - LINES_MAX);
    return r == 0 && lines == 0 ? evidence_add(ev, PRACTICE, EVIDENCE_HOLDS, WHAT, "/proc", e,
                                               "all %zu processes execute files of the image", images)
                                : r;
}

int drift_explain(const struct container *c, struct evidence *ev, struct err *e)
{
    _cleanup_process_list_ struct process_list list = {0};
    _cleanup_drift_ struct drift drift = {0};
    struct err why = {0};
    if (c->status != CONTAINER_RUNNING)
        return 0;
    int r = processes_read(c, &list, &why);
    if (r == 0)
        r = drift_read(c, &list, &drift, &why);
    if (r < 0)
        return evidence_add(ev, PRACTICE, EVIDENCE_UNKNOWN, WHAT, "", e, "%s", why.text);
    return add_lines(&list, &drift, ev, e);
}
