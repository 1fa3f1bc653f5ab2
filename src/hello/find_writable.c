/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks /proc, /sys and /dev (find_writable.h). Each writable mount is walked on its own and never crossed into another, so
 * that a read-only /sys costs nothing.
 */
#include "hello/find_writable.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEPTH_MAX 24

struct walk {
    const struct mounts *mounts;
    bool open_files; /* opening for writing has no effect on this file system */
    struct names *found;
};

static bool file_opens(int directory, const char *name, bool really)
{
    if (faccessat(directory, name, W_OK, 0) < 0)
        return false;
    if (!really)
        return true;
    _cleanup_close_ int fd =
        openat(directory, name, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    return fd >= 0;
}

/* "/proc/123", "/proc/self" and the like belong to processes. */
static bool entry_is_process(const char *directory, const char *name)
{
    return strcmp(directory, "/proc") == 0 && isdigit((unsigned char)name[0]);
}

static void walk_directory(const struct walk *w, const char *path, int depth)
{
    _cleanup_closedir_ DIR *d = opendir(path);
    const struct dirent *entry;
    if (!d || depth > DEPTH_MAX)
        return;
    while ((entry = readdir(d))) {
        char below[PATH_MAX];
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || entry_is_process(path, name))
            continue;
        if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, name) >= sizeof(below))
            continue;
        if (mounts_has_point(w->mounts, below))
            continue; /* a mount of its own */
        if (entry->d_type == DT_DIR)
            walk_directory(w, below, depth + 1);
        else if (entry->d_type == DT_REG && file_opens(dirfd(d), name, w->open_files))
            names_add(w->found, below);
    }
}

static bool type_opens_without_effect(const char *type)
{
    return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0 || strncmp(type, "cgroup", 6) == 0;
}

static void walk_mount(const struct walk *w, const char *point)
{
    struct stat st;
    if (lstat(point, &st) < 0)
        return;
    if (S_ISDIR(st.st_mode))
        walk_directory(w, point, 0);
    else if (S_ISREG(st.st_mode) && file_opens(AT_FDCWD, point, w->open_files))
        names_add(w->found, point);
}

static bool path_is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Another mount later at the same point hides this one. */
static bool mount_is_hidden(const struct mounts *mounts, size_t index)
{
    for (size_t i = index + 1; i < mounts->count; i++)
        if (strcmp(mounts->list[i].point, mounts->list[index].point) == 0)
            return true;
    return false;
}

void find_writable(const struct mounts *mounts, const char *root, struct names *ret_files)
{
    struct walk w = {mounts, true, ret_files};
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_seen *m = &mounts->list[i];
        if (m->read_only || strcmp(m->type, "autofs") == 0 || !path_is_below(m->point, root) ||
            mount_is_hidden(mounts, i))
            continue;
        w.open_files = type_opens_without_effect(m->type);
        walk_mount(&w, m->point);
    }
    /* Without a table everything is walked as it lies. */
    w.open_files = true;
    if (mounts->count == 0)
        walk_mount(&w, root);
    names_sort(ret_files);
}

static void devices_below(const char *path, int depth, struct names *ret_devices)
{
    _cleanup_closedir_ DIR *d = opendir(path);
    const struct dirent *entry;
    while (d && depth <= DEPTH_MAX && (entry = readdir(d))) {
        char below[PATH_MAX];
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= sizeof(below) ||
            lstat(below, &st) < 0)
            continue;
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
            names_add(ret_devices, below);
        else if (S_ISDIR(st.st_mode) && strcmp(below, "/dev/pts") != 0)
            devices_below(below, depth + 1, ret_devices);
    }
}

void find_devices(struct names *ret_devices)
{
    devices_below("/dev", 0, ret_devices);
    names_sort(ret_devices);
}
