/* SPDX-License-Identifier: Apache-2.0 */
/* base/json: any bytes are a document or a one-line error; a document survives being written and read again. */
#include "base/json.h"

#include "fuzz.h"

static void read_members(struct json_object *o)
{
    struct err e = {0};
    const char *text = NULL;
    uint64_t u = 0;
    int64_t i = 0;
    bool b = false;
    struct json_object *inner = NULL;
    _cleanup_str_list_ struct str_list list = {0};
    (void)json_get_string(o, "a", &text, &e);
    MUST(!text || strlen(text) < SIZE_MAX);
    (void)json_get_u64(o, "a", &u, &e);
    (void)json_get_i64(o, "a", &i, &e);
    (void)json_get_bool(o, "a", &b, &e);
    (void)json_get_object(o, "a", &inner, &e);
    (void)json_get_array(o, "a", &inner, &e);
    (void)json_get_strings(o, "a", 8, &list, &e);
    (void)json_get_string_map(o, "a", 8, &list, &e);
    MUST(list.count <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    _cleanup_json_ struct json_object *o = NULL;
    int r = json_parse((const char *)data, size, &o, &e);
    if (r < 0) {
        MUST(!o && e.code == -r && e.text[0] && !strchr(e.text, '\n'));
        return 0;
    }
    if (json_object_is_type(o, json_type_object))
        read_members(o);
    size_t length = 0;
    const char *text = json_object_to_json_string_length(
        o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    _cleanup_json_ struct json_object *again = NULL;
    MUST(json_parse(text, length, &again, &e) >= 0);
    return 0;
}
