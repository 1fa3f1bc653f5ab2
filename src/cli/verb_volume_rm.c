/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume rm: volumes go, with all that is in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

static int remove_one(const struct store *s, const char *name, bool force, struct err *e)
{
    int r = volume_remove(s, name, e);
    if (r < 0 && !(force && r == -ENOENT))
        return r;
    if (r == 0)
        audit_note_name(s, AUDIT_VOLUME_REMOVE, name, NULL, NULL);
    printf("%s\n", name);
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct rm_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    int status = EXIT_SUCCESS;
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        if (remove_one(&s, in->arguments[i], o.force, &failed) < 0) {
            verbs_complain(&failed);
            status = EXIT_FAILURE;
        }
    }
    return status;
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
