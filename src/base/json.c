/* SPDX-License-Identifier: Apache-2.0 */
/* JSON access (json.h). */
#include "base/json.h"

#include <errno.h>
#include <limits.h>

static int scan_duplicates(const char *text, size_t length, struct err *e);

int json_parse(const char *text, size_t length, struct json_object **ret_object, struct err *e)
{
    if (length > INT_MAX)
        return err_set(e, EFBIG, "JSON document is too large");
    int r = scan_duplicates(text, length, e);
    if (r < 0)
        return r;
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tokener)
        return err_oom(e);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) /* a number at the very end needs to see that nothing follows */
        object = json_tokener_parse_ex(tokener, "", 1), error = json_tokener_get_error(tokener), end = length;
    while (error == json_tokener_success && end < length && strchr(" \t\r\n", text[end]) && text[end])
        end++;
    json_tokener_free(tokener);
    if (error == json_tokener_success && end == length) {
        *ret_object = object;
        return 0;
    }
    json_object_put(object);
    if (error == json_tokener_success)
        return err_set(e, EINVAL, "JSON: text after the end of the document (byte %zu)", end);
    return err_set(e, EINVAL, "JSON: %s (byte %zu)", json_tokener_error_desc(error), end);
}

/* One member name of an object that is open while scanning. */
struct seen_key {
    const char *text; /* in the document, or `decoded` */
    size_t length;
    char *decoded; /* owned, where the name has escapes; else NULL */
};

/* The keys of all objects that are open; `first` of a level is where its keys begin. */
struct key_stack {
    struct seen_key *keys;
    size_t count;
    size_t capacity;
    size_t first[JSON_DEPTH_MAX + 1];
    bool object[JSON_DEPTH_MAX + 1];
    size_t depth;
    size_t structures,
        separators; /* objects and arrays that were begun, and commas: there are not more values than these together */
};

#define KEYS_PER_OBJECT_MAX 4096

static void keys_drop(struct key_stack *s, size_t keep)
{
    while (s->count > keep)
        free(s->keys[--s->count].decoded);
}

/* What the escapes of a name stand for, as json-c reads them. `quoted` begins and ends with a quote. */
static int key_decode(const char *quoted, size_t length, struct seen_key *ret, struct err *e)
{
    struct json_tokener *t = json_tokener_new();
    if (!t)
        return err_oom(e);
    _cleanup_json_ struct json_object *name = json_tokener_parse_ex(t, quoted, (int)length);
    json_tokener_free(t);
    if (!json_object_is_type(name, json_type_string))
        return err_set(e, EINVAL, "JSON: the name of a member has a malformed escape");
    ret->length = (size_t)json_object_get_string_len(name);
    if (strlen(json_object_get_string(name)) != ret->length)
        return err_set(e, EINVAL, "JSON: the name of a member has a NUL character in it");
    ret->decoded = strdup(json_object_get_string(name));
    ret->text = ret->decoded;
    return ret->decoded ? 0 : err_oom(e);
}

static int key_check(const struct key_stack *s, const struct seen_key *key, struct err *e)
{
    size_t first = s->first[s->depth];
    if (s->count - first >= KEYS_PER_OBJECT_MAX)
        return err_set(e, E2BIG, "JSON: an object has more than %d members", KEYS_PER_OBJECT_MAX);
    for (size_t i = first; i < s->count; i++)
        if (s->keys[i].length == key->length && memcmp(s->keys[i].text, key->text, key->length) == 0)
            return err_set(e, EINVAL, "JSON: '%.*s' occurs twice in one object",
                           (int)(key->length < 80 ? key->length : 80), key->text);
    return 0;
}

static int key_push(struct key_stack *s, const char *text, size_t start, size_t length, struct err *e)
{
    struct seen_key key = {.text = text + start, .length = length};
    int r = memchr(key.text, '\\', length) ? key_decode(key.text - 1, length + 2, &key, e) : 0;
    if (r == 0)
        r = key_check(s, &key, e);
    if (r < 0) {
        free(key.decoded);
        return r;
    }
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 64;
        struct seen_key *grown = reallocarray(s->keys, capacity, sizeof(*grown));
        if (!grown) {
            free(key.decoded);
            return err_oom(e);
        }
        s->keys = grown;
        s->capacity = capacity;
    }
    s->keys[s->count++] = key;
    return 0;
}

