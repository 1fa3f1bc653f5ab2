/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume prune: volumes that no container uses go. */
#include <stdio.h>

#include "cli/prune.h"

static const struct option_entry options[] = {
    {"all", 'a', OPTION_BOOL, NULL, "Named volumes too, not only those without a name of their own",
     offsetof(struct prune_options, all)},
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove those that match: all, label, label!",
     offsetof(struct prune_options, filters)},
    PRUNE_FORCE,
    {0},
};

static bool wants_all(const struct prune_options *o)
{
    return o->all || str_list_has(&o->filters, "all=true") || str_list_has(&o->filters, "all=1");
}

static void ask(const struct prune_options *o, char *question)
{
    (void)snprintf(question, PRUNE_QUESTION_MAX,
                   "This will remove %s volumes not used by at least one container.",
                   wants_all(o) ? "all local" : "anonymous local");
}

static int prune(const struct store *s, const struct prune_options *o, const struct prune_filter *f,
                 uint64_t *bytes, struct err *e)
{
    return prune_volumes(s, wants_all(o), f, bytes, e);
}

static int run(const struct invocation *in, struct err *e)
{
    static const char *const keys[] = {"all", "label", "label!", NULL};
    static const struct prune_command command = {
        .name = "volume prune", .keys = keys, .ask = ask, .prune = prune};
    return prune_run(in, &command, e);
}

const struct verb verb_volume_prune = {
    .name = "volume prune",
    .group = VERB_VOLUMES,
    .usage = "",
    .summary = "Remove volumes that no container uses",
    .options = {options},
    .run = run,
};
