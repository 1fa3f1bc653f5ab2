/* SPDX-License-Identifier: Apache-2.0 */
/* Going through containers for a list (shown.h). */
#include "engine/shown.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shimproto.h"
#include "engine/exit_record.h"
#include "engine/health.h"

/* The kernel's clock for files goes in steps, of 10 ms at most: within one, another change would not move a time. */
#define SETTLED (CLOCK_SECOND / 10)
#define SOCKET_PATH "/shim/" SHIM_SOCKET_FILE
#define PATH_SIZE (ID_LENGTH + sizeof(SOCKET_PATH))
/* From so many containers on, one question for all sockets costs less than one for each lock. */
#define ASK_ALL_FROM 8

struct item {
    char id[ID_LENGTH + 1];
    struct shown_times times;
    const struct shown_entry *entry; /* NULL: not kept, or not as it is now */
};

struct items {
    struct item *all;
    size_t count;
};

struct walk {
    const struct store *store;
    int64_t now; /* before anything was read */
    struct buf text;
    bool changed;
    struct listening listening;
};

static int64_t nanoseconds(const struct timespec *t)
{
    return t->tv_sec * CLOCK_SECOND + t->tv_nsec;
}

static bool stat_at(const struct store *s, const char *id, const char *below, struct stat *ret)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%.*s%s", ID_LENGTH, id, below);
    return fstatat(s->containers, path, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether the records of the shim's directory still are what they were. That of one that runs is told by its lock, and what else is there
 * is not shown. */
static bool shim_is_same(const struct store *s, const struct shown_entry *entry)
{
    struct stat shim;
    return shown_runs(entry) ||
           (stat_at(s, entry->id, "/shim", &shim) && nanoseconds(&shim.st_ctim) == entry->times.shim);
}

/* False: it is just being made or removed. */
static bool fill_item(const struct store *s, const struct shown_entries *kept, const char *id,
                      struct item *ret)
{
    struct stat dir, shim, plan;
    if (!stat_at(s, id, "", &dir))
        return false;
    memcpy(ret->id, id, sizeof(ret->id));
    ret->entry = shown_find(kept, id);
    if (ret->entry && ret->entry->times.dir == nanoseconds(&dir.st_ctim) && shim_is_same(s, ret->entry)) {
        ret->times = ret->entry->times;
        return true;
    }
    ret->entry = NULL;
    if (!stat_at(s, id, "/shim", &shim) || !stat_at(s, id, "/plan.json", &plan))
        return false;
    ret->times = (struct shown_times){nanoseconds(&plan.st_mtim), nanoseconds(&dir.st_ctim),
                                      nanoseconds(&shim.st_ctim)};
    return true;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = ((const struct item *)a)->times.plan;
    int64_t y = ((const struct item *)b)->times.plan;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int list_items(const struct store *s, const struct shown_entries *kept, struct items *ret,
                      struct err *e)
{
    _cleanup_close_ int dir = openat(s->containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = dir < 0 ? NULL : fdopendir(dir);
    if (!d)
        return err_errno(e, "read the containers");
    (void)steal_fd(&dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (!id_valid(entry->d_name))
            continue;
        if ((ret->count & (ret->count - 1)) == 0) {
            struct item *grown = reallocarray(ret->all, ret->count ? ret->count * 2 : 1, sizeof(*grown));
            if (!grown)
                return err_oom(e);
            ret->all = grown;
        }
        ret->count += fill_item(s, kept, entry->d_name, &ret->all[ret->count]);
    }
    if (ret->count > 1)
        qsort(ret->all, ret->count, sizeof(*ret->all), newest_first);
    return 0;
}

/* True when its state can be told from the times and the lock alone. */
static bool can_be_kept(const struct container *c)
{
    if (c->paused || health_wanted(&c->plan))
        return false;
    switch (c->status) {
    case CONTAINER_RUNNING:
    case CONTAINER_CREATED:
        return true;
    case CONTAINER_EXITED:
        return c->live.restart.kind == RESTART_NO && c->denials.count == 0;
    case CONTAINER_RESTARTING:
    case CONTAINER_DEAD:
        break;
    }
    return false;
}

/* The socket of its shim, if it runs and is among those that listen. */
static bool find_socket(const struct walk *w, const struct container *c, struct listening_socket *ret)
{
    struct stat file;
    return c->status == CONTAINER_RUNNING && w->listening.count &&
           stat_at(w->store, c->id, SOCKET_PATH, &file) && listening_find(&w->listening, &file, ret);
}

/* 1: the entry still holds, and `c` is what it says; it goes into the new text. */
static int restore(struct walk *w, const struct item *item, struct container *c, struct err *e)
{
    struct err ignored = {0};
    struct listening_socket socket;
    int r;
    if (!item->entry || shown_restore(item->entry, c, &ignored) < 0)
        return 0;
    bool listens = listening_has(&w->listening, &item->entry->socket);
    if (c->status == CONTAINER_RUNNING && !listens && shim_alive_in(w->store->containers, c->id) <= 0)
        return 0;
    if (!listens && find_socket(w, c, &socket)) {
        w->changed = true;
        r = shown_add_container(&w->text, c, &item->times, &socket, e);
    } else {
        r = shown_add_entry(&w->text, item->entry, e);
    }
    return r < 0 ? r : 1;
}

static int keep(struct walk *w, const struct container *c, const struct shown_times *times, struct err *e)
{
    struct listening_socket socket = {0};
    (void)find_socket(w, c, &socket);
    w->changed = true;
    return shown_add_container(&w->text, c, times, &socket, e);
}

/* 1 when there is one to show. */
static int open_item(struct walk *w, const struct item *item, struct container *ret, struct err *e)
{
    struct err gone = {0};
    int r = restore(w, item, ret, e);
    if (r != 0)
        return r;
    container_close(ret);
    w->changed |= item->entry != NULL;
    *ret = (struct container)CONTAINER_INIT;
    plan_init(&ret->plan);
    if (container_open(w->store, item->id, ret, &gone) < 0)
        return 0;
    if (!can_be_kept(ret) || item->times.dir > w->now - SETTLED || item->times.shim > w->now - SETTLED)
        return 1;
    r = keep(w, ret, &item->times, e);
    return r < 0 ? r : 1;
}

static int walk_items(struct walk *w, const struct items *items,
                      int (*visit)(struct container *c, void *context, struct err *e), void *context,
                      struct shown_counts *counts, struct err *e)
{
    int r = shown_begin(&w->text, e);
    for (size_t i = 0; i < items->count && r == 0; i++) {
        _cleanup_container_ struct container c = CONTAINER_INIT;
        plan_init(&c.plan);
        r = open_item(w, &items->all[i], &c, e);
        if (r <= 0)
            continue;
        counts->all++;
        counts->running += c.status == CONTAINER_RUNNING;
        r = visit(&c, context, e);
    }
    return r;
}

int shown_for_each(const struct store *s, int (*visit)(struct container *c, void *context, struct err *e),
                   void *context, struct shown_counts *ret_counts, struct err *e)
{
    struct walk w = {.store = s, .now = clock_now()};
    struct items items = {0};
    struct shown_entries kept;
    struct shown_counts counts = {0};
    struct err ignored = {0};
    shown_read(s, &kept);
    int r = list_items(s, &kept, &items, e);
    if (items.count >= ASK_ALL_FROM)
        listening_read(&w.listening);
    if (r == 0)
        r = walk_items(&w, &items, visit, context, &counts, e);
    /* Only of a whole list; containers that are gone go with the next change. */
    if (r == 0 && w.changed)
        (void)shown_write(s, &w.text, &ignored);
    *ret_counts = counts;
    shown_clear(&kept);
    listening_clear(&w.listening);
    buf_clear(&w.text);
    free(items.all);
    return r;
}
