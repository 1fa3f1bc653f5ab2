/* SPDX-License-Identifier: Apache-2.0 */
/* casemate container prune: containers that do not run go. */
#include <stdio.h>

#include "cli/prune.h"

static const struct option_entry options[] = {
    {"filter", 0, OPTION_LIST, "KEY=VALUE", "Remove those that match: until, label, label!",
     offsetof(struct prune_options, filters)},
    PRUNE_FORCE,
    {0},
};

static void ask(const struct prune_options *o, char *question)
{
    (void)o;
    (void)snprintf(question, PRUNE_QUESTION_MAX, "This will remove all stopped containers.");
}

static int prune(const struct store *s, const struct prune_options *o, const struct prune_filter *f,
                 uint64_t *bytes, struct err *e)
{
    (void)o;
    return prune_containers(s, f, bytes, e);
}

static int run(const struct invocation *in, struct err *e)
{
    static const struct prune_command command = {.name = "container prune", .ask = ask, .prune = prune};
    return prune_run(in, &command, e);
}

const struct verb verb_container_prune = {
    .name = "container prune",
    .group = VERB_CONTAINERS,
    .usage = "",
    .summary = "Remove containers that do not run",
    .options = {options},
    .run = run,
};
