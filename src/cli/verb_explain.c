/* SPDX-License-Identifier: Apache-2.0 */
/* casemate explain: what each practice does for a container, read from the kernel, and each grant with where it came from. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/containers.h"
#include "cli/denials_tell.h"
#include "cli/drift_tell.h"
#include "cli/inspect_json.h"
#include "cli/listing.h"
#include "practices/practice.h"

#define EXPLAIN_BROKEN \
    1 /* exit status: the kernel says otherwise than the plan, or another program runs than the image's */

struct explain_options {
    const char *format;
    bool no_trunc;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "table, json, or a template such as {{.Practice}}: {{.Value}}",
     offsetof(struct explain_options, format), .complete = "table json"},
    {"no-trunc", 0, OPTION_BOOL, NULL, "Do not cut lines to the terminal",
     offsetof(struct explain_options, no_trunc)},
    {0},
};

static const struct listing_column columns[] = {
    {"Number", "NO.", true},    {"Practice", "PRACTICE", true},
    {"State", "STATE", true},   {"What", "EVIDENCE", true},
    {"Value", "VALUE", true},   {"Source", "SOURCE", true},
    {"Record", "RECORD", true}, {0},
};

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

static int print(const struct evidence *evidence, const struct explain_options *o, struct err *e)
{
    _cleanup_json_ struct json_object *array = json_object_new_array();
    struct members rows = {.object = array, .failed = !array};
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < evidence->count; i++) {
        add_row(&rows, &evidence->lines[i]);
        if (evidence->lines[i].state == EVIDENCE_BROKEN || evidence->lines[i].state == EVIDENCE_DRIFTED)
            status = EXPLAIN_BROKEN;
    }
    int r = rows.failed ? err_oom(e) : listing_print(columns, array, o->format, o->no_trunc, e);
    return r < 0 ? r : status;
}

static int run(const struct invocation *in, struct err *e)
{
    struct explain_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_evidence_ struct evidence evidence = {0};
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = containers_open(&s, in->arguments[0], &c, e);
    if (r < 0)
        return r;
    bool running = c.status == CONTAINER_RUNNING;
    const struct explain_request request = {
        .plan = &c.plan, .pid = running ? c.start.pid : 0, .pid_start = c.start.pid_start};
    r = practices_explain(&request, &evidence, e);
    if (r == 0)
        r = drift_explain(&c, &evidence, e);
    if (r == 0)
        r = denials_explain(&c, &evidence, e);
    return r < 0 ? r : print(&evidence, &o, e);
}

const struct verb verb_explain = {
    .name = "explain",
    .group = VERB_EVIDENCE,
    .usage = "CONTAINER",
    .summary = "Show what each practice does for a container, with evidence",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "containers",
    .options = {options},
    .run = run,
};
