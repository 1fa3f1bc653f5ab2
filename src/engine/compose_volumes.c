/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of one start (compose_volumes.h). */
#include "engine/compose_volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/path.h"

void compose_volumes_clear(struct compose_volumes *v)
{
    for (size_t i = 0; i < v->count; i++) {
        close_fd(&v->items[i].data);
        close_fd(&v->items[i].fill.lock);
    }
    free(v->items);
    *v = (struct compose_volumes){0};
}

uint64_t compose_mount_attr(const struct plan_mount *m)
{
    return (m->read_only ? MOUNT_ATTR_RDONLY : 0) | (m->noexec ? MOUNT_ATTR_NOEXEC : 0);
}

static bool may_fill(const struct plan_mount *m)
{
    return !m->no_copy && !m->subpath;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct compose_volume *)a)->name, ((const struct compose_volume *)b)->name);
}

/* Each volume once. */
static int list_names(const struct plan *p, struct compose_volumes *v, struct err *e)
{
    v->items = calloc(p->mount_count + 1, sizeof(*v->items));
    if (!v->items)
        return err_oom(e);
    for (size_t i = 0; i < p->mount_count; i++) {
        const struct plan_mount *m = &p->mounts[i];
        size_t k = 0;
        if (m->type != PLAN_MOUNT_VOLUME)
            continue;
        while (k < v->count && !str_equal(v->items[k].name, m->source))
            k++;
        if (k == v->count)
            v->items[v->count++] =
                (struct compose_volume){.name = m->source, .data = -1, .fill = {.lock = -1}};
    }
    qsort(v->items, v->count, sizeof(*v->items), by_name);
    return 0;
}

static int make_anonymous(const struct store *s, const char *name, struct err *e)
{
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    v.anonymous = true;
    v.created = clock_now();
    int r = str_copy(name, &v.name, e);
    return r < 0 ? r : volume_make(s, &v, e);
}

/* The user is noted under the lock, or the volume might go away before it is. */
static int open_one(const struct store *s, const struct container *c, struct compose_volume *v, struct err *e)
{
    bool anonymous = false, fills = false;
    for (size_t i = 0; i < c->plan.mount_count; i++) {
        const struct plan_mount *m = &c->plan.mounts[i];
        if (m->type != PLAN_MOUNT_VOLUME || !str_equal(m->source, v->name))
            continue;
        anonymous = anonymous || m->anonymous;
        fills = fills || may_fill(m);
    }
    int r = anonymous ? make_anonymous(s, v->name, e) : 0;
    _cleanup_close_ int dir = r < 0 ? r : volume_lock(s, v->name, LOCK_SH, e);
    r = dir < 0 ? dir : volume_add_user(dir, c->id, e);
    if (r < 0)
        return r;
    v->sync = !anonymous || !c->plan.auto_remove;
    v->data = volume_open_data(dir, e);
    if (v->data < 0)
        return v->data;
    if (flock(dir, LOCK_UN) < 0)
        return err_errno(e, "unlock volume %s", v->name);
    return fills ? volume_fill_begin(dir, c->start.time == 0, &v->fill, e) : 0;
}

int compose_volumes_open(const struct store *s, const struct container *c, struct compose_volumes *ret,
                         struct err *e)
{
    _cleanup_compose_volumes_ struct compose_volumes v = {0};
    int r = list_names(&c->plan, &v, e);
    for (size_t i = 0; i < v.count && r == 0; i++)
        r = open_one(s, c, &v.items[i], e);
    if (r < 0)
        return r;
    *ret = v;
    v = (struct compose_volumes){0};
    return 0;
}

static int open_source(const struct compose_volume *v, const struct plan_mount *m, struct err *e)
{
    int fd = m->subpath ? path_open_in_root(v->data, m->subpath, O_PATH, 0, e)
                        : fcntl(v->data, F_DUPFD_CLOEXEC, 0);
    if (fd == -ENOENT)
        return err_set(e, ENOENT, "volume %s has no '%s' (volume-subpath must exist)", v->name, m->subpath);
    if (fd >= 0)
        return fd;
    return m->subpath ? err_wrap(e, "volume %s", v->name) : err_errno(e, "volume %s", v->name);
}

int compose_add_volume(struct compose_volumes *v, const struct plan_mount *m, struct spec *spec,
                       struct err *e)
{
    struct stat st;
    struct compose_volume *volume = v->items;
    while (!str_equal(volume->name, m->source))
        volume++;
    _cleanup_close_ int source = open_source(volume, m, e);
    if (source < 0)
        return source;
    if (fstat(source, &st) < 0)
        return err_errno(e, "volume %s", m->source);
    struct spec_mount *sm = spec_add_mount(spec, SPEC_MOUNT_BIND, m->target, e);
    if (!sm)
        return -e->code;
    sm->is_dir = S_ISDIR(st.st_mode);
    sm->attr = compose_mount_attr(m);
    sm->ids = SPEC_IDS_BLOCK;
    sm->source = steal_fd(&source);
    if (may_fill(m)) {
        sm->filled = steal_fd(&volume->fill.lock);
        sm->take_owner = sm->filled >= 0 && volume->fill.brand_new;
        sm->fill_sync = volume->sync;
    }
    return 0;
}
