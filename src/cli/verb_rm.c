/* SPDX-License-Identifier: Apache-2.0 */
/* casemate rm: containers go, with their names, writable layers and logs. */
#include <stdio.h>

#include "cli/containers.h"
#include "engine/lifecycle.h"

struct rm_options {
    bool force;
    bool volumes;
};

static const struct option_entry options[] = {
    {"force", 'f', OPTION_BOOL, NULL, "Kill a container that is running; a missing one is no error",
     offsetof(struct rm_options, force)},
    {"volumes", 'v', OPTION_BOOL, NULL, "Remove its anonymous volumes too",
     offsetof(struct rm_options, volumes)},
    {"link", 'l', OPTION_UNSUPPORTED, NULL, ": containers are not linked"},
    {0},
};

static int remove_one(const struct store *s, struct container *c, const char *word, void *context,
                      struct err *e)
{
    const struct rm_options *o = context;
    int r = lifecycle_remove(s, c, o->force, o->volumes, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct rm_options o = {0};
    int r = options_apply(in, &o, e);
    return r < 0 ? r : containers_each(in, o.force, remove_one, &o, e);
}

const struct verb verb_rm = {
    .name = "rm",
    .aliases = "container rm, container remove",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Remove containers",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