/* End of the string whose opening quote is at `at`: index of the closing quote, or length when there is none. */
static size_t string_end(const char *text, size_t length, size_t at)
{
    for (size_t i = at + 1; i < length; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"')
            return i;
    }
    return length;
}

/* Before anything is built of it. */
static int count(struct key_stack *s, char c, size_t at, struct err *e)
{
    s->structures += c == '{' || c == '[';
    s->separators += c == ',';
    if (s->structures > JSON_STRUCTURES_MAX)
        return err_set(e, E2BIG, "JSON: more than %u objects and arrays (byte %zu)", JSON_STRUCTURES_MAX, at);
    if (s->structures + s->separators > JSON_VALUES_MAX)
        return err_set(e, E2BIG, "JSON: more than %u values (byte %zu)", JSON_VALUES_MAX, at);
    return 0;
}

static int open_structure(struct key_stack *s, char c, struct err *e)
{
    if (s->depth == JSON_DEPTH_MAX)
        return err_set(e, EINVAL, "JSON: nested deeper than %d", JSON_DEPTH_MAX);
    s->depth++;
    s->first[s->depth] = s->count;
    s->object[s->depth] = c == '{';
    return 0;
}

static int scan_keys(const char *text, size_t length, struct key_stack *s, struct err *e)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        int r = count(s, c, i, e);
        if (r == 0 && (c == '{' || c == '['))
            r = open_structure(s, c, e);
        if (r < 0)
            return r;
        if ((c == '}' || c == ']') && s->depth > 0) {
            keys_drop(s, s->first[s->depth]);
            s->depth--;
        } else if (c == '"') {
            size_t end = string_end(text, length, i);
            if (end == length)
                return 0; /* not JSON: the parser says so */
            for (size_t at = i; at < end; at++)
                if ((unsigned char)text[at] < 0x20)
                    return err_set(e, EINVAL, "JSON: control character in a string (byte %zu)", at);
            size_t next = end + 1;
            while (next < length &&
                   (text[next] == ' ' || text[next] == '\t' || text[next] == '\n' || text[next] == '\r'))
                next++;
            if (s->object[s->depth] && next < length && text[next] == ':') {
                r = key_push(s, text, i + 1, end - i - 1, e);
                if (r < 0)
                    return r;
            }
            i = end;
        } else if (c == '\0' || !strchr("{[:, \t\r\n0123456789+-.eEtrufalsn}]", c)) {
            /* json-c would take 'single quotes', NaN and Infinity even when strict */
            return err_set(e, EINVAL, "JSON: unexpected character (byte %zu)", i);
        }
    }
    return 0;
}

/* json-c silently keeps the last of two equal keys; two readers of one document must never see different things. */
static int scan_duplicates(const char *text, size_t length, struct err *e)
{
    struct key_stack stack = {0};
    int r = scan_keys(text, length, &stack, e);
    keys_drop(&stack, 0);
    free(stack.keys);
    return r;
}

static int get(struct json_object *o, const char *key, enum json_type type, const char *type_name,
               struct json_object **ret, struct err *e)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(o, key, &value) || !value)
        return 0;
    if (json_object_get_type(value) != type)
        return err_set(e, EINVAL, "'%s' is not %s", key, type_name);
    *ret = value;
    return 1;
}

static int check_string(struct json_object *value, const char *key, struct err *e)
{
    const char *s = json_object_get_string(value);
    if (strlen(s) != (size_t)json_object_get_string_len(value))
        return err_set(e, EINVAL, "'%s' has a NUL character in it", key);
    return 0;
}

int json_get_string(struct json_object *o, const char *key, const char **ret, struct err *e)
{
    struct json_object *value = NULL;
    int r = get(o, key, json_type_string, "a string", &value, e);
    if (r <= 0)
        return r;
    r = check_string(value, key, e);
    if (r < 0)
        return r;
    *ret = json_object_get_string(value);
    return 1;
}

