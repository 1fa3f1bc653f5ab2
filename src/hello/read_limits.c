/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own limits (read_limits.h). /proc/self/cgroup says where this process is in each hierarchy and mountinfo where the hierarchy is mounted
 * and from which of its directories on; together they give the path of the files. A container sees its own group as the root.
 */
#include "hello/read_limits.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hello/parse.h"
#include "hello/read_file.h"

#define GROUPS_TEXT_MAX 8192
#define LINE_MAX_LENGTH 8192
#define VALUE_MAX 128

/* Path of the own group's directory below a mount of its hierarchy: the part of `path` below the mount's root. False when it is too long. */
static bool directory_join(const struct mount_line *mount, const char *path, char *ret_directory, size_t room)
{
    size_t root = strlen(mount->root);
    const char *below = path;
    if (strcmp(mount->root, "/") != 0 && strncmp(path, mount->root, root) == 0 &&
        (path[root] == '/' || path[root] == '\0'))
        below = path + root;
    else if (strcmp(mount->root, "/") != 0)
        below = "";
    const char *slash = *below == '/' || *below == '\0' ? "" : "/";
    return (size_t)snprintf(ret_directory, room, "%s%s%s", mount->point, slash, below) < room;
}

/* The directory of the own group in the hierarchy of `controller` ("" = v2), or false when that is not mounted here. */
static bool directory_find(const char *groups, const char *controller, char *ret_directory, size_t room)
{
    char line[LINE_MAX_LENGTH], path[PATH_MAX];
    const char *type = *controller ? "cgroup" : "cgroup2";
    if (!parse_cgroup_path(groups, controller, path, sizeof(path)))
        return false;
    bool found = false;
    _cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
    while (mounts && fgets(line, sizeof(line), mounts)) {
        struct mount_line mount;
        if (!parse_mount_line(line, &mount) || strcmp(mount.type, type) != 0)
            continue;
        if (*controller && !parse_has_option(mount.super_options, controller))
            continue;
        /* The last one at a place is the one that is seen. */
        found = directory_join(&mount, path, ret_directory, room) || found;
    }
    return found;
}

static bool value_read(const char *directory, const char *file, char ret_text[VALUE_MAX])
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, file) >= sizeof(path))
        return false;
    return read_file(path, ret_text, VALUE_MAX) >= 0;
}

static long long limit_read(const char *directory, const char *file)
{
    char text[VALUE_MAX];
    long long limit;
    return value_read(directory, file, text) && parse_limit(text, &limit) ? limit : -1;
}

static void v2_read(const char *groups, struct limits *limits)
{
    char directory[PATH_MAX], text[VALUE_MAX];
    if (!directory_find(groups, "", directory, sizeof(directory)))
        return;
    limits->pids = limit_read(directory, "pids.max");
    limits->memory = limit_read(directory, "memory.max");
    limits->swap = limit_read(directory, "memory.swap.max");
    if (value_read(directory, "cpu.max", text))
        (void)parse_cpu_max(text, &limits->millicores);
}

static void v1_read_memory(const char *directory, struct limits *limits)
{
    limits->memory = limit_read(directory, "memory.limit_in_bytes");
    long long both = limit_read(directory, "memory.memsw.limit_in_bytes");
    limits->swap = limits->memory >= 0 && both >= limits->memory ? both - limits->memory : -1;
}

static void v1_read_cpu(const char *directory, struct limits *limits)
{
    long long quota = limit_read(directory, "cpu.cfs_quota_us");
    long long period = limit_read(directory, "cpu.cfs_period_us");
    if (quota > 0 && period > 0)
        limits->millicores = quota * 1000 / period;
}

static void v1_read(const char *groups, struct limits *limits)
{
    char directory[PATH_MAX];
    if (directory_find(groups, "pids", directory, sizeof(directory)))
        limits->pids = limit_read(directory, "pids.max");
    if (directory_find(groups, "memory", directory, sizeof(directory)))
        v1_read_memory(directory, limits);
    if (directory_find(groups, "cpu", directory, sizeof(directory)))
        v1_read_cpu(directory, limits);
}

static bool limits_any(const struct limits *l)
{
    return l->pids >= 0 || l->memory >= 0 || l->millicores >= 0;
}

static long long either(long long a, long long b)
{
    return a >= 0 ? a : b;
}

struct limits read_limits(void)
{
    static const struct limits none = {"none", -1, -1, -1, -1};
    struct limits v1 = none, v2 = none;
    char groups[GROUPS_TEXT_MAX];
    if (read_file("/proc/self/cgroup", groups, sizeof(groups)) < 0)
        return none;
    v2_read(groups, &v2);
    v1_read(groups, &v1);
    struct limits result = {
        .source = limits_any(&v1) && limits_any(&v2) ? "both"
                  : limits_any(&v2)                  ? "cgroup2"
                  : limits_any(&v1)                  ? "cgroup1"
                                                     : "none",
        .pids = either(v2.pids, v1.pids),
        .memory = either(v2.memory, v1.memory),
        .swap = either(v2.swap, v1.swap),
        .millicores = either(v2.millicores, v1.millicores),
    };
    return result;
}
