/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers use a volume, and all volumes (volume.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "engine/container.h"
#include "engine/volume_record.h"

int volume_add_user(int dir, const char *container, struct err *e)
{
    _cleanup_close_ int users = path_make_dir_at(dir, VOLUME_USERS, 0700, e);
    if (users < 0)
        return users;
    _cleanup_close_ int fd = openat(users, container, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, "note the container as user of the volume") : 0;
}

void volume_remove_user(int dir, const char *container)
{
    _cleanup_close_ int users = openat(dir, VOLUME_USERS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (users >= 0)
        (void)unlinkat(users, container, 0);
}

static int list_noted(const struct store *s, int dir, struct str_list *ret_ids, struct err *e)
{
    _cleanup_close_ int users = openat(dir, VOLUME_USERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (users < 0)
        return errno == ENOENT ? 0 : err_errno(e, "read the users of a volume");
    _cleanup_closedir_ DIR *d = fdopendir(users);
    if (!d)
        return err_errno(e, "read the users of a volume");
    (void)steal_fd(&users);
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(d));)
        if (id_valid(entry->d_name) &&
            faccessat(s->containers, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            r = str_list_add(ret_ids, entry->d_name, e);
    return r;
}

struct search {
    const char *name;
    struct str_list *ids;
};

static int note_user(struct container *c, void *context, struct err *e)
{
    const struct search *search = context;
    for (size_t i = 0; i < c->plan.mount_count; i++) {
        const struct plan_mount *m = &c->plan.mounts[i];
        if (m->type == PLAN_MOUNT_VOLUME && m->source && str_equal(m->source, search->name) &&
            !str_list_has(search->ids, c->id))
            return str_list_add(search->ids, c->id, e);
    }
    return 0;
}

/* A volume from before users were noted: every plan is looked through. */
int volume_users(const struct store *s, int dir, const struct volume *v, struct str_list *ret_ids,
                 struct err *e)
{
    struct search search = {v->name, ret_ids};
    int r = list_noted(s, dir, ret_ids, e);
    return r < 0 || v->recorded ? r : container_for_each(s, note_user, &search, e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(const struct store *s, struct str_list *names, struct err *e)
{
    struct err odd = {0};
    _cleanup_close_ int fd = openat(s->volumes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return err_errno(e, "read the volumes");
    (void)steal_fd(&fd);
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(d));)
        if (volume_check_name(entry->d_name, &odd) == 0)
            r = str_list_add(names, entry->d_name, e);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), by_name);
    return r;
}

int volume_for_each(const struct store *s,
                    int (*visit)(const struct volume *v, int dir, void *context, struct err *e),
                    void *context, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    int r = list_names(s, &names, e);
    for (size_t i = 0; i < names.count && r == 0; i++) {
        struct err gone = {0};
        _cleanup_volume_ struct volume v;
        volume_init(&v);
        _cleanup_close_ int dir = volume_open(s, names.items[i], &gone);
        if (dir >= 0 && volume_read(dir, names.items[i], &v, &gone) == 0)
            r = visit(&v, dir, context, e);
        else if (gone.code != ENOENT) {
            *e = gone;
            r = -gone.code;
        }
    }
    return r;
}
