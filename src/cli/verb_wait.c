/* SPDX-License-Identifier: Apache-2.0 */
/* casemate wait: blocks until containers have ended, and prints their exit codes. */
#include <stdio.h>

#include "cli/containers.h"
#include "engine/lifecycle.h"

static int wait_one(const struct store *s, struct container *c, const char *word, void *context,
                    struct err *e)
{
    (void)word, (void)context;
    int r = lifecycle_await_restart(c, e);
    while (r == 0 && c->status == CONTAINER_RUNNING) /* more than once: its policy was faster than we are */
        r = lifecycle_wait(s, c, e);
    if (r < 0)
        return r;
    printf("%d\n", c->lost ? CLI_LOST_STATUS : c->exit_code);
    return fflush(stdout) == 0 ? 0 : err_errno(e, "write to standard output");
}

static int run(const struct invocation *in, struct err *e)
{
    return containers_each(in, false, wait_one, NULL, e);
}

const struct verb verb_wait = {
    .name = "wait",
    .aliases = "container wait",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Wait until containers end and print their exit codes",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .run = run,
};
