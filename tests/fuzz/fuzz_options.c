/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/options and the options of run, one word a line: every command line gives a plan that can be kept and read again, or one line of
 * error. Options that name files are left out, as the names would be real.
 */
#include "base/json.h"
#include "cli/run_options.h"
#include "cli/verbs.h"
#include "fuzz.h"

#define WORDS_MAX 64

static const struct verb run_like = {
    .name = "run",
    .flags = VERB_STOPS | VERB_RUNS,
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .options = {run_shared_options, run_only_options, run_unsupported_options}};

static bool names_file(const struct invocation *in)
{
    for (size_t i = 0; i < in->setting_count; i++) {
        const char *name = in->settings[i].option->name;
        if (strstr(name, "file") || strcmp(name, "security-opt") == 0)
            return true;
    }
    return false;
}

static void check_plan(struct plan *p)
{
    struct err e = {0};
    memset(p->id, '0', ID_LENGTH);
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_plan_ struct plan again;
    plan_init(&again);
    MUST(plan_to_json(p, &json, &e) == 0);
    MUST(plan_from_json(json, &again, &e) == 0);
    MUST(again.command.count == p->command.count && again.mount_count == p->mount_count);
    for (size_t i = 0; i < p->mount_count; i++)
        MUST(p->mounts[i].target && p->mounts[i].target[0] == '/' && !strstr(p->mounts[i].target, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    char *words[WORDS_MAX + 1];
    size_t count = 0;
    _cleanup_free_ char *text = fuzz_text(data, size);
    for (char *at = text; at && count < WORDS_MAX;)
        words[count++] = strsep(&at, "\n");
    words[count] = NULL;
    _cleanup_invocation_ struct invocation in = {0};
    _cleanup_run_options_ struct run_options o = {0};
    int r = options_scan(&run_like, words, &in, &e);
    if (r == 0 && (in.help || names_file(&in)))
        return 0;
    if (r == 0)
        r = run_options_read(&in, &o, &e);
    if (r == 0)
        check_plan(&o.plan);
    else
        MUST(e.code > 0 && e.text[0] && !strchr(e.text, '\n'));
    return 0;
}
