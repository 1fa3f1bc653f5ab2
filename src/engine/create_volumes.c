/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes at the creation of a container (create_volumes.h). */
#include "engine/create_volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/audit_log.h"

#define MAKE_TRIES 16

void create_volumes_clear(struct create_volumes *v)
{
    for (size_t i = 0; i < v->count; i++)
        close_fd(&v->locks[i]);
    free(v->locks);
    *v = (struct create_volumes){0};
}

void create_volumes_end(struct create_volumes *v, const char *container, bool made)
{
    for (size_t i = 0; i < v->count && !made; i++)
        volume_remove_user(v->locks[i], container);
    create_volumes_clear(v);
}

static int describe(const struct plan_mount *m, struct volume *v, struct err *e)
{
    v->created = clock_now();
    int r = str_copy(m->source, &v->name, e);
    for (size_t i = 0; i < m->volume_options.count && r == 0; i++)
        r = volume_add_option(v, m->volume_options.items[i], e);
    return r < 0 ? r : str_list_copy(&m->volume_labels, &v->labels, e);
}

/* Another command may remove it between the two steps. */
static int make_and_lock(const struct store *s, const struct plan_mount *m, struct err *e)
{
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    int r = describe(m, &v, e);
    for (int i = 0; r >= 0 && i < MAKE_TRIES; i++) {
        struct err gone = {0};
        r = volume_make(s, &v, e);
        if (r < 0)
            return r;
        if (r == 0)
            audit_note_name(s, AUDIT_VOLUME_CREATE, v.name, NULL, NULL);
        int lock = volume_lock(s, v.name, LOCK_SH, &gone);
        if (lock >= 0)
            return lock;
        if (lock != -ENOENT)
            return err_set(e, gone.code, "%s", gone.text);
    }
    return r < 0 ? r : err_set(e, EAGAIN, "volume %s is made and removed again and again", v.name);
}

/* An anonymous volume of another container (--volumes-from) may not have been made yet. */
static int lock_existing(const struct store *s, const struct plan_mount *m, struct err *e)
{
    struct err missing = {0};
    int lock = volume_lock(s, m->source, LOCK_SH, &missing);
    if (lock >= 0 || lock == -ENOENT)
        return lock;
    return err_set(e, missing.code, "%s", missing.text);
}

static int name_anonymous(struct plan_mount *m, struct err *e)
{
    char name[ID_LENGTH + 1];
    int r = id_random(name, e);
    m->anonymous = true;
    return r < 0 ? r : str_copy(name, &m->source, e);
}

static int add_volume(const struct store *s, struct plan_mount *m, const char *container,
                      struct create_volumes *v, struct err *e)
{
    if (!m->source)
        return name_anonymous(m, e);
    int lock = m->anonymous ? lock_existing(s, m, e) : make_and_lock(s, m, e);
    if (lock < 0)
        return m->anonymous && lock == -ENOENT ? 0 : lock;
    v->locks[v->count++] = lock;
    return volume_add_user(lock, container, e);
}

int create_volumes(const struct store *s, struct plan *p, struct create_volumes *ret, struct err *e)
{
    struct create_volumes v = {.locks = calloc(p->mount_count + 1, sizeof(int))};
    int r = v.locks ? 0 : err_oom(e);
    for (size_t i = 0; i < p->mount_count && r == 0; i++)
        if (p->mounts[i].type == PLAN_MOUNT_VOLUME)
            r = add_volume(s, &p->mounts[i], p->id, &v, e);
    if (r < 0) {
        create_volumes_end(&v, p->id, false);
        return r;
    }
    *ret = v;
    return 0;
}
