/* SPDX-License-Identifier: Apache-2.0 */
/* casemate restart: stop, then start. */
#include <limits.h>
#include <stdio.h>

#include "base/imagerules.h"
#include "base/num.h"
#include "cli/containers.h"
#include "engine/lifecycle.h"

struct restart_options {
    uint64_t timeout;
    const char *signal;
};

/* -1: for as long as it takes. */
static int set_timeout(void *target, const char *value, struct err *e)
{
    if (!str_equal(value, "-1"))
        return num_parse_u64(value, INT_MAX, target, e);
    *(uint64_t *)target = INT_MAX;
    return 0;
}

static const struct option_entry options[] = {
    {"signal", 's', OPTION_STRING, "SIGNAL", "Signal to send first",
     offsetof(struct restart_options, signal)},
    {"timeout", 't', OPTION_CUSTOM, "SECONDS",
     "Time until it is killed (default: the container's own, or 10)",
     offsetof(struct restart_options, timeout), set_timeout},
    {"time", 0, OPTION_CUSTOM, "SECONDS", "The same as --timeout", offsetof(struct restart_options, timeout),
     set_timeout},
    {0},
};

static int restart_one(const struct store *s, struct container *c, const char *word, void *context,
                       struct err *e)
{
    const struct restart_options *o = context;
    struct lifecycle_start started = {.attach = -1};
    int r = o->signal ? str_replace(&c->plan.stop_signal, o->signal, e) : 0;
    if (r == 0)
        r = lifecycle_restart(s, c, o->timeout, &started, e);
    if (r < 0)
        return err_wrap(e, "Cannot restart container %s", word);
    printf("%s\n", word);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct restart_options o = {.timeout = PLAN_UNSET};
    char clean[IMAGE_RULE_SIGNAL_TEXT];
    int r = options_apply(in, &o, e);
    if (r == 0 && o.signal) {
        r = image_rule_signal(o.signal, clean, e);
        o.signal = clean;
    }
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
    .options = {options},
    .run = run,
};
