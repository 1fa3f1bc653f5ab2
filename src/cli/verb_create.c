/* SPDX-License-Identifier: Apache-2.0 */
/* casemate create: a container that is not started. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/create_container.h"
#include "cli/run_options.h"
#include "cli/verbs.h"

static int run(const struct invocation *in, struct err *e)
{
    _cleanup_run_options_ struct run_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = run_options_read(in, &o, e);
    if (r < 0) {
        verbs_complain(e);
        return CLI_ENGINE_ERROR;
    }
    r = store_open(&s, e);
    if (r == 0)
        r = create_container(&s, &o, NULL, e);
    if (r < 0)
        return r;
    printf("%s\n", o.plan.id);
    return EXIT_SUCCESS;
}

const struct verb verb_create = {
    .name = "create",
    .aliases = "container create",
    .group = VERB_CONTAINERS,
    .flags = VERB_STOPS,
    .usage = "IMAGE [COMMAND] [ARG...]",
    .summary = "Create a container without starting it",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "images",
    .options = {run_shared_options, run_resource_options, run_host_options, run_unsupported_options},
    .run = run,
};
