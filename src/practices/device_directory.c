/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of devices (device_directory.h). Trusted; finds names, and judges nothing: each device is judged by its number like one that
 * was named (device_judge.h).
 */
#include "practices/device_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "plan/device.h"

#define DEPTH_MAX 4      /* /dev/bus/usb/001/002 */
#define ENTRIES_MAX 4096 /* of one directory */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_directory(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static int list(const char *path, struct str_list *names, struct err *e)
{
    _cleanup_(close_directory) DIR *d = opendir(path);
    const struct dirent *entry;
    int r = d ? 0 : err_errno(e, "open %s", path);
    while (r == 0 && (entry = readdir(d)))
        if (entry->d_name[0] != '.')
            r = names->count < ENTRIES_MAX ? str_list_add(names, entry->d_name, e)
                                           : err_set(e, E2BIG, "more than %d entries", ENTRIES_MAX);
    if (r == 0 && names->count > 1)
        qsort(names->items, names->count, sizeof(char *), by_name);
    return r;
}

static int add_below(const char *source, const char *target, const char *rights, unsigned depth,
                     struct str_list *to, struct err *e);

static int add_entry(const char *source, const char *target, const char *rights, unsigned depth,
                     struct str_list *to, struct err *e)
{
    _cleanup_free_ char *value = NULL;
    struct stat st;
    if (lstat(source, &st) < 0)
        return errno == ENOENT ? 0 : err_errno(e, "%s", source); /* unplugged by now */
    if (S_ISDIR(st.st_mode))
        return depth < DEPTH_MAX ? add_below(source, target, rights, depth + 1, to, e) : 0;
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return 0;
    int r = str_format(&value, e, "%s:%s:%s", source, target, rights);
    return r < 0 ? r : plan_device_add(to, value, e);
}

static int add_below(const char *source, const char *target, const char *rights, unsigned depth,
                     struct str_list *to, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    int r = list(source, &names, e);
    for (size_t i = 0; i < names.count && r == 0; i++) {
        _cleanup_free_ char *below = NULL;
        _cleanup_free_ char *there = NULL;
        r = str_format(&below, e, "%s/%s", source, names.items[i]);
        if (r == 0)
            r = str_format(&there, e, "%s/%s", target, names.items[i]);
        if (r == 0)
            r = add_entry(below, there, rights, depth, to, e);
    }
    return r;
}

static int expand_one(const char *entry, struct str_list *to, struct err *e)
{
    _cleanup_plan_device_ struct plan_device d = {0};
    struct stat st;
    int r = plan_device_parse(entry, &d, e);
    if (r < 0)
        return r;
    if (stat(d.source, &st) < 0 || !S_ISDIR(st.st_mode))
        return str_list_add(to, entry, e);
    size_t before = to->count;
    r = add_below(d.source, d.target, d.read && d.write ? "rw" : d.write ? "w" : "r", 0, to, e);
    if (r == 0 && to->count == before)
        r = err_set(e, ENODEV, "it is a directory without a device in it");
    return r < 0 ? err_wrap(e, "--device %s", d.source) : 0;
}

int device_expand(struct str_list *devices, struct err *e)
{
    _cleanup_str_list_ struct str_list expanded = {0};
    int r = 0;
    for (size_t i = 0; i < devices->count && r == 0; i++)
        r = expand_one(devices->items[i], &expanded, e);
    if (r < 0)
        return r;
    str_list_clear(devices);
    *devices = expanded;
    expanded = (struct str_list){0};
    return 0;
}
