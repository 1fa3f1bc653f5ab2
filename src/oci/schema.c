/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of all fields (schema.h). */
#include "oci/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* The full name of what is being read: where the parent's ends, and one name or index more. */
struct place {
    const struct place *parent;
    const char *name; /* NULL: an index */
    size_t index;
};

static void place_add(const struct place *p, struct buf *text)
{
    struct err ignored = {0};
    if (p->parent)
        place_add(p->parent, text);
    if (!p->name)
        (void)buf_printf(text, SCHEMA_PATH_MAX, &ignored, "[%zu]", p->index);
    else if (*p->name)
        (void)buf_printf(text, SCHEMA_PATH_MAX, &ignored, "%s%s", text->length > 0 ? "." : "", p->name);
}

/* -EINVAL: "process.user.uid: must be ...". */
static int wrong(const struct place *p, struct err *e, const char *what)
{
    _cleanup_buf_ struct buf text = {0};
    place_add(p, &text);
    return err_set(e, EINVAL, "%s: %s", text.length > 0 ? text.data : "the document", what);
}

static int read_fields(const struct schema *fields, struct json_object *object, const struct place *where,
                       void *target, struct err *e);

static int read_string(const struct schema *f, struct json_object *value, const struct place *where,
                       const char **ret, struct err *e)
{
    if (!json_object_is_type(value, json_type_string))
        return wrong(where, e, "must be a string");
    const char *text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        return wrong(where, e, "must not have a NUL character in it");
    if ((f->rules & SCHEMA_NOT_EMPTY) && !*text)
        return wrong(where, e, "must not be empty");
    if ((f->rules & SCHEMA_ABSOLUTE) && *text != '/')
        return wrong(where, e, "must be an absolute path");
    *ret = text;
    return 0;
}

static int read_integer(const struct schema *f, struct json_object *value, const struct place *where,
                        int64_t *ret, struct err *e)
{
    char text[128];
    if (!json_object_is_type(value, json_type_int))
        return wrong(where, e, "must be an integer");
    int64_t number = json_object_get_int64(value);
    if (number < f->min || number > f->max) {
        (void)snprintf(text, sizeof(text), "must be from %" PRId64 " to %" PRId64, f->min, f->max);
        return wrong(where, e, text);
    }
    *ret = number;
    return 0;
}

static int read_choice(const struct schema *f, struct json_object *value, const struct place *where,
                       int64_t *ret, struct err *e)
{
    const char *text = NULL;
    int r = read_string(f, value, where, &text, e);
    if (r < 0)
        return r;
    for (const struct schema_choice *c = f->choices; c->name; c++)
        if (str_equal(c->name, text)) {
            *ret = c->value;
            return 0;
        }
    _cleanup_buf_ struct buf known = {0};
    struct err ignored = {0};
    (void)buf_printf(&known, ERR_TEXT_MAX, &ignored, "\"%.64s\" is not known; it can be", text);
    for (const struct schema_choice *c = f->choices; c->name; c++)
        (void)buf_printf(&known, ERR_TEXT_MAX, &ignored, "%s %s", c == f->choices ? "" : ",", c->name);
    return wrong(where, e, known.data ? known.data : "is not known");
}

static bool is_list(enum schema_kind kind)
{
    return kind == SCHEMA_LIST || kind == SCHEMA_MAP || kind == SCHEMA_STRINGS || kind == SCHEMA_NUMBERS;
}

static size_t item_size(const struct schema *f)
{
    if (f->kind == SCHEMA_STRINGS)
        return sizeof(const char *);
    return f->kind == SCHEMA_NUMBERS ? sizeof(int64_t) : f->size;
}

static int list_room(const struct schema *f, size_t count, const struct place *where,
                     struct schema_list *list, struct err *e)
{
    char text[64];
    size_t max = f->max > 0 && f->kind != SCHEMA_NUMBERS ? (size_t)f->max : SCHEMA_ITEMS_MAX;
    if (count > max) {
        (void)snprintf(text, sizeof(text), "has more than %zu items", max);
        return wrong(where, e, text);
    }
    if (count == 0 && (f->rules & SCHEMA_NOT_EMPTY))
        return wrong(where, e, "must not be empty");
    list->items = calloc(count + 1, item_size(f));
    return list->items ? 0 : err_oom(e);
}

static int read_item(const struct schema *f, struct json_object *value, const struct place *where, void *item,
                     struct err *e)
{
    if (f->kind == SCHEMA_STRINGS)
        return read_string(&(struct schema){.rules = f->rules & SCHEMA_ABSOLUTE}, value, where, item, e);
    if (f->kind == SCHEMA_NUMBERS)
        return read_integer(f, value, where, item, e);
    return read_fields(f->fields, value, where, item, e);
}

