/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on the command line of run and create, beyond run_mounts.c: the fields volume-… of --mount, --volumes-from, --volume-driver. */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/path.h"
#include "cli/run_setters.h"

#define ENTRIES_MAX 64

static int set_driver(const char *value, struct err *e)
{
    return str_equal(value, "local")
               ? 0
               : err_set(e, ENOTSUP, "the volume driver '%.64s' is not supported; local is", value);
}

int run_set_volume_driver(void *target, const char *value, struct err *e)
{
    (void)target;
    return set_driver(value, e);
}

/* KEY=VALUE or KEY; the last use of a key counts. */
static int add_entry(struct str_list *list, const char *value, struct err *e)
{
    _cleanup_free_ char *entry = NULL;
    if (value[0] == '=')
        return err_set(e, EINVAL, "'%.64s' is not KEY=VALUE", value);
    if (list->count == ENTRIES_MAX)
        return err_set(e, E2BIG, "more than %d of them", ENTRIES_MAX);
    int r = str_format(&entry, e, "%s%s", value, strchr(value, '=') ? "" : "=");
    return r < 0 ? r : str_list_set_env(list, entry, e);
}

/* Within the volume: relative, without "..". */
static int set_subpath(struct plan_mount *m, const char *value, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    if (value[0] == '/')
        return err_set(e, EINVAL, "volume-subpath must be relative to the volume");
    int r = str_list_split(value, '/', PATH_LENGTH_MAX, &parts, e);
    for (size_t i = 0; i < parts.count && r == 0; i++)
        if (str_equal(parts.items[i], ".."))
            r = err_set(e, EINVAL, "volume-subpath must stay within the volume");
    return r < 0 ? r : str_replace(&m->subpath, value, e);
}

int run_set_volume_field(struct plan_mount *m, const struct run_field *f, struct err *e)
{
    if (m->type != PLAN_MOUNT_VOLUME)
        return run_field_wrong_type(f, "volume", e);
    if (str_equal(f->key, "volume-nocopy"))
        return run_field_switch(f, &m->no_copy, e);
    if (!str_set(f->value))
        return err_set(e, EINVAL, "the field %.64s needs a value", f->key);
    if (str_equal(f->key, "volume-driver"))
        return set_driver(f->value, e);
    if (str_equal(f->key, "volume-opt"))
        return add_entry(&m->volume_options, f->value, e);
    if (str_equal(f->key, "volume-label"))
        return add_entry(&m->volume_labels, f->value, e);
    if (str_equal(f->key, "volume-subpath"))
        return set_subpath(m, f->value, e);
    return err_set(e, ENOTSUP, "the field '%.64s' is not supported", f->key);
}

/* CONTAINER[:MODE] */
int run_set_volumes_from(void *target, const char *value, struct err *e)
{
    const char *colon = strchrnul(value, ':');
    static const char *const modes[] = {"", ":ro", ":rw", ":z", ":Z", ":ro,z", ":ro,Z", ":rw,z", ":rw,Z"};
    if (colon == value)
        return err_set(e, EINVAL, "it is not CONTAINER[:ro]");
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (str_equal(colon, modes[i]))
            return str_list_add(target, value, e);
    return err_set(e, EINVAL, "unknown mode '%.64s' (ro and rw are known)", colon + 1);
}

/* size=SIZE, as Docker, or inodes=N; -1: no limit. */
int run_set_storage_opt(void *target, const char *value, struct err *e)
{
    struct plan *p = target;
    const char *size = str_after(value, "size=");
    const char *inodes = str_after(value, "inodes=");
    const char *number = size ? size : inodes;
    uint64_t limit = PLAN_UNLIMITED;
    int r = 0;
    if (!number)
        return err_set(e, ENOTSUP, "'%.64s' is not supported (size= and inodes= are)", value);
    if (!str_equal(number, "-1"))
        r = size ? num_parse_size(number, &limit, e) : num_parse_u64(number, INT64_MAX, &limit, e);
    if (r == 0 && limit == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r < 0)
        return r;
    *(size ? &p->disk : &p->disk_inodes) = limit;
    return str_list_set_env(&p->storage_opt, value, e);
}
