/* SPDX-License-Identifier: Apache-2.0 */
/* The history of an image configuration (OCI image-spec 1.1, config.md, "history"): only told, nothing follows from it. */
#include <errno.h>

#include "base/clock.h"
#include "base/imagerules.h"
#include "base/json.h"
#include "workers/parse/parse.h"

/* A string, cut to PARSE_HISTORY_TEXT_MAX; one that is no string counts as none. */
static int copy_text(struct json_object *from, const char *key, struct json_object *to, const char *to_key,
                     struct err *e)
{
    struct json_object *value = NULL;
    _cleanup_free_ char *copy = NULL;
    if (!json_object_object_get_ex(from, key, &value) || !json_object_is_type(value, json_type_string))
        return 0;
    int r = str_copy_n(json_object_get_string(value), PARSE_HISTORY_TEXT_MAX, &copy, e);
    if (r < 0)
        return r;
    str_neutralize(copy);
    return *copy ? json_add_string(to, to_key, copy, e) : 0;
}

static int copy_entry(struct json_object *from, struct json_object *to, struct err *e)
{
    char text[CLOCK_TEXT_LENGTH + 1];
    const char *created = "";
    bool empty = false;
    int64_t ns = 0;
    struct err ignored = {0};
    if (json_get_string(from, "created", &created, &ignored) > 0 &&
        clock_parse(created, &ns, &ignored) == 0 && ns > 0) {
        clock_format(ns, text);
        int r = json_add_string(to, "created", text, e);
        if (r < 0)
            return r;
    }
    int r = copy_text(from, "created_by", to, "createdBy", e);
    if (r == 0)
        r = copy_text(from, "comment", to, "comment", e);
    if (r == 0)
        r = copy_text(from, "author", to, "author", e);
    if (r == 0 && json_get_bool(from, "empty_layer", &empty, &ignored) > 0 && empty)
        r = json_add_bool(to, "emptyLayer", true, e);
    return r;
}

int parse_history(const char *text, size_t length, struct json_object **ret_answer, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct json_object *history = NULL;
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "it is not a JSON object");
    _cleanup_json_ struct json_object *answer = json_object_new_array();
    if (!answer)
        return err_oom(e);
    r = json_get_array(o, "history", &history, e);
    size_t count = r > 0 ? json_object_array_length(history) : 0;
    if (count > IMAGE_RULE_HISTORY_MAX)
        return err_set(e, E2BIG, "history has more than %d entries", IMAGE_RULE_HISTORY_MAX);
    for (size_t i = 0; r >= 0 && i < count; i++) {
        struct json_object *entry = json_object_array_get_idx(history, i);
        struct json_object *copy = json_object_new_object();
        if (!copy || json_object_array_add(answer, copy) < 0) {
            json_object_put(copy);
            return err_oom(e);
        }
        if (!json_object_is_type(entry, json_type_object))
            return err_set(e, EINVAL, "history is not an array of objects");
        r = copy_entry(entry, copy, e);
    }
    if (r < 0)
        return r;
    *ret_answer = steal_ptr(answer);
    return 0;
}
