/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs on several containers (containers.h). */
#include "cli/containers.h"

#include "cli/arguments.h"
#include "engine/mend.h"

struct act {
    const struct store *s;
    containers_act act;
    void *context;
};

static int act_on(const char *word, void *context, struct err *e)
{
    const struct act *x = context;
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = container_find(x->s, word, &c, e);
    return r < 0 ? r : x->act(x->s, &c, word, x->context, e);
}

int containers_each(const struct invocation *in, bool missing_ok, containers_act act, void *context,
                    struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    struct act x = {&s, act, context};
    int r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    return arguments_each(in, missing_ok, act_on, &x);
}

int containers_open(struct store *ret_store, const char *word, struct container *ret_container, struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    int r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    r = container_find(&s, word, ret_container, e);
    if (r < 0)
        return r;
    *ret_store = s;
    s = (struct store)STORE_INIT;
    return 0;
}
