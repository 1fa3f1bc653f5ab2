/* SPDX-License-Identifier: Apache-2.0 */
/* Building JSON for inspect (inspect_json.h). */
#include "cli/inspect_json.h"

#include <json-c/printbuf.h>

#include "base/clock.h"
#include "cli/template.h"

static void add(struct members *m, const char *key, struct json_object *value)
{
    if (m->failed || !value || json_object_object_add(m->object, key, value) < 0) {
        json_object_put(value);
        m->failed = true;
    }
}

void members_text(struct members *m, const char *key, const char *text)
{
    add(m, key, json_object_new_string(text ? text : ""));
}

void members_bool(struct members *m, const char *key, bool value)
{
    add(m, key, json_object_new_boolean(value));
}

void members_number(struct members *m, const char *key, int64_t value)
{
    add(m, key, json_object_new_int64(value));
}

/* Go's empty slices and maps: null in JSON, but nothing that a template trips over. */
static int print_null(struct json_object *o, struct printbuf *out, int level, int flags)
{
    (void)o;
    (void)level;
    (void)flags;
    return printbuf_memappend(out, "null", 4) < 0 ? -1 : 0;
}

static struct json_object *null_text(struct json_object *empty)
{
    if (empty)
        json_object_set_serializer(empty, print_null, NULL, NULL);
    return empty;
}

void members_null(struct members *m, const char *key)
{
    add(m, key, null_text(json_object_new_array()));
}

void members_null_map(struct members *m, const char *key)
{
    add(m, key, null_text(json_object_new_object()));
}

void members_list(struct members *m, const char *key, const struct str_list *list, bool null_when_empty)
{
    if (list->count == 0 && null_when_empty) {
        add(m, key, null_text(json_object_new_array()));
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
    add(m, key, array);
}

void members_entries(struct members *m, const struct str_list *entries)
{
    for (size_t i = 0; i < entries->count && !m->failed; i++) {
        struct err e = {0};
        _cleanup_free_ char *name = NULL;
        const char *equals = strchrnul(entries->items[i], '=');
        if (str_copy_n(entries->items[i], (size_t)(equals - entries->items[i]), &name, &e) < 0)
            m->failed = true;
        else
            members_text(m, name, *equals ? equals + 1 : "");
    }
}

void members_map(struct members *m, const char *key, const struct str_list *entries)
{
    struct members map = members_new_map(m, key);
    members_entries(&map, entries);
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
    add(m, key, value);
    return (struct members){m->failed ? NULL : value, m->failed};
}

struct members members_object(struct members *m, const char *key)
{
    return new_member(m, key, json_object_new_object());
}

struct members members_new_map(struct members *m, const char *key)
{
    struct members map = members_object(m, key);
    if (map.object)
        template_mark_map(map.object);
    return map;
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
