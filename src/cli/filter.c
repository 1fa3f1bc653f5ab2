/* SPDX-License-Identifier: Apache-2.0 */
/* Filters (filter.h). */
#include "cli/filter.h"

#include <errno.h>

#include "base/buf.h"
#include "cli/when.h"

#define KEYS_TEXT_MAX 512

const char *filters_value(const char *filter, const char *key)
{
    const char *rest = str_after(filter, key);
    return rest && *rest == '=' ? rest + 1 : NULL;
}

static int check_one(const char *filter, const char *const *keys, struct err *e)
{
    _cleanup_buf_ struct buf known = {0};
    struct err too_long = {0};
    const char *equals = strchr(filter, '=');
    if (!equals || equals == filter)
        return err_set(e, EINVAL, "bad format of filter '%s' (expected name=value)", filter);
    for (size_t i = 0; keys[i]; i++) {
        if (filters_value(filter, keys[i]))
            return 0;
        (void)buf_printf(&known, KEYS_TEXT_MAX, &too_long, "%s%s", i ? ", " : "", keys[i]);
    }
    return err_set(e, EINVAL, "invalid filter '%.*s'; there are %s", (int)(equals - filter), filter,
                   known.data ? known.data : "none");
}

int filters_check(const struct str_list *filters, const char *const *keys, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < filters->count && r == 0; i++)
        r = check_one(filters->items[i], keys, e);
    return r;
}

bool filters_given(const struct str_list *filters, const char *key)
{
    for (size_t i = 0; i < filters->count; i++)
        if (filters_value(filters->items[i], key))
            return true;
    return false;
}

bool filters_any(const struct str_list *filters, const char *key,
                 bool (*matches)(const char *value, const void *context), const void *context)
{
    bool given = false;
    for (size_t i = 0; i < filters->count; i++) {
        const char *value = filters_value(filters->items[i], key);
        if (value && matches(value, context))
            return true;
        given = given || value;
    }
    return !given;
}

static bool has_label(const struct str_list *labels, const char *wanted)
{
    for (size_t i = 0; i < labels->count; i++) {
        const char *rest = str_after(labels->items[i], wanted);
        if (rest && (!*rest || (*rest == '=' && !strchr(wanted, '='))))
            return true;
    }
    return false;
}

bool filters_labels(const struct str_list *filters, const struct str_list *labels)
{
    for (size_t i = 0; i < filters->count; i++) {
        const char *wanted = filters_value(filters->items[i], "label");
        const char *unwanted = filters_value(filters->items[i], "label!");
        if ((wanted && !has_label(labels, wanted)) || (unwanted && has_label(labels, unwanted)))
            return false;
    }
    return true;
}

int filters_bool(const struct str_list *filters, const char *key, bool *ret, struct err *e)
{
    for (size_t i = 0; i < filters->count; i++) {
        const char *value = filters_value(filters->items[i], key);
        if (!value)
            continue;
        bool yes = str_equal(value, "true") || str_equal(value, "1");
        if (!yes && !str_equal(value, "false") && !str_equal(value, "0"))
            return err_set(e, EINVAL, "invalid filter '%s=%s': true or false", key, value);
        *ret = yes;
    }
    return 0;
}

int filters_time(const struct str_list *filters, const char *key, int64_t now, int64_t *ret, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < filters->count && r == 0; i++) {
        const char *value = filters_value(filters->items[i], key);
        r = value ? when_parse(value, now, ret, e) : 0;
    }
    return r < 0 ? err_wrap(e, "invalid filter '%s'", key) : 0;
}
