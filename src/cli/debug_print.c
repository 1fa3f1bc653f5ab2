/* SPDX-License-Identifier: Apache-2.0 */
/* `debug` as text (debug.h): each section under its name, members as "Name: value", lists of objects as tables. */
#include <stdio.h>

#include "cli/debug.h"
#include "cli/table.h"

static bool is_rows(struct json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0 &&
           json_object_is_type(json_object_array_get_idx(value, 0), json_type_object);
}

static const char *text_of(struct json_object *value)
{
    const char *text = value ? json_object_get_string(value) : NULL;
    return text ? text : "";
}

/* The members of the first row are the columns of all. */
static size_t columns_of(struct json_object *row)
{
    return (size_t)json_object_object_length(row);
}

static int add_headers(struct table *t, struct json_object *first, struct err *e)
{
    int r = 0;
    json_object_object_foreach(first, key, value)
    {
        (void)value;
        r = r < 0 ? r : table_add(t, key, e);
    }
    return r;
}

static int print_rows(struct json_object *rows, FILE *out, unsigned width, struct err *e)
{
    _cleanup_table_ struct table t = {0};
    struct json_object *first = json_object_array_get_idx(rows, 0);
    t.columns = columns_of(first);
    int r = add_headers(&t, first, e);
    for (size_t i = 0; i < json_object_array_length(rows) && r == 0; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        json_object_object_foreach(first, key, shape)
        {
            (void)shape;
            r = r < 0 ? r : table_add(&t, text_of(json_object_object_get(row, key)), e);
        }
    }
    if (r == 0)
        table_print(&t, width, out);
    return r;
}

static int print_member(const char *key, struct json_object *value, FILE *out, unsigned width, struct err *e)
{
    if (is_rows(value)) {
        fprintf(out, "%s:\n", key);
        return print_rows(value, out, width, e);
    }
    if (!json_object_is_type(value, json_type_array)) {
        fprintf(out, "%s: %s\n", key, text_of(value));
        return 0;
    }
    fprintf(out, "%s:%s\n", key, json_object_array_length(value) ? "" : " none");
    for (size_t i = 0; i < json_object_array_length(value); i++)
        fprintf(out, "  %s\n", text_of(json_object_array_get_idx(value, i)));
    return 0;
}

int debug_print(struct json_object *all, FILE *out, unsigned width, struct err *e)
{
    const char *between = "";
    int r = 0;
    json_object_object_foreach(all, section, members)
    {
        fprintf(out, "%s== %s\n", between, section);
        between = "\n";
        json_object_object_foreach(members, key, value)
        {
            r = r < 0 ? r : print_member(key, value, out, width, e);
        }
    }
    return r < 0 ? r : fflush(out) != 0 ? err_errno(e, "write output") : 0;
}
