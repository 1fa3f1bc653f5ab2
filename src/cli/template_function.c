/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of templates (template_tree.h): Go's own, and those that Docker adds. */
#include <ctype.h>
#include <errno.h>

#include "cli/template_tree.h"

#define PAD_MAX 4096
#define PARTS_MAX 65536

static int text_result(const char *text, size_t length, struct value *ret, struct err *e)
{
    *ret = template_value_take(json_object_new_string_len(text ? text : "", (int)length));
    return ret->json ? 0 : err_oom(e);
}

static int number_result(int64_t number, struct value *ret, struct err *e)
{
    *ret = template_value_take(json_object_new_int64(number));
    return ret->json ? 0 : err_oom(e);
}

static int bool_result(bool yes, struct value *ret, struct err *e)
{
    *ret = template_value_take(json_object_new_boolean(yes));
    return ret->json ? 0 : err_oom(e);
}

static int expect_text(const struct value *v, const char **ret_text, size_t *ret_length, struct err *e)
{
    if (!json_object_is_type(v->json, json_type_string))
        return err_set(e, EINVAL, "wrong type for value; expected string; got %s", template_value_type(v));
    *ret_text = json_object_get_string(v->json);
    *ret_length = (size_t)json_object_get_string_len(v->json);
    return 0;
}

static int expect_number(const struct value *v, int64_t *ret, struct err *e)
{
    if (!json_object_is_type(v->json, json_type_int))
        return err_set(e, EINVAL, "wrong type for value; expected int; got %s", template_value_type(v));
    *ret = json_object_get_int64(v->json);
    return 0;
}

static int call_not(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    return bool_result(!template_value_true(a), ret, e);
}

/* One of the others is the same. */
static int call_eq(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    int order = 1;
    for (size_t i = 1; i < count && order != 0; i++) {
        int r = template_compare(&a[0], &a[i], false, &order, e);
        if (r < 0)
            return r;
    }
    return bool_result(order == 0, ret, e);
}

static int call_ne(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    int order;
    (void)count;
    int r = template_compare(&a[0], &a[1], false, &order, e);
    return r < 0 ? r : bool_result(order != 0, ret, e);
}

#define ORDER(name, condition)                                                                    \
    static int call_##name(const struct value *a, size_t count, struct value *ret, struct err *e) \
    {                                                                                             \
        int order;                                                                                \
        (void)count;                                                                              \
        int r = template_compare(&a[0], &a[1], true, &order, e);                                  \
        return r < 0 ? r : bool_result(condition, ret, e);                                        \
    }
ORDER(lt, order < 0)
ORDER(le, order <= 0)
ORDER(gt, order > 0)
ORDER(ge, order >= 0)

static int call_len(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    switch (json_object_get_type(a->json)) {
    case json_type_string:
        return number_result(json_object_get_string_len(a->json), ret, e);
    case json_type_array:
        return number_result((int64_t)json_object_array_length(a->json), ret, e);
    case json_type_object:
        return number_result(json_object_object_length(a->json), ret, e);
    case json_type_null:
        return err_set(e, EINVAL, "len of nil pointer");
    case json_type_boolean:
    case json_type_double:
    case json_type_int:
        break;
    }
    return err_set(e, EINVAL, "len of type %s", template_value_type(a));
}

static int index_array(struct json_object *array, const struct value *key, struct json_object **ret,
                       struct err *e)
{
    int64_t at;
    if (!json_object_is_type(key->json, json_type_int))
        return err_set(e, EINVAL, "cannot index slice/array with type %s", template_value_type(key));
    at = json_object_get_int64(key->json);
    if (at < 0 || (uint64_t)at >= json_object_array_length(array))
        return err_set(e, EINVAL, "index out of range: %lld", (long long)at);
    *ret = json_object_get(json_object_array_get_idx(array, (size_t)at));
    return 0;
}

/* A map without that key gives an empty text, as maps of Docker hold texts. */
static int index_object(struct json_object *object, const struct value *key, struct json_object **ret,
                        struct err *e)
{
    const char *text;
    size_t length;
    if (expect_text(key, &text, &length, e) < 0)
        return err_set(e, EINVAL, "value has type %s; should be string", template_value_type(key));
    if (json_object_object_get_ex(object, text, ret)) {
        (void)json_object_get(*ret);
        return 0;
    }
    *ret = json_object_new_string("");
    return *ret ? 0 : err_oom(e);
}

static int index_text(const struct value *v, const struct value *key, struct json_object **ret, struct err *e)
{
    int64_t at;
    int r = expect_number(key, &at, e);
    if (r < 0)
        return r;
    if (at < 0 || at >= json_object_get_string_len(v->json))
        return err_set(e, EINVAL, "index out of range: %lld", (long long)at);
    *ret = json_object_new_int64((unsigned char)json_object_get_string(v->json)[at]);
    return *ret ? 0 : err_oom(e);
}

