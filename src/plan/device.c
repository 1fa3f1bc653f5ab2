/* SPDX-License-Identifier: Apache-2.0 */
/* Devices in words (device.h). */
#include "plan/device.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/path.h"

#define PARTS_MAX 6
#define DEV "/dev/"

void plan_device_clear(struct plan_device *d)
{
    free(d->source);
    free(d->target);
    *d = (struct plan_device){0};
}

static bool is_rights(const char *text)
{
    return strpbrk(text, "rw") && strspn(text, "rwm") == strlen(text);
}

/* Made by the engine in the container's own /dev: nothing of the way there may lead elsewhere. */
static int check_target(const char *target, struct err *e)
{
    const char *name = str_after(target, DEV);
    int r = path_check_absolute(target, e);
    if (r < 0)
        return r;
    if (!str_set(name) || strstr(target, "//") || strstr(target, "/./") || strstr(target, "/../") ||
        str_ends_with(target, "/") || str_ends_with(target, "/.") || str_ends_with(target, "/.."))
        return err_set(e, EINVAL, "%s: a device of a container lies below /dev", target);
    return 0;
}

int plan_device_add(struct str_list *list, const char *value, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    _cleanup_free_ char *entry = NULL;
    int r = str_list_split(value, ':', PARTS_MAX, &parts, e);
    if (r < 0 || parts.count > 3)
        return err_set(e, EINVAL, "it is not SOURCE[:TARGET][:RIGHTS]");
    const char *source = parts.items[0];
    const char *target = source;
    const char *rights = "rwm";
    for (size_t i = 1; i < parts.count; i++) {
        if (i + 1 == parts.count && is_rights(parts.items[i]))
            rights = parts.items[i];
        else if (i == 1)
            target = parts.items[i];
        else
            return err_set(e, EINVAL, "the rights '%s' are not of r, w and m", parts.items[i]);
    }
    if (parts.count > 1 && str_equal(parts.items[parts.count - 1], "m"))
        return err_set(e, EINVAL, "'m' grants nothing: no container makes device nodes; name r, w or rw");
    if (!str_after(source, "/"))
        return err_set(e, EINVAL, "the source is not an absolute path");
    r = path_check_absolute(source, e);
    if (r == 0)
        r = check_target(target, e);
    if (r == 0 && list->count == PLAN_DEVICES_MAX)
        r = err_set(e, E2BIG, "more than %d devices", PLAN_DEVICES_MAX);
    if (r == 0)
        r = str_format(&entry, e, "%s:%s:%s", source, target, rights);
    return r < 0 ? r : str_list_add(list, entry, e);
}

/* The rights, and what was judged: "c", "10", "229". */
static int parse_rest(char *const *parts, size_t count, struct plan_device *d, struct err *e)
{
    uint64_t major_number = 0, minor_number = 0;
    if (!is_rights(parts[0]))
        return err_set(e, EINVAL, "the rights '%s' are not of r, w and m", parts[0]);
    d->read = strchr(parts[0], 'r');
    d->write = strchr(parts[0], 'w');
    if (count == 1)
        return 0;
    if (!str_equal(parts[1], "c") && !str_equal(parts[1], "b"))
        return err_set(e, EINVAL, "'%s' is no type of a device", parts[1]);
    int r = num_parse_u64(parts[2], UINT32_MAX, &major_number, e);
    if (r == 0)
        r = num_parse_u64(parts[3], UINT32_MAX, &minor_number, e);
    d->type = parts[1][0];
    d->major_number = (uint32_t)major_number;
    d->minor_number = (uint32_t)minor_number;
    return r;
}

int plan_device_parse(const char *entry, struct plan_device *ret, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    _cleanup_plan_device_ struct plan_device d = {0};
    int r = str_list_split(entry, ':', PARTS_MAX, &parts, e);
    if (r < 0 || (parts.count != 3 && parts.count != PARTS_MAX))
        return err_set(e, EINVAL, "'%s' is no device", entry);
    r = check_target(parts.items[1], e);
    if (r == 0)
        r = parse_rest(parts.items + 2, parts.count - 2, &d, e);
    if (r == 0)
        r = str_copy(parts.items[0], &d.source, e);
    if (r == 0)
        r = str_copy(parts.items[1], &d.target, e);
    if (r < 0)
        return r;
    *ret = d;
    d = (struct plan_device){0};
    return 0;
}

int plan_device_format(const struct plan_device *d, char **ret_entry, struct err *e)
{
    const char *rights = d->read && d->write ? "rw" : d->write ? "w" : "r";
    return str_format(ret_entry, e, "%s:%s:%s:%c:%u:%u", d->source, d->target, rights, d->type,
                      d->major_number, d->minor_number);
}
