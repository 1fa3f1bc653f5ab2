/* SPDX-License-Identifier: Apache-2.0 */
/* casemate inspect: everything about containers, images and volumes, as JSON in Docker's shape. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "cli/verbs.h"
#include "engine/mend.h"

struct inspect_options {
    const char *format;
    const char *type;
    bool size;
};

static const struct option_entry options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", "json, or a template such as {{.State.Pid}}",
     offsetof(struct inspect_options, format), .complete = "json"},
    {"type", 0, OPTION_STRING, "TYPE", "Look for this kind of object only: container, image or volume",
     offsetof(struct inspect_options, type), .complete = "container image volume"},
    {"size", 's', OPTION_BOOL, NULL, "Add what a container has written, and with its image",
     offsetof(struct inspect_options, size)},
    {0},
};

static int find_container(const struct store *s, const char *word, bool size, struct json_object **ret_json,
                          struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    int r = container_find(s, word, &c, e);
    _cleanup_json_ struct json_object *json = NULL;
    if (r == 0)
        r = inspect_container(&c, &json, e);
    if (r == 0 && size)
        r = inspect_add_size(s, &c, json, e);
    if (r == 0)
        *ret_json = steal_ptr(json);
    return r;
}

static int find_image(const struct store *s, const char *word, struct json_object **ret_json, struct err *e)
{
    _cleanup_image_ struct image *image = NULL;
    int r = image_find(s, word, &image, e);
    return r < 0 ? r : inspect_image(image, ret_json, e);
}

static int find_object(const struct store *s, const struct inspect_options *o, const char *word,
                       struct json_object **ret_json, struct err *e)
{
    bool any = !o->type;
    if (any || str_equal(o->type, "container")) {
        int r = find_container(s, word, o->size, ret_json, e);
        if (!any || r != -ENOENT)
            return r;
    }
    struct err missing = {0};
    int r = any || str_equal(o->type, "image") ? find_image(s, word, ret_json, &missing) : -ENOENT;
    if (r < 0 && (any || str_equal(o->type, "volume")))
        r = inspect_volume(s, word, ret_json, &missing);
    if (r < 0 && any)
        return err_set(e, ENOENT, "No such object: %s", word);
    if (r < 0)
        *e = missing;
    return r;
}

/* Adds what is found to the array; a name that is not found is an error that does not hide the others. */
static int collect(const struct store *s, const struct invocation *in, const struct inspect_options *o,
                   struct json_object *array, struct err *e)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < in->argument_count; i++) {
        struct err failed = {0};
        struct json_object *json = NULL;
        if (find_object(s, o, in->arguments[i], &json, &failed) < 0) {
            verbs_complain(&failed);
            status = EXIT_FAILURE;
        } else if (json_object_array_add(array, json) < 0) {
            json_object_put(json);
            return err_oom(e);
        }
    }
    return status;
}

/* What is left out when there is nothing, but may be asked for all the same: {{if .State.Health}}. */
static int add_absent(struct json_object *array, struct err *e)
{
    static const struct {
        const char *object, *key;
    } absent[] = {{"State", "Health"}, {"Config", "Healthcheck"}, {"Config", "OnBuild"}};
    for (size_t i = 0; i < json_object_array_length(array); i++)
        for (size_t n = 0; n < ARRAY_SIZE(absent); n++) {
            struct json_object *at =
                json_object_object_get(json_object_array_get_idx(array, i), absent[n].object);
            if (at && !json_object_object_get(at, absent[n].key) &&
                json_object_object_add(at, absent[n].key, NULL) < 0)
                return err_oom(e);
        }
    return 0;
}

int inspect_print(struct json_object *array, const char *format, struct err *e)
{
    if (format && !str_equal(format, "json")) {
        int r = add_absent(array, e);
        return r < 0 ? r : format_print_all(format, array, e);
    }
    if (json_object_array_length(array) == 0) {
        printf("[]\n");
        return 0;
    }
    printf("%s\n", json_object_to_json_string_ext(
                       array, JSON_C_TO_STRING_NOSLASHESCAPE |
                                  (format ? JSON_C_TO_STRING_PLAIN
                                          : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED)));
    return 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct inspect_options o = {0};
    _cleanup_store_ struct store s = STORE_INIT;
    _cleanup_json_ struct json_object *array = json_object_new_array();
    int r = array ? options_apply(in, &o, e) : err_oom(e);
    if (r == 0 && o.type && !str_equal(o.type, "container") && !str_equal(o.type, "image") &&
        !str_equal(o.type, "volume"))
        r = err_set(e, EINVAL, "--type is container, image or volume, not '%s'", o.type);
    if (r == 0)
        r = store_open(&s, e);
    if (r < 0)
        return r;
    mend_ended(&s);
    int status = collect(&s, in, &o, array, e);
    if (status < 0)
        return status;
    r = inspect_print(array, o.format, e);
    return r < 0 ? r : status;
}

const struct verb verb_inspect = {
    .name = "inspect",
    .aliases = "container inspect",
    .group = VERB_EVIDENCE,
    .usage = "NAME|ID [NAME|ID...]",
    .summary = "Show everything about containers, images and volumes as JSON",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
