/* SPDX-License-Identifier: Apache-2.0 */
/* --format (format.h). Values may come from images: printed text is neutralised, JSON is escaped by its writer. */
#include "cli/format.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define TEXT_MAX (16U << 20)
#define BLANKS " \t"

static bool path_ok(const char *path, size_t length)
{
    if (length == 0 || path[0] != '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = path[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!word && (c != '.' || (i > 0 && (path[i - 1] == '.' || i + 1 == length))))
            return false;
    }
    return true;
}

/* What stands between {{ and }}. */
static int parse_action(const char *text, size_t length, struct format_part *ret_part, struct err *e)
{
    const char *at = text;
    const char *end = text + length;
    struct format_part part = {.field = true};
    at += strspn(at, BLANKS);
    while (end > at && strchr(BLANKS, end[-1]))
        end--;
    const char *path = str_after(at, "json");
    if (path && strchr(BLANKS, *path)) {
        part.json = true;
        at = path + strspn(path, BLANKS);
    }
    part.text = at;
    part.length = end > at ? (size_t)(end - at) : 0;
    if (!path_ok(part.text, part.length))
        return err_set(
            e, ENOTSUP,
            "--format: {{%.*s}} is not supported; {{.Field}}, {{.Field.Field}} and {{json .Field}} are",
            (int)length, text);
    *ret_part = part;
    return 0;
}

static int add_part(struct format *f, const struct format_part *part, struct err *e)
{
    if (f->count == FORMAT_PARTS_MAX)
        return err_set(e, E2BIG, "--format: more than %d parts", FORMAT_PARTS_MAX);
    f->parts[f->count++] = *part;
    return 0;
}

int format_parse(const char *text, struct format *ret_format, struct err *e)
{
    struct format f = {0};
    while (*text) {
        const char *open = strstr(text, "{{");
        struct format_part literal = {.text = text, .length = open ? (size_t)(open - text) : strlen(text)};
        int r = literal.length ? add_part(&f, &literal, e) : 0;
        if (r < 0)
            return r;
        if (!open)
            break;
        const char *close = strstr(open, "}}");
        if (!close)
            return err_set(e, EINVAL, "--format: {{ without }}");
        struct format_part action;
        r = parse_action(open + 2, (size_t)(close - open - 2), &action, e);
        if (r == 0)
            r = add_part(&f, &action, e);
        if (r < 0)
            return r;
        text = close + 2;
    }
    *ret_format = f;
    return 0;
}

int format_lookup(struct json_object *o, const char *path, size_t length, struct json_object **ret,
                  struct err *e)
{
    const char *end = path + length;
    for (const char *at = path + 1; at < end;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        size_t n = (size_t)((dot ? dot : end) - at);
        char key[128];
        if (n >= sizeof(key))
            return err_set(e, ENOENT, "--format: no field '%.*s'", (int)length, path);
        memcpy(key, at, n);
        key[n] = '\0';
        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &o))
            return err_set(e, ENOENT, "--format: no field '%.*s'", (int)length, path);
        at += n + 1;
    }
    *ret = o;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_plain(struct buf *b, struct json_object *o, struct err *e);

/* As Go prints a map: map[a:1 b:2], sorted. */
static int add_map(struct buf *b, struct json_object *o, struct err *e)
{
    size_t count = 0;
    _cleanup_free_ const char **keys = calloc((size_t)json_object_object_length(o) + 1, sizeof(*keys));
    if (!keys)
        return err_oom(e);
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        keys[count++] = key;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    int r = buf_printf(b, TEXT_MAX, e, "map[");
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = buf_printf(b, TEXT_MAX, e, "%s%s:", i ? " " : "", keys[i]);
        if (r == 0)
            r = add_plain(b, json_object_object_get(o, keys[i]), e);
    }
    return r < 0 ? r : buf_printf(b, TEXT_MAX, e, "]");
}

static int add_array(struct buf *b, struct json_object *o, struct err *e)
{
    size_t count = json_object_array_length(o);
    int r = buf_printf(b, TEXT_MAX, e, "[");
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = i ? buf_printf(b, TEXT_MAX, e, " ") : 0;
        if (r == 0)
            r = add_plain(b, json_object_array_get_idx(o, i), e);
    }
    return r < 0 ? r : buf_printf(b, TEXT_MAX, e, "]");
}

/* As Go prints values. */
static int add_plain(struct buf *b, struct json_object *o, struct err *e)
{
    switch (json_object_get_type(o)) {
    case json_type_null:
        return buf_printf(b, TEXT_MAX, e, "<nil>");
    case json_type_object:
        return add_map(b, o, e);
    case json_type_array:
        return add_array(b, o, e);
    case json_type_boolean:
    case json_type_double:
    case json_type_int:
    case json_type_string:
        break;
    }
    return buf_printf(b, TEXT_MAX, e, "%s", json_object_get_string(o));
}

int format_part_text(const struct format_part *part, struct json_object *o, char **ret_text, struct err *e)
{
    struct json_object *value;
    _cleanup_buf_ struct buf b = {0};
    int r = format_lookup(o, part->text, part->length, &value, e);
    if (r < 0)
        return r;
    if (part->json)
        r = buf_printf(&b, TEXT_MAX, e, "%s",
                       json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        r = add_plain(&b, value, e);
    if (r < 0)
        return r;
    str_neutralize(b.data);
    *ret_text = steal_ptr(b.data);
    return 0;
}

void format_print_literal(const char *text, size_t length, bool escapes, FILE *out)
{
    for (size_t i = 0; i < length; i++) {
        bool escape =
            escapes && text[i] == '\\' && i + 1 < length && (text[i + 1] == 't' || text[i + 1] == 'n');
        if (escape)
            fputc(text[++i] == 't' ? '\t' : '\n', out);
        else
            fputc(text[i], out);
    }
}

int format_print(const struct format *f, struct json_object *o, bool escapes, FILE *out, struct err *e)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!f->parts[i].field) {
            format_print_literal(f->parts[i].text, f->parts[i].length, escapes, out);
            continue;
        }
        _cleanup_free_ char *text = NULL;
        int r = format_part_text(&f->parts[i], o, &text, e);
        if (r < 0)
            return r;
        fputs(text, out);
    }
    fputc('\n', out);
    return 0;
}
