/* SPDX-License-Identifier: Apache-2.0 */
/* casemate stop: the stop signal, some time, then SIGKILL. */
#include <limits.h>
#include <stdio.h>

#include "base/imagerules.h"
#include "base/num.h"
#include "cli/containers.h"
#include "engine/lifecycle.h"

struct stop_options {
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
    {"signal", 's', OPTION_STRING, "SIGNAL", "Signal to send first", offsetof(struct stop_options, signal)},
    {"timeout", 't', OPTION_CUSTOM, "SECONDS",
     "Time until it is killed (default: the container's own, or 10)", offsetof(struct stop_options, timeout),
     set_timeout},
    {"time", 0, OPTION_CUSTOM, "SECONDS", "The same as --timeout", offsetof(struct stop_options, timeout),
     set_timeout},
    {0},
};

static int stop_one(const struct store *s, struct container *c, const char *word, void *context,
                    struct err *e)
{
    const struct stop_options *o = context;
    int r = o->signal ? str_replace(&c->plan.stop_signal, o->signal, e) : 0;
    if (r == 0)
        r = lifecycle_stop(s, c, o->timeout, e);
    if (r == 0)
        printf("%s\n", word);
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct stop_options o = {.timeout = PLAN_UNSET};
    char clean[IMAGE_RULE_SIGNAL_TEXT];
    int r = options_apply(in, &o, e);
    if (r == 0 && o.signal) {
        r = image_rule_signal(o.signal, clean, e);
        o.signal = clean;
    }
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
    .options = {options},
    .run = run,
};
