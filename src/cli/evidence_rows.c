/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence (evidence_rows.h). */
#include "cli/evidence_rows.h"

#include <stdio.h>

#include "cli/denials_tell.h"
#include "cli/drift_tell.h"
#include "practices/practice.h"

static void add_row(struct members *rows, const struct evidence_line *line)
{
    const struct practice *practice = practice_find(line->practice);
    char number[8];
    char record[24];
    (void)snprintf(number, sizeof(number), "%d", line->practice);
    (void)snprintf(record, sizeof(record), "%llu", (unsigned long long)line->record);
    struct members m = members_item(rows);
    members_text(&m, "Number", number);
    members_text(&m, "Practice", practice ? practice->title : "");
    members_text(&m, "State", evidence_state_name(line->state));
    members_text(&m, "What", line->what);
    members_text(&m, "Value", line->value);
    members_text(&m, "Source", line->source);
    members_text(&m, "Record", line->record ? record : "");
    members_join(rows, &m);
}

void evidence_rows(struct members *rows, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->count; i++)
        add_row(rows, &evidence->lines[i]);
}

int evidence_gather(const struct container *c, struct evidence *ret, struct err *e)
{
    bool running = c->status == CONTAINER_RUNNING;
    const struct explain_request request = {
        .plan = &c->plan, .pid = running ? c->start.pid : 0, .pid_start = c->start.pid_start};
    int r = practices_explain(&request, ret, e);
    if (r == 0)
        r = drift_explain(c, ret, e);
    return r < 0 ? r : denials_explain(c, ret, e);
}
