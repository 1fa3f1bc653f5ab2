/* SPDX-License-Identifier: Apache-2.0 */
/* casemate pause: stops all processes of containers. */
#include <stdio.h>

#include "cli/containers.h"
#include "engine/pause.h"

static const struct option_entry options[] = {{0}};

static int pause_one(const struct store *s, struct container *c, const char *word, void *context,
                     struct err *e)
{
    (void)context;
    int r = pause_container(s, c, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    return containers_each(in, false, pause_one, NULL, e);
}

const struct verb verb_pause = {
    .name = "pause",
    .aliases = "container pause",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Stop all processes of containers for a while",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