static int call_index(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    struct value now = template_value_share(&a[0]);
    int r = 0;
    for (size_t i = 1; r == 0 && i < count; i++) {
        struct json_object *next = NULL;
        if (json_object_is_type(now.json, json_type_array))
            r = index_array(now.json, &a[i], &next, e);
        else if (json_object_is_type(now.json, json_type_object))
            r = index_object(now.json, &a[i], &next, e);
        else if (json_object_is_type(now.json, json_type_string))
            r = index_text(&now, &a[i], &next, e);
        else
            r = now.json ? err_set(e, EINVAL, "can't index item of type %s", template_value_type(&now))
                         : err_set(e, EINVAL, "index of untyped nil");
        template_value_clear(&now);
        now.json = next;
    }
    if (r < 0)
        template_value_clear(&now);
    else
        *ret = now;
    return r;
}

/* Bounds of slice: [from, to), within length. */
static int read_bounds(const struct value *a, size_t count, size_t length, size_t ret[2], struct err *e)
{
    int64_t bounds[2] = {0, (int64_t)length};
    for (size_t i = 1; i < count; i++) {
        int r = expect_number(&a[i], &bounds[i - 1], e);
        if (r < 0)
            return r;
        if (bounds[i - 1] < 0 || (uint64_t)bounds[i - 1] > length)
            return err_set(e, EINVAL, "index out of range: %lld", (long long)bounds[i - 1]);
    }
    if (bounds[0] > bounds[1])
        return err_set(e, EINVAL, "invalid slice index: %lld > %lld", (long long)bounds[0],
                       (long long)bounds[1]);
    ret[0] = (size_t)bounds[0];
    ret[1] = (size_t)bounds[1];
    return 0;
}

static int slice_array(struct json_object *array, const size_t bounds[2], struct value *ret, struct err *e)
{
    struct value part = template_value_take(json_object_new_array());
    for (size_t i = bounds[0]; part.json && i < bounds[1]; i++) {
        struct json_object *item = json_object_get(json_object_array_get_idx(array, i));
        if (json_object_array_add(part.json, item) < 0) {
            json_object_put(item);
            template_value_clear(&part);
        }
    }
    *ret = part;
    return part.json ? 0 : err_oom(e);
}

static int call_slice(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    size_t bounds[2] = {0};
    bool text = json_object_is_type(a->json, json_type_string);
    if (!text && !json_object_is_type(a->json, json_type_array))
        return err_set(e, EINVAL, "can't slice item of type %s", template_value_type(a));
    size_t length = text ? (size_t)json_object_get_string_len(a->json) : json_object_array_length(a->json);
    int r = read_bounds(a, count, length, bounds, e);
    if (r < 0)
        return r;
    return text ? text_result(json_object_get_string(a->json) + bounds[0], bounds[1] - bounds[0], ret, e)
                : slice_array(a->json, bounds, ret, e);
}

/* A blank stands between operands of which neither is a text. */
static int call_print(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        bool apart = i && !json_object_is_type(a[i].json, json_type_string) &&
                     !json_object_is_type(a[i - 1].json, json_type_string);
        r = apart ? buf_add(&b, " ", 1, TEMPLATE_OUTPUT_MAX, e) : 0;
        if (r == 0)
            r = template_print_json(a[i].json, &b, e);
    }
    return r < 0 ? r : text_result(b.data, b.length, ret, e);
}

static int call_println(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = i ? buf_add(&b, " ", 1, TEMPLATE_OUTPUT_MAX, e) : 0;
        if (r == 0)
            r = template_print_json(a[i].json, &b, e);
    }
    if (r == 0)
        r = buf_add(&b, "\n", 1, TEMPLATE_OUTPUT_MAX, e);
    return r < 0 ? r : text_result(b.data, b.length, ret, e);
}

