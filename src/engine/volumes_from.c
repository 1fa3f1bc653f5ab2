/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of other containers (volumes_from.h). */
#include "engine/volumes_from.h"

#include <errno.h>
#include <string.h>

#include "engine/container.h"

static struct plan_mount *find_target(struct plan *p, const char *target)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (str_equal(p->mounts[i].target, target))
            return &p->mounts[i];
    return NULL;
}

static int copy_mount(const struct plan_mount *from, bool read_only, bool relabel, struct plan_mount *m,
                      struct err *e)
{
    m->anonymous = from->anonymous;
    m->read_only = from->read_only || read_only;
    m->noexec = from->noexec;
    m->no_copy = from->no_copy;
    m->relabel = from->relabel || relabel;
    int r = str_replace(&m->source, from->source, e);
    if (r == 0)
        r = str_replace(&m->target, from->target, e);
    return r < 0 || !from->subpath ? r : str_replace(&m->subpath, from->subpath, e);
}

/* `own`: so many mounts are the plan's own and win. */
static int add_one(const struct store *s, struct plan *p, const char *entry, size_t own, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_free_ char *name = NULL;
    const char *mode = strchrnul(entry, ':');
    bool read_only = str_after(mode, ":ro");
    bool relabel = strpbrk(mode, "zZ");
    int r = str_copy_n(entry, (size_t)(mode - entry), &name, e);
    if (r == 0)
        r = container_find(s, name, &c, e);
    for (size_t i = 0; i < c.plan.mount_count && r == 0; i++) {
        const struct plan_mount *from = &c.plan.mounts[i];
        struct plan_mount *m = find_target(p, from->target);
        if (from->type == PLAN_MOUNT_TMPFS || (m && m < p->mounts + own) || (m && m->type != from->type))
            continue;
        if (!m)
            m = plan_add_mount(p, from->type, e);
        r = m ? copy_mount(from, read_only, relabel, m, e) : -e->code;
    }
    return r;
}

int volumes_from_merge(const struct store *s, struct plan *p, struct err *e)
{
    size_t own = p->mount_count;
    for (size_t i = 0; i < p->volumes_from.count; i++) {
        int r = add_one(s, p, p->volumes_from.items[i], own, e);
        if (r < 0)
            return err_wrap(e, "--volumes-from");
    }
    return 0;
}