int json_get_i64(struct json_object *o, const char *key, int64_t *ret, struct err *e)
{
    struct json_object *value = NULL;
    int r = get(o, key, json_type_int, "a whole number", &value, e);
    if (r <= 0)
        return r;
    int64_t number = json_object_get_int64(value);
    if ((number == INT64_MAX || number == INT64_MIN) && json_object_get_uint64(value) != (uint64_t)INT64_MAX)
        return err_set(e, ERANGE, "'%s' is out of range", key);
    *ret = number;
    return 1;
}

int json_get_u64(struct json_object *o, const char *key, uint64_t *ret, struct err *e)
{
    struct json_object *value = NULL;
    int r = get(o, key, json_type_int, "a whole number", &value, e);
    if (r <= 0)
        return r;
    if (json_object_get_int64(value) < 0)
        return err_set(e, ERANGE, "'%s' is negative", key);
    uint64_t number = json_object_get_uint64(value);
    if (number == UINT64_MAX)
        return err_set(e, ERANGE, "'%s' is out of range", key);
    *ret = number;
    return 1;
}

int json_get_bool(struct json_object *o, const char *key, bool *ret, struct err *e)
{
    struct json_object *value = NULL;
    int r = get(o, key, json_type_boolean, "true or false", &value, e);
    if (r > 0)
        *ret = json_object_get_boolean(value);
    return r;
}

int json_get_object(struct json_object *o, const char *key, struct json_object **ret, struct err *e)
{
    return get(o, key, json_type_object, "an object", ret, e);
}

int json_get_array(struct json_object *o, const char *key, struct json_object **ret, struct err *e)
{
    return get(o, key, json_type_array, "an array", ret, e);
}

int json_get_strings(struct json_object *o, const char *key, size_t max, struct str_list *list, struct err *e)
{
    struct json_object *array = NULL;
    int r = json_get_array(o, key, &array, e);
    if (r <= 0)
        return r;
    size_t count = json_object_array_length(array);
    if (count > max)
        return err_set(e, E2BIG, "'%s' has more than %zu entries", key, max);
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        if (!json_object_is_type(item, json_type_string))
            return err_set(e, EINVAL, "'%s' is not an array of strings", key);
        r = check_string(item, key, e);
        if (r == 0)
            r = str_list_add(list, json_object_get_string(item), e);
        if (r < 0)
            return r;
    }
    return 1;
}

int json_get_string_map(struct json_object *o, const char *key, size_t max, struct str_list *list,
                        struct err *e)
{
    struct json_object *map = NULL;
    int r = json_get_object(o, key, &map, e);
    if (r <= 0)
        return r;
    if ((size_t)json_object_object_length(map) > max)
        return err_set(e, E2BIG, "'%s' has more than %zu entries", key, max);
    json_object_object_foreach(map, name, value)
    {
        if (!json_object_is_type(value, json_type_string))
            return err_set(e, EINVAL, "'%s' is not an object of strings", key);
        r = check_string(value, key, e);
        if (r == 0)
            r = str_list_addf(list, e, "%s=%s", name, json_object_get_string(value));
        if (r < 0)
            return r;
    }
    return 1;
}

int json_add_object(struct json_object *o, const char *key, struct json_object *value, struct err *e)
{
    if (!value || json_object_object_add(o, key, value) < 0) {
        json_object_put(value);
        return err_oom(e);
    }
    return 0;
}

int json_add_string(struct json_object *o, const char *key, const char *value, struct err *e)
{
    return value ? json_add_object(o, key, json_object_new_string(value), e) : 0;
}

int json_add_u64(struct json_object *o, const char *key, uint64_t value, struct err *e)
{
    return json_add_object(o, key, json_object_new_uint64(value), e);
}

int json_add_bool(struct json_object *o, const char *key, bool value, struct err *e)
{
    return json_add_object(o, key, json_object_new_boolean(value), e);
}

int json_add_strings(struct json_object *o, const char *key, const struct str_list *list, struct err *e)
{
    if (list->count == 0)
        return 0;
    struct json_object *array = json_object_new_array_ext((int)list->count);
    if (!array)
        return err_oom(e);
    for (size_t i = 0; i < list->count; i++) {
        struct json_object *item = json_object_new_string(list->items[i]);
        if (!item || json_object_array_add(array, item) < 0) {
            json_object_put(item);
            json_object_put(array);
            return err_oom(e);
        }
    }
    return json_add_object(o, key, array, e);
}
