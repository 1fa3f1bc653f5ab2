/* SPDX-License-Identifier: Apache-2.0 */
/* casemate image inspect: everything about images, as JSON in Docker's shape. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "cli/verbs.h"

struct inspect_options {
    const char *format;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.Config.Cmd}}",
     offsetof(struct inspect_options, format), .complete = "json"},
    {0},
};

static int add_image(const struct store *s, const char *word, struct json_object *array, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    struct json_object *json;
    int r = image_find(s, word, &image, e);
    if (r == 0)
        r = inspect_image(image, &json, e);
    if (r == 0 && json_object_array_add(array, json) < 0) {
        json_object_put(json);
        r = err_oom(e);
    }
    return r;
}

static int run(const struct invocation *in, struct err *e)
{
    struct inspect_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_json_ struct json_object *array = json_object_new_array();
    int status = EXIT_SUCCESS;
    int r = array ? options_apply(in, &o, e) : err_oom(e);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        if (add_image(&s, in->arguments[i], array, &failed) == 0)
            continue;
        verbs_complain(&failed);
        status = EXIT_FAILURE;
    }
    r = inspect_print(array, o.format, e);
    return r < 0 ? r : status;
}

const struct verb verb_image_inspect = {
    .name = "image inspect",
    .group = VERB_IMAGES,
    .usage = "IMAGE [IMAGE...]",
    .summary = "Show everything about images as JSON",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "images",
    .options = {options},
    .run = run,
};
