/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verbs of volumes (volumes.h). */
#include "cli/volumes.h"

#include <errno.h>
#include <string.h>

#include "base/dirs.h"

int volumes_mountpoint(const char *name, char **ret_path, struct err *e)
{
    return str_format(ret_path, e, "%s/volumes/%s/data", dirs_data_root(), name);
}

static bool is_key(const char *keys, const char *item, size_t n)
{
    for (const char *at = keys; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == n && strncmp(at, item, n) == 0)
            return true;
        at += length;
    }
    return false;
}

static bool is_switch(const char *value)
{
    return str_equal(value, "true") || str_equal(value, "1") || str_equal(value, "false") ||
           str_equal(value, "0");
}

int volumes_filter_check(const struct volumes_filter *f, struct err *e)
{
    for (size_t i = 0; i < f->items->count; i++) {
        const char *item = f->items->items[i];
        const char *value = strchr(item, '=');
        size_t n = value ? (size_t)(value - item) - (value > item && value[-1] == '!') : 0;
        if (!value || !is_key(f->keys, item, n) || (value[-1] == '!' && strncmp(item, "label", n) != 0))
            return err_set(e, EINVAL, "--filter '%s' is not KEY=VALUE with a key of %s", item, f->keys);
        bool flag = strncmp(item, "dangling", n) == 0 || strncmp(item, "all", n) == 0;
        if (flag && !is_switch(value + 1))
            return err_set(e, EINVAL, "--filter '%s': the value is true or false", item);
    }
    return 0;
}

/* KEY or KEY=VALUE. */
static bool has_label(const struct volume *v, const char *wanted)
{
    if (v->anonymous &&
        (str_equal(wanted, VOLUMES_ANONYMOUS_LABEL) || str_equal(wanted, VOLUMES_ANONYMOUS_LABEL "=")))
        return true;
    for (size_t i = 0; i < v->labels.count; i++) {
        const char *rest = str_after(v->labels.items[i], wanted);
        if (rest && (!*rest || (*rest == '=' && !strchr(wanted, '='))))
            return true;
    }
    return false;
}

static int is_dangling(const struct store *s, const struct volume *v, int dir, struct err *e)
{
    _cleanup_str_list_ struct str_list users = {0};
    int r = volume_users(s, dir, v, &users, e);
    return r < 0 ? r : users.count == 0;
}

static int match_one(const char *item, const struct store *s, const struct volume *v, int dir, struct err *e)
{
    const char *value;
    if ((value = str_after(item, "label!=")))
        return !has_label(v, value);
    if ((value = str_after(item, "label=")))
        return has_label(v, value);
    if ((value = str_after(item, "name=")))
        return strstr(v->name, value) != NULL;
    if ((value = str_after(item, "driver=")))
        return str_equal(value, "local");
    if ((value = str_after(item, "dangling="))) {
        int dangling = is_dangling(s, v, dir, e);
        return dangling < 0 ? dangling : dangling == (value[0] == 't' || value[0] == '1');
    }
    return 1;
}

int volumes_filter_match(const struct volumes_filter *f, const struct store *s, const struct volume *v,
                         int dir, struct err *e)
{
    static const char *const any_of[] = {"name=", "driver=", "dangling="};
    int given[ARRAY_SIZE(any_of)] = {0};
    int matched[ARRAY_SIZE(any_of)] = {0};
    for (size_t i = 0; i < f->items->count; i++) {
        const char *item = f->items->items[i];
        int r = match_one(item, s, v, dir, e);
        if (r < 0 || (r == 0 && str_after(item, "label")))
            return r;
        for (size_t k = 0; k < ARRAY_SIZE(any_of); k++) {
            given[k] += str_after(item, any_of[k]) != NULL;
            matched[k] += str_after(item, any_of[k]) && r;
        }
    }
    for (size_t k = 0; k < ARRAY_SIZE(any_of); k++)
        if (given[k] && !matched[k])
            return 0;
    return 1;
}
