/* SPDX-License-Identifier: Apache-2.0 */
/* casemate stop: the stop signal, some time, then SIGKILL. */
#include <stdio.h>

#include "cli/containers.h"
#include "cli/stop_options.h"
#include "engine/lifecycle.h"

static int stop_one(const struct store *s, struct container *c, const char *word, void *context,
                    struct err *e)
{
    const struct stop_options *o = context;
    int r = stop_options_give(o, c, e);
    if (r == 0)
        r = lifecycle_stop(s, c, o->timeout, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct stop_options o;
    int r = stop_options_read(in, &o, e);
    return r < 0 ? r : containers_each(in, false, stop_one, &o, e);
}

const struct verb verb_stop = {
    .name = "stop",
    .aliases = "container stop",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Stop containers",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {stop_option_table},
    .run = run,
};
