/* SPDX-License-Identifier: Apache-2.0 */
/* Lists (listing.h). */
#include "cli/listing.h"

#include <errno.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/template.h"

#define CELLS_MAX 32 /* of a line */

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

/* What the template makes of each row, and a newline. */
static int render_rows(struct json_object *rows, const char *template, struct buf *out, struct err *e)
{
    _cleanup_template_ struct template *t = NULL;
    int r = template_parse(template, TEMPLATE_ESCAPES | TEMPLATE_ONE_LINE, &t, e);
    for (size_t row = 0; r == 0 && row < json_object_array_length(rows); row++) {
        r = template_execute(t, json_object_array_get_idx(rows, row), out, e);
        if (r == 0)
            r = buf_add(out, "\n", 1, TEMPLATE_OUTPUT_MAX, e);
    }
    return r;
}

static int render_headers(const struct listing_column *columns, const char *template, struct buf *out,
                          struct err *e)
{
    _cleanup_template_ struct template *t = NULL;
    _cleanup_json_ struct json_object *headers = json_object_new_object();
    int r = headers ? template_parse(template, TEMPLATE_ESCAPES | TEMPLATE_HEADER, &t, e) : err_oom(e);
    for (const struct listing_column *c = columns; r == 0 && c->field; c++)
        r = json_add_string(headers, c->field, c->header, e);
    if (r == 0)
        r = template_execute(t, headers, out, e);
    return r < 0 ? r : buf_add(out, "\n", 1, TEMPLATE_OUTPUT_MAX, e);
}

/* The cells of the lines, tabs between them; short lines are filled up. */
static int fill_table(struct table *t, const char *text, struct err *e)
{
    int r = 0;
    while (r == 0 && *text) {
        const char *end = strchrnul(text, '\n');
        for (size_t i = 0; r == 0 && i < t->columns; i++) {
            size_t n = strcspn(text, "\t\n");
            _cleanup_free_ char *cell = NULL;
            r = str_copy_n(text, n, &cell, e);
            if (r == 0)
                r = table_add(t, cell, e);
            text += n + (text[n] == '\t');
        }
        text = end + (*end == '\n');
    }
    return r;
}

static size_t count_columns(const char *text)
{
    size_t most = 1, now = 1;
    for (; *text; text++) {
        now = *text == '\n' ? 1 : now + (*text == '\t');
        most = now > most ? now : most;
    }
    return most;
}

static int print_table(const struct listing_column *columns, struct json_object *rows, const char *template,
                       bool no_trunc, struct err *e)
{
    _cleanup_table_ struct table t = {0};
    _cleanup_buf_ struct buf b = {0};
    int r = render_headers(columns, template, &b, e);
    if (r == 0)
        r = render_rows(rows, template, &b, e);
    if (r < 0)
        return r;
    t.columns = count_columns(b.data);
    if (t.columns > CELLS_MAX)
        return err_set(e, EINVAL, "--format: more than %d columns", CELLS_MAX);
    r = fill_table(&t, b.data, e);
    if (r == 0)
        table_print(&t, no_trunc ? 0 : table_terminal_width(STDOUT_FILENO), stdout);
    return r;
}

static int print_lines(struct json_object *rows, const char *template, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = render_rows(rows, template, &b, e);
    (void)fwrite(b.data ? b.data : "", 1, b.length, stdout);
    return r;
}

int listing_print(const struct listing_column *columns, struct json_object *rows, const char *format,
                  bool no_trunc, struct err *e)
{
    if (!str_set(format) || str_equal(format, "table"))
        return print_default(columns, rows, no_trunc, e);
    const char *cells = str_after(format, "table ") ?: str_after(format, "table\t");
    if (cells)
        return print_table(columns, rows, cells + strspn(cells, " \t"), no_trunc, e);
    return print_lines(rows, str_equal(format, "json") ? "{{json .}}" : format, e);
}
