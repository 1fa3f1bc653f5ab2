/* SPDX-License-Identifier: Apache-2.0 */
/* casemate restart: stop, then start. */
#include <stdio.h>

#include "cli/containers.h"
#include "cli/stop_options.h"
#include "engine/lifecycle.h"

static int restart_one(const struct store *s, struct container *c, const char *word, void *context,
                       struct err *e)
{
    const struct stop_options *o = context;
    struct lifecycle_start started = {.attach = -1};
    int r = stop_options_give(o, c, e);
    if (r == 0)
        r = lifecycle_restart(s, c, o->timeout, &started, e);
    if (r < 0)
        return err_wrap(e, "Cannot restart container %s", word);
    printf("%s\n", word);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct stop_options o;
    int r = stop_options_read(in, &o, e);
    return r < 0 ? r : containers_each(in, false, restart_one, &o, e);
}

const struct verb verb_restart = {
    .name = "restart",
    .aliases = "container restart",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Stop containers and start them again",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {stop_option_table},
    .run = run,
};
