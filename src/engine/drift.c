/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where programs come from (drift.h). The descriptor is the truth: what a link's text says is used only to look the same file up in the
 * writable layer, beneath it and without following anything, and the two must then agree in what no container can set (the time of change).
 */
#include "engine/drift.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "practices/mount_table.h"

#define DELETED " (deleted)"

#define GROUPS_MAX 65536 /* of /proc/PID/cgroup */

/* What is the same for all processes of a container. */
struct view {
    const struct container *c;
    struct mount_table mounts;
    int upper; /* -1: there is none */
    struct stat engine;
};

void drift_clear(struct drift *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].path);
        free(d->items[i].mount);
    }
    free(d->items);
    *d = (struct drift){0};
}

const char *drift_origin_name(enum drift_origin origin)
{
    static const char *const names[] = {
        [DRIFT_NONE] = "",
        [DRIFT_IMAGE] = "image",
        [DRIFT_ENGINE] = "engine",
        [DRIFT_MOUNT] = "volume or bind",
        [DRIFT_WRITABLE] = "writable layer",
        [DRIFT_TMPFS] = "tmpfs",
        [DRIFT_MEMORY] = "memory",
        [DRIFT_DELETED] = "deleted",
        [DRIFT_UNKNOWN] = "unknown",
    };
    return names[origin];
}

bool drift_is_drift(enum drift_origin origin)
{
    return origin >= DRIFT_WRITABLE;
}

static void view_close(struct view *v)
{
    mount_table_clear(&v->mounts);
    close_fd(&v->upper);
}

static int view_open(const struct container *c, struct view *ret, struct err *e)
{
    char path[48];
    struct err absent = {0};
    _cleanup_buf_ struct buf text = {0};
    _cleanup_(view_close) struct view v = {.c = c, .upper = -1};
    (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)c->start.pid);
    int r = io_read_path(path, MOUNT_TABLE_TEXT_MAX, &text, e);
    if (r == 0)
        r = mount_table_parse(&text, &v.mounts, e);
    if (r == 0 && stat("/proc/self/exe", &v.engine) < 0)
        r = err_errno(e, "stat /proc/self/exe");
    if (r < 0)
        return r;
    _cleanup_close_ int rw = path_open_dir_at(c->dir, "rw", &absent);
    v.upper = rw < 0 ? -1 : path_open_dir_at(rw, "upper", &absent);
    *ret = v;
    v = (struct view){.upper = -1};
    return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* In the overlay. A file that only the layers below have is not in the upper directory at all. */
static enum drift_origin judge_overlay(const struct view *v, const struct stat *st, const char *path)
{
    struct stat found;
    struct err absent = {0};
    if (st->st_nlink == 0 || str_ends_with(path, DELETED))
        return DRIFT_DELETED;
    if (v->upper < 0 || path[0] != '/')
        return DRIFT_UNKNOWN;
    _cleanup_close_ int fd = path_open_beneath(v->upper, path + 1, O_PATH | O_NOFOLLOW, 0, &absent);
    if (fd < 0) /* a link on the way can only be one that was put there: the file is another one then */
        return fd == -ENOENT || fd == -ENOTDIR ? DRIFT_IMAGE : DRIFT_UNKNOWN;
    if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_size != st->st_size ||
        !same_time(&found.st_ctim, &st->st_ctim))
        return DRIFT_UNKNOWN;
    return DRIFT_WRITABLE;
}

/* A file whose mount is none of the container's. */
static enum drift_origin judge_foreign(const struct view *v, int fd, const struct stat *st, pid_t pid)
{
    struct statfs fs;
    if (st->st_dev == v->engine.st_dev && st->st_ino == v->engine.st_ino)
        return DRIFT_ENGINE;
    if (fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == HUGETLBFS_MAGIC))
        return DRIFT_MEMORY;
    return v->c->plan.init && pid == v->c->start.pid ? DRIFT_ENGINE : DRIFT_UNKNOWN;
}

/* In a pid namespace that containers share (--pid container:X) the other's processes are seen, too: they have a mount namespace and a
 * control group of their own. One of ours is judged wherever it has gone. */
static bool is_anothers(const struct view *v, pid_t pid)
{
    char path[48];
    struct stat first, its;
    struct err gone = {0};
    _cleanup_buf_ struct buf groups = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)v->c->start.pid);
    if (stat(path, &first) < 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
    if (stat(path, &its) < 0 || (its.st_ino == first.st_ino && its.st_dev == first.st_dev))
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    return io_read_path(path, GROUPS_MAX, &groups, &gone) == 0 && groups.data &&
           !strstr(groups.data, v->c->id);
}

static int judge(const struct view *v, pid_t pid, struct drift_program *ret, struct err *e)
{
    char link[48], path[PATH_LENGTH_MAX + 1];
    struct stat st;
    struct statx x;
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    _cleanup_close_ int fd = open(link, O_PATH | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
    if (n < 0 || fstat(fd, &st) < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0 ||
        is_anothers(v, pid))
        return 0;
    path[n] = '\0';
    const struct mount_entry *m =
        x.stx_mask & STATX_MNT_ID ? mount_table_find(&v->mounts, x.stx_mnt_id) : NULL;
    if (!m)
        ret->origin = judge_foreign(v, fd, &st, pid);
    else if (str_equal(m->type, "overlay"))
        ret->origin = judge_overlay(v, &st, path);
    else
        ret->origin = str_equal(m->type, "tmpfs") ? DRIFT_TMPFS : DRIFT_MOUNT;
    str_neutralize(path);
    int r = str_copy(path, &ret->path, e);
    if (r == 0 && m && (ret->origin == DRIFT_MOUNT || ret->origin == DRIFT_TMPFS))
        r = str_copy(m->point, &ret->mount, e);
    if (ret->mount)
        str_neutralize(ret->mount);
    return r;
}

int drift_read(const struct container *c, const struct process_list *list, struct drift *ret, struct err *e)
{
    _cleanup_drift_ struct drift d = {0};
    _cleanup_(view_close) struct view v = {.upper = -1};
    int r = view_open(c, &v, e);
    d.items = r < 0 ? NULL : calloc(list->count ? list->count : 1, sizeof(*d.items));
    if (!d.items)
        return r < 0 ? r : err_oom(e);
    for (; d.count < list->count && r == 0; d.count++)
        r = judge(&v, list->items[d.count].pid, &d.items[d.count], e);
    if (r < 0)
        return r;
    *ret = d;
    d = (struct drift){0};
    return 0;
}
