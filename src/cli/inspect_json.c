/* SPDX-License-Identifier: Apache-2.0 */
/* Building JSON for inspect (inspect_json.h). */
#include "cli/inspect_json.h"

#include "base/clock.h"

static void add(struct members *m, const char *key, struct json_object *value, bool null_ok)
{
    if (m->failed || (!value && !null_ok) || json_object_object_add(m->object, key, value) < 0) {
        json_object_put(value);
        m->failed = true;
    }
}

void members_text(struct members *m, const char *key, const char *text)
{
    add(m, key, json_object_new_string(text ? text : ""), false);
}

void members_bool(struct members *m, const char *key, bool value)
{
    add(m, key, json_object_new_boolean(value), false);
}

void members_number(struct members *m, const char *key, int64_t value)
{
    add(m, key, json_object_new_int64(value), false);
}

void members_null(struct members *m, const char *key)
{
    add(m, key, NULL, true);
}

void members_list(struct members *m, const char *key, const struct str_list *list, bool null_when_empty)
{
    if (list->count == 0 && null_when_empty) {
        members_null(m, key);
        return;
    }
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; array && i < list->count; i++) {
        struct json_object *text = json_object_new_string(list->items[i]);
        if (!text || json_object_array_add(array, text) < 0) {
            json_object_put(text);
            m->failed = true;
        }
    }
    add(m, key, array, false);
}

void members_map(struct members *m, const char *key, const struct str_list *entries)
{
    struct members map = members_object(m, key);
    for (size_t i = 0; i < entries->count && !map.failed; i++) {
        struct err e = {0};
        _cleanup_free_ char *name = NULL;
        const char *equals = strchrnul(entries->items[i], '=');
        if (str_copy_n(entries->items[i], (size_t)(equals - entries->items[i]), &name, &e) < 0)
            map.failed = true;
        else
            members_text(&map, name, *equals ? equals + 1 : "");
    }
    members_join(m, &map);
}

void members_time(struct members *m, const char *key, int64_t ns)
{
    char text[CLOCK_TEXT_LENGTH + 1];
    if (ns == 0) {
        members_text(m, key, "0001-01-01T00:00:00Z");
        return;
    }
    clock_format(ns, text);
    members_text(m, key, text);
}

static struct members new_member(struct members *m, const char *key, struct json_object *value)
{
    add(m, key, value, false);
    return (struct members){m->failed ? NULL : value, m->failed};
}

struct members members_object(struct members *m, const char *key)
{
    return new_member(m, key, json_object_new_object());
}

struct members members_array(struct members *m, const char *key)
{
    return new_member(m, key, json_object_new_array());
}

struct members members_item(struct members *array)
{
    struct json_object *o = array->failed ? NULL : json_object_new_object();
    if (!o || json_object_array_add(array->object, o) < 0) {
        json_object_put(o);
        array->failed = true;
        return (struct members){NULL, true};
    }
    return (struct members){o, false};
}
