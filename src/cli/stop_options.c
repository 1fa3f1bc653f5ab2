/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `stop` and `restart` (stop_options.h). */
#include "cli/stop_options.h"

#include <limits.h>

#include "base/num.h"

/* -1: for as long as it takes. */
static int set_timeout(void *target, const char *value, struct err *e)
{
    if (!str_equal(value, "-1"))
        return num_parse_u64(value, INT_MAX, target, e);
    *(uint64_t *)target = INT_MAX;
    return 0;
}

const struct option_entry stop_option_table[] = {
    {"signal", 's', OPTION_STRING, "SIGNAL", "Signal to send first", offsetof(struct stop_options, signal)},
    {"timeout", 't', OPTION_CUSTOM, "SECONDS",
     "Time until it is killed (default: the container's own, or 10)", offsetof(struct stop_options, timeout),
     set_timeout},
    {"time", 0, OPTION_CUSTOM, "SECONDS", "The same as --timeout", offsetof(struct stop_options, timeout),
     set_timeout},
    {0},
};

int stop_options_read(const struct invocation *in, struct stop_options *ret, struct err *e)
{
    *ret = (struct stop_options){.timeout = PLAN_UNSET};
    int r = options_apply(in, ret, e);
    return r == 0 && ret->signal ? image_rule_signal(ret->signal, ret->clean, e) : r;
}

int stop_options_give(const struct stop_options *o, struct container *c, struct err *e)
{
    return o->signal ? str_replace(&c->plan.stop_signal, o->clean, e) : 0;
}
