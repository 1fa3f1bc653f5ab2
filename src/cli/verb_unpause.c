/* SPDX-License-Identifier: Apache-2.0 */
/* casemate unpause: lets the processes of paused containers go on. */
#include <stdio.h>

#include "cli/containers.h"
#include "engine/pause.h"

static const struct option_entry options[] = {{0}};

static int unpause_one(const struct store *s, struct container *c, const char *word, void *context,
                       struct err *e)
{
    (void)context;
    int r = unpause_container(s, c, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    return containers_each(in, false, unpause_one, NULL, e);
}

const struct verb verb_unpause = {
    .name = "unpause",
    .aliases = "container unpause",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Let the processes of paused containers go on",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
