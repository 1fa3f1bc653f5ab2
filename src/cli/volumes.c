/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verbs of volumes (volumes.h). */
#include "cli/volumes.h"

#include <string.h>

#include "base/dirs.h"
#include "cli/filter.h"

int volumes_mountpoint(const char *name, char **ret_path, struct err *e)
{
    return str_format(ret_path, e, "%s/volumes/%s/data", dirs_data_root(), name);
}

int volumes_filter_check(const struct volumes_filter *f, struct err *e)
{
    bool ignored = false;
    int r = filters_check(f->items, f->keys, e);
    if (r == 0)
        r = filters_bool(f->items, "dangling", &ignored, e);
    if (r == 0)
        r = filters_bool(f->items, "all", &ignored, e);
    return r;
}

static bool name_has(const char *value, const void *name)
{
    return strstr(name, value) != NULL;
}

static bool driver_is(const char *value, const void *driver)
{
    return str_equal(value, driver);
}

/* Its labels, and the one that Docker gives to a volume without a name. */
static int labels_match(const struct str_list *filters, const struct volume *v, struct err *e)
{
    _cleanup_str_list_ struct str_list labels = {0};
    int r = v->anonymous ? str_list_add(&labels, VOLUMES_ANONYMOUS_LABEL "=", e) : 0;
    for (size_t i = 0; i < v->labels.count && r == 0; i++)
        r = str_list_add(&labels, v->labels.items[i], e);
    return r < 0 ? r : filters_labels(filters, &labels);
}

static int dangling_matches(const struct str_list *filters, const struct store *s, const struct volume *v,
                            int dir, struct err *e)
{
    _cleanup_str_list_ struct str_list users = {0};
    bool wanted = false;
    if (!filters_given(filters, "dangling"))
        return 1;
    int r = filters_bool(filters, "dangling", &wanted, e);
    if (r == 0)
        r = volume_users(s, dir, v, &users, e);
    return r < 0 ? r : (users.count == 0) == wanted;
}

int volumes_filter_match(const struct volumes_filter *f, const struct store *s, const struct volume *v,
                         int dir, struct err *e)
{
    if (!filters_any(f->items, "name", name_has, v->name) ||
        !filters_any(f->items, "driver", driver_is, "local"))
        return 0;
    int r = labels_match(f->items, v, e);
    return r <= 0 ? r : dangling_matches(f->items, s, v, dir, e);
}