static int call_json(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    size_t length = 0;
    (void)count;
    const char *text = json_object_to_json_string_length(
        a->json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    if (length > TEMPLATE_OUTPUT_MAX)
        return err_set(e, EFBIG, "more than %u bytes", TEMPLATE_OUTPUT_MAX);
    return text ? text_result(text, a->json ? length : strlen(text), ret, e) : err_oom(e);
}

static int call_split(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    const char *text, *by;
    size_t length, width;
    (void)count;
    int r = expect_text(&a[0], &text, &length, e);
    if (r == 0)
        r = expect_text(&a[1], &by, &width, e);
    struct value list = template_value_take(r < 0 ? NULL : json_object_new_array());
    if (r == 0 && !list.json)
        r = err_oom(e);
    for (size_t parts = 0; r == 0; parts++) {
        const char *end = width ? strstr(text, by) : text[0] ? text + (str_utf8_length(text) ?: 1) : NULL;
        if (!width && end && !*end)
            end = NULL;
        size_t n = end ? (size_t)(end - text) : strlen(text);
        struct json_object *part = json_object_new_string_len(text, (int)n);
        if (parts == PARTS_MAX)
            r = err_set(e, E2BIG, "more than %d parts", PARTS_MAX);
        if (r < 0 || !part || json_object_array_add(list.json, part) < 0) {
            json_object_put(part);
            r = r < 0 ? r : err_oom(e);
        }
        if (!end)
            break;
        text = end + width;
    }
    if (r < 0)
        template_value_clear(&list);
    else
        *ret = list;
    return r;
}

static int call_join(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    const char *by;
    size_t width;
    (void)count;
    if (a[0].json && !json_object_is_type(a[0].json, json_type_array))
        return err_set(e, EINVAL, "wrong type for value; expected []string; got %s",
                       template_value_type(&a[0]));
    int r = expect_text(&a[1], &by, &width, e);
    size_t parts = a[0].json ? json_object_array_length(a[0].json) : 0;
    for (size_t i = 0; r == 0 && i < parts; i++) {
        r = i ? buf_add(&b, by, width, TEMPLATE_OUTPUT_MAX, e) : 0;
        if (r == 0)
            r = template_print_json(json_object_array_get_idx(a[0].json, i), &b, e);
    }
    return r < 0 ? r : text_result(b.data, b.length, ret, e);
}

enum letter_case {
    CASE_UPPER,
    CASE_LOWER,
    CASE_TITLE, /* the first letter of each word */
};

static int change_case(const struct value *a, enum letter_case to, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    const char *text;
    size_t length;
    int r = expect_text(a, &text, &length, e);
    bool word = false; /* inside of one */
    for (size_t i = 0; r == 0 && i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool upper = to == CASE_UPPER || (to == CASE_TITLE && !word);
        char changed = upper ? (char)toupper(c) : to == CASE_LOWER ? (char)tolower(c) : (char)c;
        word = isalnum(c) || c == '_' || c == '\'' || c >= 0x80;
        r = buf_add(&b, &changed, 1, TEMPLATE_OUTPUT_MAX, e);
    }
    return r < 0 ? r : text_result(b.data, b.length, ret, e);
}

static int call_upper(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    return change_case(a, CASE_UPPER, ret, e);
}

static int call_lower(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    return change_case(a, CASE_LOWER, ret, e);
}

static int call_title(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    return change_case(a, CASE_TITLE, ret, e);
}

/* pad TEXT BEFORE AFTER: that many blanks; an empty text stays. */
static int call_pad(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    _cleanup_buf_ struct buf b = {0};
    const char *text;
    size_t length;
    int64_t before, after;
    (void)count;
    int r = expect_text(&a[0], &text, &length, e);
    if (r == 0)
        r = expect_number(&a[1], &before, e);
    if (r == 0)
        r = expect_number(&a[2], &after, e);
    if (r == 0 && (before < 0 || before > PAD_MAX || after < 0 || after > PAD_MAX))
        r = err_set(e, EINVAL, "not 0 to %d blanks", PAD_MAX);
    if (r < 0)
        return r;
    if (length)
        r = buf_printf(&b, TEMPLATE_OUTPUT_MAX, e, "%*s%s%*s", (int)before, "", text, (int)after, "");
    return r < 0 ? r : text_result(b.data, b.length, ret, e);
}

/* Does not cut inside a character. */
static int call_truncate(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    const char *text;
    size_t length;
    int64_t width;
    (void)count;
    int r = expect_text(&a[0], &text, &length, e);
    if (r == 0)
        r = expect_number(&a[1], &width, e);
    if (r == 0 && width < 0)
        r = err_set(e, EINVAL, "negative length");
    if (r < 0)
        return r;
    if ((uint64_t)width < length)
        for (length = (size_t)width; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return text_result(text, length, ret, e);
}

/* `and` and `or` are not here: their arguments are looked at only as far as needed (template_eval.c). */
static int call_none(const struct value *a, size_t count, struct value *ret, struct err *e)
{
    (void)count;
    (void)e;
    *ret = template_value_share(a);
    return 0;
}

const struct function *template_function(const char *name)
{
    static const struct function functions[] = {
        {"and", 1, 0, call_none, false},
        {"or", 1, 0, call_none, false},
        {"not", 1, 1, call_not, false},
        {"eq", 2, 0, call_eq, false},
        {"ne", 2, 2, call_ne, false},
        {"lt", 2, 2, call_lt, false},
        {"le", 2, 2, call_le, false},
        {"gt", 2, 2, call_gt, false},
        {"ge", 2, 2, call_ge, false},
        {"len", 1, 1, call_len, false},
        {"index", 1, 0, call_index, true},
        {"slice", 1, 3, call_slice, true},
        {"print", 0, 0, call_print, false},
        {"printf", 1, 0, template_printf, false},
        {"println", 0, 0, call_println, false},
        {"json", 1, 1, call_json, true},
        {"split", 2, 2, call_split, true},
        {"join", 2, 2, call_join, true},
        {"upper", 1, 1, call_upper, true},
        {"lower", 1, 1, call_lower, true},
        {"title", 1, 1, call_title, true},
        {"pad", 3, 3, call_pad, true},
        {"truncate", 2, 2, call_truncate, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        if (str_equal(functions[i].name, name))
            return &functions[i];
    return NULL;
}
