/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and lists of strings (str.h). */
#include "base/str.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

const char *str_after(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

int str_copy(const char *s, char **ret_copy, struct err *e)
{
    if (!s) {
        *ret_copy = NULL;
        return 0;
    }
    return str_copy_n(s, strlen(s), ret_copy, e);
}

int str_copy_n(const char *s, size_t length, char **ret_copy, struct err *e)
{
    char *copy = strndup(s, length);
    if (!copy)
        return err_oom(e);
    *ret_copy = copy;
    return 0;
}

int str_format(char **ret_text, struct err *e, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return err_oom(e);
    *ret_text = text;
    return 0;
}

int str_replace(char **target, const char *s, struct err *e)
{
    char *copy = NULL;
    int r = str_copy(s, &copy, e);
    if (r < 0)
        return r;
    free(*target);
    *target = copy;
    return 0;
}

int str_put(char *buffer, size_t size, const char *s, struct err *e)
{
    size_t n = strlen(s);
    if (n >= size) {
        buffer[0] = '\0';
        return err_set(e, ENAMETOOLONG, "'%.40s…' is longer than %zu characters", s, size - 1);
    }
    memcpy(buffer, s, n + 1);
    return 0;
}

void str_list_clear(struct str_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

/* Capacity is not stored: the array grows when count + 1 (for the NULL) reaches a power of two. */
static int list_reserve(struct str_list *list, struct err *e)
{
    size_t used = list->count + 1;
    if (list->items && (used & (used - 1)) != 0)
        return 0;
    if (used > SIZE_MAX / (2 * sizeof(char *)))
        return err_oom(e);
    char **grown = reallocarray(list->items, used * 2, sizeof(char *));
    if (!grown)
        return err_oom(e);
    list->items = grown;
    return 0;
}

int str_list_take(struct str_list *list, char *s, struct err *e)
{
    int r = list_reserve(list, e);
    if (r < 0) {
        free(s);
        return r;
    }
    list->items[list->count++] = s;
    list->items[list->count] = NULL;
    return 0;
}

int str_list_add(struct str_list *list, const char *s, struct err *e)
{
    char *copy = strdup(s);
    if (!copy)
        return err_oom(e);
    return str_list_take(list, copy, e);
}

int str_list_addf(struct str_list *list, struct err *e, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return err_oom(e);
    return str_list_take(list, text, e);
}

int str_list_copy(const struct str_list *from, struct str_list *ret_list, struct err *e)
{
    _cleanup_str_list_ struct str_list copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        int r = str_list_add(&copy, from->items[i], e);
        if (r < 0)
            return r;
    }
    *ret_list = copy;
    copy = (struct str_list){0};
    return 0;
}

bool str_list_has(const struct str_list *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], s))
            return true;
    return false;
}

int str_list_split(const char *s, char separator, size_t max, struct str_list *ret_list, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    for (const char *at = s;;) {
        const char *end = strchrnul(at, separator);
        if (parts.count == max)
            return err_set(e, E2BIG, "more than %zu parts in '%.80s'", max, s);
        char *part = NULL;
        int r = str_copy_n(at, (size_t)(end - at), &part, e);
        if (r < 0)
            return r;
        r = str_list_take(&parts, part, e);
        if (r < 0)
            return r;
        if (!*end)
            break;
        at = end + 1;
    }
    *ret_list = parts;
    parts = (struct str_list){0};
    return 0;
}

int str_list_set_env(struct str_list *env, const char *entry, struct err *e)
{
    size_t name_length = (size_t)(strchrnul(entry, '=') - entry);
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], entry, name_length) == 0 &&
            (env->items[i][name_length] == '=' || !env->items[i][name_length]))
            return str_replace(&env->items[i], entry, e);
    return str_list_add(env, entry, e);
}

const char *str_list_env(const struct str_list *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++) {
        const char *rest = str_after(env->items[i], name);
        if (rest && *rest == '=')
            return rest + 1;
    }
    return NULL;
}

/* Length of the valid UTF-8 sequence at s, 0 when there is none (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char lead_low, lead_high, second_low, second_high, length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (s[0] < forms[i].lead_low || s[0] > forms[i].lead_high)
            continue;
        if (s[1] < forms[i].second_low || s[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if (s[k] < 0x80 || s[k] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

size_t str_utf8_length(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    return *p < 0x80 ? *p != '\0' : utf8_length(p);
}

bool str_is_utf8(const char *s)
{
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        size_t n = *p < 0x80 ? 1 : utf8_length(p);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

void str_neutralize(char *s)
{
    unsigned char *p = (unsigned char *)s;
    while (*p) {
        if (*p < 0x20 || *p == 0x7f) {
            *p++ = '?';
            continue;
        }
        if (*p < 0x80) {
            p++;
            continue;
        }
        size_t n = utf8_length(p);
        bool c1 = n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
        if (n == 0) {
            *p++ = '?';
        } else {
            if (c1)
                p[0] = p[1] = '?';
            p += n;
        }
    }
}
