/* SPDX-License-Identifier: Apache-2.0 */
/* Lists (listing.h). */
#include "cli/listing.h"

#include <errno.h>

#include "base/str.h"
#include "cli/format.h"
#include "cli/table.h"

static int add_headers(struct table *t, const struct listing_column *columns, const struct format *f,
                       struct err *e)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!f->parts[i].field)
            continue;
        const struct listing_column *c = columns;
        while (c->field && (strlen(c->field) + 1 != f->parts[i].length ||
                            strncmp(c->field, f->parts[i].text + 1, f->parts[i].length - 1) != 0))
            c++;
        if (!c->field)
            return err_set(e, ENOENT, "--format: no field '%.*s'", (int)f->parts[i].length, f->parts[i].text);
        int r = table_add(t, c->header, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A template made of fields divided by \t becomes a table; other literal text between the fields is an error. */
static int print_table(const struct listing_column *columns, struct json_object *rows, const struct format *f,
                       bool no_trunc, struct err *e)
{
    _cleanup_table_ struct table t = {0};
    for (size_t i = 0; i < f->count; i++) {
        const struct format_part *p = &f->parts[i];
        bool tab =
            (p->length == 2 && strncmp(p->text, "\\t", 2) == 0) || (p->length == 1 && p->text[0] == '\t');
        if (!p->field && !tab)
            return err_set(e, ENOTSUP, "--format: between the fields of a table only \\t is supported");
        t.columns += p->field;
    }
    int r = add_headers(&t, columns, f, e);
    for (size_t row = 0; r == 0 && row < json_object_array_length(rows); row++) {
        for (size_t i = 0; r == 0 && i < f->count; i++) {
            _cleanup_free_ char *text = NULL;
            if (!f->parts[i].field)
                continue;
            r = format_part_text(&f->parts[i], json_object_array_get_idx(rows, row), &text, e);
            if (r == 0)
                r = table_add(&t, text, e);
        }
    }
    if (r == 0)
        table_print(&t, no_trunc ? 0 : table_terminal_width(STDOUT_FILENO), stdout);
    return r;
}

static int print_default(const struct listing_column *columns, struct json_object *rows, bool no_trunc,
                         struct err *e)
{
    _cleanup_table_ struct table t = {0};
    int r = 0;
    for (const struct listing_column *c = columns; c->field; c++)
        t.columns += c->shown;
    for (const struct listing_column *c = columns; r == 0 && c->field; c++)
        r = c->shown ? table_add(&t, c->header, e) : 0;
    for (size_t row = 0; r == 0 && row < json_object_array_length(rows); row++) {
        struct json_object *o = json_object_array_get_idx(rows, row);
        for (const struct listing_column *c = columns; r == 0 && c->field; c++) {
            const char *text = json_object_get_string(json_object_object_get(o, c->field));
            r = c->shown ? table_add(&t, text ? text : "", e) : 0;
        }
    }
    if (r == 0)
        table_print(&t, no_trunc ? 0 : table_terminal_width(STDOUT_FILENO), stdout);
    return r;
}

static int print_lines(struct json_object *rows, const struct format *f, struct err *e)
{
    for (size_t row = 0; row < json_object_array_length(rows); row++) {
        int r = format_print(f, json_object_array_get_idx(rows, row), true, stdout, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int listing_print(const struct listing_column *columns, struct json_object *rows, const char *format,
                  bool no_trunc, struct err *e)
{
    if (!str_set(format) || str_equal(format, "table"))
        return print_default(columns, rows, no_trunc, e);
    if (str_equal(format, "json"))
        format = "{{json .}}";
    const char *columns_text = str_after(format, "table ");
    struct format f;
    int r = format_parse(columns_text ? columns_text + strspn(columns_text, " ") : format, &f, e);
    if (r < 0)
        return r;
    return columns_text ? print_table(columns, rows, &f, no_trunc, e) : print_lines(rows, &f, e);
}
