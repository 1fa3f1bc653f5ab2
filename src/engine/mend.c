/* SPDX-License-Identifier: Apache-2.0 */
/* Releasing what has ended (mend.h). */
#include "engine/mend.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "engine/container.h"
#include "engine/disk_limit.h"
#include "engine/events.h"
#include "engine/exit_record.h"
#include "engine/lifecycle.h"
#include "engine/lock.h"
#include "engine/mark.h"
#include "engine/names.h"
#include "engine/observe.h"
#include "engine/tend.h"
#include "image/layers.h"
#include "runtime/cgroup.h"
#include "store/idpool.h"

static void mend_container(const struct store *s, const char *id)
{
    struct err ignored = {0};
    struct container c;
    if (container_open(s, id, &c, &ignored) < 0)
        return;
    if (c.status == CONTAINER_RUNNING)
        mark_remove(s, MARK_STARTING, id);
    else
        (void)lifecycle_release(s, &c, &ignored);
    container_close(&c);
}

static void mend_marked(const struct store *s, const char *kind)
{
    _cleanup_close_ int fd = openat(s->run, kind, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        if (id_valid(entry->d_name))
            mend_container(s, entry->d_name);
        /* A mark of a container that is gone, or a name that nobody of ours would make. */
        if (!id_valid(entry->d_name) ||
            faccessat(s->containers, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    }
}

void mend_ended(const struct store *s)
{
    mend_marked(s, MARK_EXITED);
    mend_marked(s, MARK_STARTING);
    tend_ensure(s);
}

/* A --rm container whose shim was killed has left no mark: it gets one, for as long as somebody waits for it, and goes. */
static void remove_lost(const struct store *s, struct container *c)
{
    struct err ignored = {0};
    if (mark_make(s, MARK_EXITED, c->id, &ignored) == 0)
        (void)lifecycle_release(s, c, &ignored);
}

/* A block whose container is not running: its start was killed half-way, or its shim was. Under the container's lock, since a start in
 * progress holds a block as well. */
static void mend_block(const struct store *s, const char *id, unsigned block)
{
    struct err ignored = {0};
    struct container c;
    if (shim_alive_in(s->containers, id) > 0)
        return;
    if (container_open(s, id, &c, &ignored) < 0) {
        (void)cgroup_remove(observe_cgroup_parent(), id, &ignored);
        (void)idpool_release(s, block, id, &ignored);
        return;
    }
    if (c.status == CONTAINER_DEAD && c.plan.auto_remove) {
        remove_lost(s, &c);
        container_close(&c);
        return;
    }
    _cleanup_close_ int lock = c.status == CONTAINER_RUNNING ? -1 : lock_container(s, &c, &ignored);
    if (lock >= 0 && container_refresh(&c, &ignored) == 0 && c.status != CONTAINER_RUNNING) {
        events_end(s, &c);
        (void)cgroup_remove(observe_cgroup_parent(), id, &ignored);
        (void)idpool_release(s, block, id, &ignored);
    }
    container_close(&c);
}

static void visit_block(unsigned block, const char *id, void *context)
{
    if (id_valid(id))
        mend_block(context, id, block);
}

void mend_all(const struct store *s)
{
    struct err ignored = {0};
    mend_ended(s);
    (void)store_staging_sweep(s, &ignored);
    disk_limit_sweep(s);
    names_sweep(s);
    layers_sweep_locks(s);
    idpool_for_each(s, visit_block, (void *)(uintptr_t)s);
}

/* Entries of a directory whose names do not begin with a dot; with `numbers` those that begin with a digit. */
static size_t count_entries(int at, const char *name, bool numbers)
{
    size_t count = 0;
    _cleanup_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return 0;
    (void)steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(d));)
        count += numbers ? entry->d_name[0] >= '1' && entry->d_name[0] <= '9' : entry->d_name[0] != '.';
    return count;
}

bool mend_counted(const struct store *s, const struct shown_counts *counts)
{
    struct err ignored = {0};
    (void)store_staging_sweep(s, &ignored);
    if (count_entries(s->names, ".", false) == counts->all &&
        count_entries(s->run, IDPOOL_DIR, true) == counts->running &&
        count_entries(s->run, IDPOOL_JOINED_DIR, false) == 0)
        return false;
    mend_all(s);
    return true;
}
