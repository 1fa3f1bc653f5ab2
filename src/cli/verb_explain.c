/* SPDX-License-Identifier: Apache-2.0 */
/* casemate explain: what each practice does for a container, read from the kernel, and each grant with where it came from. */
#include <stdlib.h>

#include "base/json.h"
#include "cli/containers.h"
#include "cli/evidence_rows.h"
#include "cli/inspect_json.h"
#include "cli/listing.h"

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

static int print(const struct evidence *evidence, const struct explain_options *o, struct err *e)
{
    _cleanup_json_ struct json_object *array = json_object_new_array();
    struct members rows = {.object = array, .failed = !array};
    int status = EXIT_SUCCESS;
    evidence_rows(&rows, evidence);
    for (size_t i = 0; i < evidence->count; i++)
        if (evidence->lines[i].state == EVIDENCE_BROKEN || evidence->lines[i].state == EVIDENCE_DRIFTED)
            status = EXPLAIN_BROKEN;
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
    r = evidence_gather(&c, &evidence, e);
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