static int read_list(const struct schema *f, struct json_object *value, const struct place *where,
                     struct schema_list *list, struct err *e)
{
    if (!json_object_is_type(value, json_type_array))
        return wrong(where, e, "must be a list");
    size_t count = json_object_array_length(value);
    int r = list_room(f, count, where, list, e);
    for (size_t i = 0; i < count && r == 0; i++) {
        const struct place at = {.parent = where, .index = i};
        list->count = i + 1; /* what a failed item has allocated is freed too */
        r = read_item(f, json_object_array_get_idx(value, i), &at, (char *)list->items + i * item_size(f), e);
    }
    return r;
}

static int read_map(const struct schema *f, struct json_object *value, const struct place *where,
                    struct schema_list *list, struct err *e)
{
    if (!json_object_is_type(value, json_type_object))
        return wrong(where, e, "must be an object");
    int r = list_room(f, (size_t)json_object_object_length(value), where, list, e);
    if (r < 0)
        return r;
    json_object_object_foreach(value, key, member)
    {
        const struct place at = {.parent = where, .name = key};
        char *item = (char *)list->items + list->count++ * f->size;
        *(const char **)(void *)item = key;
        /* A structure with one string behind the key is written as that string. */
        r = f->fields ? read_fields(f->fields, member, &at, item, e)
                      : read_string(f, member, &at, (const char **)(void *)(item + sizeof(const char *)), e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_flags(const struct schema *f, struct json_object *value, const struct place *where,
                      uint64_t *ret, struct err *e)
{
    if (!json_object_is_type(value, json_type_array))
        return wrong(where, e, "must be a list");
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        const struct place at = {.parent = where, .index = i};
        int64_t flag;
        int r = read_choice(f, json_object_array_get_idx(value, i), &at, &flag, e);
        if (r < 0)
            return r;
        *ret |= (uint64_t)flag;
    }
    return 0;
}

static int read_value(const struct schema *f, struct json_object *value, const struct place *where, void *to,
                      struct err *e)
{
    struct schema_number *number = to;
    int64_t choice = 0;
    int r;
    switch (f->kind) {
    case SCHEMA_STRING:
        return read_string(f, value, where, to, e);
    case SCHEMA_BOOL:
        if (!json_object_is_type(value, json_type_boolean))
            return wrong(where, e, "must be true or false");
        *(bool *)to = json_object_get_boolean(value);
        return 0;
    case SCHEMA_NUMBER:
        r = read_integer(f, value, where, &number->value, e);
        number->set = r == 0;
        return r;
    case SCHEMA_OBJECT:
        r = read_fields(f->fields, value, where, to, e);
        *(bool *)to = r == 0;
        return r;
    case SCHEMA_LIST:
    case SCHEMA_STRINGS:
    case SCHEMA_NUMBERS:
        return read_list(f, value, where, to, e);
    case SCHEMA_MAP:
        return read_map(f, value, where, to, e);
    case SCHEMA_CHOICE:
        r = read_choice(f, value, where, &choice, e);
        if (r == 0)
            *(int *)to = (int)choice;
        return r;
    case SCHEMA_FLAGS:
        return read_flags(f, value, where, to, e);
    case SCHEMA_JSON:
        if (!json_object_is_type(value, json_type_object))
            return wrong(where, e, "must be an object");
        *(struct json_object **)to = value;
        return 0;
    }
    return wrong(where, e, "cannot be read");
}

static int read_fields(const struct schema *fields, struct json_object *object, const struct place *where,
                       void *target, struct err *e)
{
    if (!json_object_is_type(object, json_type_object))
        return wrong(where, e, "must be an object");
    for (const struct schema *f = fields; f->name; f++) {
        const struct place at = {.parent = where, .name = f->name};
        struct json_object *value = NULL;
        int r = 0;
        if (json_object_object_get_ex(object, f->name, &value) && value)
            r = read_value(f, value, &at, (char *)target + f->offset, e);
        else if (f->rules & SCHEMA_REQUIRED)
            r = wrong(&at, e, "is missing");
        if (r < 0)
            return r;
    }
    return 0;
}

int schema_read(const struct schema *fields, struct json_object *object, const char *name, void *target,
                struct err *e)
{
    const struct place root = {.name = name};
    return read_fields(fields, object, &root, target, e);
}

static void clear_list(const struct schema *f, struct schema_list *list)
{
    for (size_t i = 0; i < list->count && f->fields; i++)
        schema_clear(f->fields, (char *)list->items + i * f->size);
    free(list->items);
    *list = (struct schema_list){0};
}

void schema_clear(const struct schema *fields, void *target)
{
    for (const struct schema *f = fields; f->name; f++) {
        void *at = (char *)target + f->offset;
        if (f->kind == SCHEMA_OBJECT)
            schema_clear(f->fields, at);
        if (is_list(f->kind))
            clear_list(f, at);
    }
}

const char *schema_choice_name(const struct schema_choice *choices, int64_t value)
{
    while (choices->name && choices->value != value)
        choices++;
    return choices->name;
}
