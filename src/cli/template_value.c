/* SPDX-License-Identifier: Apache-2.0 */
/* Values of templates (template_tree.h): JSON as Go would print and judge it. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "cli/template_tree.h"

#define REAL_PLAIN_MAX 1e6 /* Go prints smaller ones without an exponent */
#define REAL_PLAIN_MIN 1e-4

/* What may hang on an object. */
struct object_mark {
    struct json_object *labels;
};

static struct object_mark map_mark; /* its address says: a map */

static void free_mark(struct json_object *object, void *data)
{
    struct object_mark *mark = data;
    (void)object;
    json_object_put(mark->labels);
    free(mark);
}

void template_mark_map(struct json_object *object)
{
    json_object_set_userdata(object, &map_mark, NULL);
}

bool template_is_map(struct json_object *object)
{
    return json_object_get_userdata(object) == &map_mark;
}

int template_set_labels(struct json_object *object, struct json_object *labels, struct err *e)
{
    struct object_mark *mark = calloc(1, sizeof(*mark));
    if (!mark || !labels) {
        free(mark);
        json_object_put(labels);
        return err_oom(e);
    }
    mark->labels = labels;
    json_object_set_userdata(object, mark, free_mark);
    return 0;
}

struct json_object *template_labels(struct json_object *object)
{
    const struct object_mark *mark = json_object_get_userdata(object);
    return mark ? mark->labels : NULL;
}

void template_value_clear(struct value *v)
{
    json_object_put(v->json);
    *v = (struct value){0};
}

struct value template_value_share(const struct value *v)
{
    return (struct value){.json = json_object_get(v->json), .missing = v->missing};
}

bool template_value_true(const struct value *v)
{
    switch (json_object_get_type(v->json)) {
    case json_type_null:
        return false;
    case json_type_boolean:
        return json_object_get_boolean(v->json);
    case json_type_double:
        return json_object_get_double(v->json) != 0;
    case json_type_int:
        return json_object_get_int64(v->json) != 0;
    case json_type_string:
        return json_object_get_string_len(v->json) > 0;
    case json_type_array:
        return json_object_array_length(v->json) > 0;
    case json_type_object:
        break;
    }
    return json_object_object_length(v->json) > 0 || !template_is_map(v->json);
}

const char *template_value_type(const struct value *v)
{
    static const char *const names[] = {
        [json_type_null] = "nil",      [json_type_boolean] = "bool", [json_type_double] = "float64",
        [json_type_int] = "int",       [json_type_object] = "map",   [json_type_array] = "slice",
        [json_type_string] = "string",
    };
    return names[json_object_get_type(v->json)];
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int template_sorted_keys(struct json_object *object, const char ***ret_keys, size_t *ret_count, struct err *e)
{
    size_t count = 0;
    const char **keys = calloc((size_t)json_object_object_length(object) + 1, sizeof(*keys));
    if (!keys)
        return err_oom(e);
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        keys[count++] = key;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    *ret_keys = keys;
    *ret_count = count;
    return 0;
}

static int print_json(struct json_object *o, struct buf *out, struct err *e);

/* map[a:1 b:2], sorted. */
static int print_map(struct json_object *o, struct buf *out, struct err *e)
{
    size_t count;
    _cleanup_free_ const char **keys = NULL;
    int r = template_sorted_keys(o, &keys, &count, e);
    if (r == 0)
        r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "map[");
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%s%s:", i ? " " : "", keys[i]);
        if (r == 0)
            r = print_json(json_object_object_get(o, keys[i]), out, e);
    }
    return r < 0 ? r : buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "]");
}

static int print_array(struct json_object *o, struct buf *out, struct err *e)
{
    size_t count = json_object_array_length(o);
    int r = buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "[");
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = i ? buf_printf(out, TEMPLATE_OUTPUT_MAX, e, " ") : 0;
        if (r == 0)
            r = print_json(json_object_array_get_idx(o, i), out, e);
    }
    return r < 0 ? r : buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "]");
}

/* The shortest text that reads back as the same number. */
static int print_real(double value, struct buf *out, struct err *e)
{
    char text[64];
    double size = fabs(value);
    bool plain = size == 0 || (size >= REAL_PLAIN_MIN && size < REAL_PLAIN_MAX);
    for (int digits = 0; digits < 18; digits++) {
        (void)snprintf(text, sizeof(text), plain ? "%.*f" : "%.*e", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%s", text);
}

static int print_json(struct json_object *o, struct buf *out, struct err *e)
{
    switch (json_object_get_type(o)) {
    case json_type_null:
        return buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "<nil>");
    case json_type_object:
        return print_map(o, out, e);
    case json_type_array:
        return print_array(o, out, e);
    case json_type_double:
        return print_real(json_object_get_double(o), out, e);
    case json_type_string:
        return buf_add(out, json_object_get_string(o), (size_t)json_object_get_string_len(o),
                       TEMPLATE_OUTPUT_MAX, e);
    case json_type_boolean:
    case json_type_int:
        break;
    }
    return buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "%s", json_object_get_string(o));
}

int template_print_json(struct json_object *o, struct buf *out, struct err *e)
{
    return print_json(o, out, e);
}

int template_value_print(const struct value *v, struct buf *out, struct err *e)
{
    if (v->missing)
        return buf_printf(out, TEMPLATE_OUTPUT_MAX, e, "<no value>");
    return print_json(v->json, out, e);
}

static int compare_numbers(const struct value *a, const struct value *b)
{
    if (json_object_is_type(a->json, json_type_int)) {
        int64_t x = json_object_get_int64(a->json);
        int64_t y = json_object_get_int64(b->json);
        return (x > y) - (x < y);
    }
    double x = json_object_get_double(a->json);
    double y = json_object_get_double(b->json);
    return (x > y) - (x < y);
}

static int compare_texts(const struct value *a, const struct value *b)
{
    size_t n = (size_t)json_object_get_string_len(a->json);
    size_t m = (size_t)json_object_get_string_len(b->json);
    int r = memcmp(json_object_get_string(a->json), json_object_get_string(b->json), n < m ? n : m);
    return r ? r : (n > m) - (n < m);
}

int template_compare(const struct value *a, const struct value *b, bool ordered, int *ret, struct err *e)
{
    enum json_type type = json_object_get_type(a->json);
    bool basic = type == json_type_boolean || type == json_type_int || type == json_type_double ||
                 type == json_type_string || (type == json_type_null && !ordered);
    if (!basic || (ordered && type == json_type_boolean))
        return err_set(e, EINVAL, ordered ? "invalid type for comparison" : "non-comparable type %s",
                       template_value_type(a));
    bool nil = type == json_type_null || json_object_is_type(b->json, json_type_null);
    if (nil && !ordered) {
        *ret = type != json_object_get_type(b->json);
        return 0;
    }
    if (type != json_object_get_type(b->json))
        return err_set(e, EINVAL, "incompatible types for comparison: %s and %s", template_value_type(a),
                       template_value_type(b));
    if (type == json_type_string)
        *ret = compare_texts(a, b);
    else if (type == json_type_boolean)
        *ret = json_object_get_boolean(a->json) - json_object_get_boolean(b->json);
    else
        *ret = compare_numbers(a, b);
    return 0;
}
