/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs on several containers (containers.h). */
#include "cli/containers.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/mend.h"

static int act_on(const struct store *s, const char *word, containers_act act, void *context, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = container_find(s, word, &c, e);
    return r < 0 ? r : act(s, &c, word, context, e);
}

int containers_each(const struct invocation *in, bool missing_ok, containers_act act, void *context,
                    struct err *e)
{
    _cleanup_store_ struct store s = STORE_INIT;
    int r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        r = act_on(&s, in->arguments[i], act, context, &failed);
        if (r < 0)
            verbs_complain(&failed);
        if (r < 0 && !(missing_ok && r == -ENOENT))
            status = EXIT_FAILURE;
    }
    return status;
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
