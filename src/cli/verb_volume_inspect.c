/* SPDX-License-Identifier: Apache-2.0 */
/* casemate volume inspect: everything about volumes, as JSON in Docker's shape. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/inspect.h"
#include "cli/verbs.h"

struct inspect_options {
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.Mountpoint}}",
     offsetof(struct inspect_options, format), .complete = "json"},
    {0},
};

static int collect(const struct store *s, const struct invocation *in, struct json_object *array,
                   struct err *e)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        struct json_object *json = NULL;
        if (inspect_volume(s, in->arguments[i], &json, &failed) < 0) {
            verbs_complain(&failed);
            status = EXIT_FAILURE;
        } else if (json_object_array_add(array, json) < 0) {
            json_object_put(json);
            return err_oom(e);
        }
    }
    return status;
}

static int run(const struct invocation *in, struct err *e)
{
    struct inspect_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_json_ struct json_object *array = json_object_new_array();
    int r = array ? options_apply(in, &o, e) : err_oom(e);
    if (r == 0)
        r = store_open(&s, e);
    int status = r < 0 ? r : collect(&s, in, array, e);
    if (status < 0)
        return status;
    r = inspect_print(array, o.format, e);
    return r < 0 ? r : status;
}

const struct verb verb_volume_inspect = {
    .name = "volume inspect",
    .group = VERB_VOLUMES,
    .usage = "VOLUME [VOLUME...]",
    .summary = "Show everything about volumes as JSON",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "volumes",
    .options = {options},
    .run = run,
};
