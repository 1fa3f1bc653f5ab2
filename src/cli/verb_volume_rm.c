/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume rm: volumes go, with all that is in them. */
#include <errno.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/volumes.h"
#include "engine/audit_log.h"

struct rm_options {
    bool force;
};

static const struct option_entry options[] = {
    {"force", 'f', OPTION_BOOL, NULL, "A volume that does not exist is no error",
     offsetof(struct rm_options, force)},
    {0},
};

struct removal {
    const struct store *s;
    bool force;
};

static int remove_one(const char *name, void *context, struct err *e)
{
    const struct removal *x = context;
    int r = volume_remove(x->s, name, e);
    if (r < 0 && !(x->force && r == -ENOENT))
        return r;
    if (r == 0)
        audit_note_name(x->s, AUDIT_VOLUME_REMOVE, name, NULL, NULL);
    printf("%s\n", name);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct rm_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    struct removal x = {&s, o.force};
    return r < 0 ? r : arguments_each(in, false, remove_one, &x);
}

const struct verb verb_volume_rm = {
    .name = "volume rm",
    .aliases = "volume remove",
    .group = VERB_VOLUMES,
    .usage = "VOLUME [VOLUME...]",
    .summary = "Remove volumes",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "volumes",
    .options = {options},
    .run = run,
};
