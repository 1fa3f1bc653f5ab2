/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes (volume.h). The directories are ours alone, so names are used directly; what is in data/ is the containers'. */
#include "engine/volume.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ids.h"
#include "base/path.h"
#include "engine/disk_limit.h"
#include "engine/events.h"
#include "engine/volume_record.h"

#define DATA "data"
#define LOCK_TRIES 16

void volume_init(struct volume *v)
{
    *v = (struct volume){.size = VOLUME_UNLIMITED, .inodes = VOLUME_UNLIMITED};
}

void volume_clear(struct volume *v)
{
    free(v->name);
    str_list_clear(&v->labels);
    str_list_clear(&v->options);
    volume_init(v);
}

int volume_check_name(const char *name, struct err *e)
{
    size_t n = strlen(name);
    bool ok = n >= 1 && n <= VOLUME_NAME_MAX && isalnum((unsigned char)name[0]) &&
              strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
    return ok ? 0
              : err_set(e, EINVAL,
                        "volume name '%.140s' is invalid: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
}

static int make_parts(const struct store *s, int dir, const struct volume *v, struct disk_claim *ret_claim,
                      struct err *e)
{
    _cleanup_close_ int data = path_make_dir_at(dir, DATA, 0755, e);
    _cleanup_close_ int users = data < 0 ? data : path_make_dir_at(dir, VOLUME_USERS, 0700, e);
    _cleanup_close_ int fill = users < 0 ? users : path_make_dir_at(dir, VOLUME_FILL, 0700, e);
    if (fill < 0)
        return fill;
    _cleanup_close_ int mark = openat(fill, VOLUME_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (mark < 0 || fchmod(data, 0755) < 0 || fchown(data, IDS_NEUTRAL, IDS_NEUTRAL) < 0)
        return err_errno(e, "make its directories");
    int r = disk_limit_volume(s, v, data, ret_claim, e);
    return r < 0 ? r : volume_record_write(dir, v, e);
}

/* Built aside and renamed, so that a volume is there completely or not at all. */
static int place_volume(const struct store *s, const struct volume *v, struct err *e)
{
    char staging[STORE_STAGING_NAME_MAX];
    _cleanup_close_ int dir = store_staging_make(s, staging, e);
    if (dir < 0)
        return dir;
    _cleanup_disk_claim_ struct disk_claim claim = DISK_CLAIM_INIT;
    int r = make_parts(s, dir, v, &claim, e);
    if (r == 0 && renameat2(s->staging, staging, s->volumes, v->name, RENAME_NOREPLACE) == 0) {
        events_volume(s, "create", v->name, NULL);
        return 0;
    }
    if (r == 0)
        r = errno == EEXIST ? 1 : err_errno(e, "place it");
    struct err ignored = {0};
    (void)path_remove_tree_at(s->staging, staging, &ignored);
    quota_release(s, claim.project);
    return r;
}

int volume_make(const struct store *s, const struct volume *v, struct err *e)
{
    struct stat st;
    int r = volume_check_name(v->name, e);
    if (r < 0)
        return r;
    if (fstatat(s->volumes, v->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    r = place_volume(s, v, e);
    return r < 0 ? err_wrap(e, "make volume %s", v->name) : r;
}

int volume_open(const struct store *s, const char *name, struct err *e)
{
    int r = volume_check_name(name, e);
    if (r < 0)
        return r;
    int dir = openat(s->volumes, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return err_set(e, ENOENT, "no such volume: %s", name);
    return dir < 0 ? err_errno(e, "open volume %s", name) : dir;
}

/* A volume of this name may be removed, and another made, while we wait. */
int volume_lock(const struct store *s, const char *name, int operation, struct err *e)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat held, named;
        _cleanup_close_ int dir = volume_open(s, name, e);
        if (dir < 0)
            return dir;
        int r;
        do
            r = flock(dir, operation);
        while (r < 0 && errno == EINTR);
        if (r < 0 || fstat(dir, &held) < 0)
            return err_errno(e, "lock volume %s", name);
        if (fstatat(s->volumes, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return steal_fd(&dir);
    }
    return err_set(e, EAGAIN, "volume %s is made and removed again and again", name);
}

int volume_open_data(int dir, struct err *e)
{
    int data = openat(dir, DATA, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return data < 0 ? err_errno(e, "open the files of the volume") : data;
}

static int refuse_used(const char *name, const struct str_list *users, struct err *e)
{
    char ids[8 * (ID_SHORT_LENGTH + 2) + 8] = "";
    size_t used = 0;
    size_t shown = users->count < 8 ? users->count : 8;
    for (size_t i = 0; i < shown; i++)
        used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s%.12s", i ? ", " : "", users->items[i]);
    return err_set(e, EBUSY, "remove %s: volume is in use - [%s%s] (rm these containers first)", name, ids,
                   shown < users->count ? ", …" : "");
}

/* First out of sight in one step, then away. The lock, held on the directory itself, keeps sweepers of staging/ off. */
static int take_away(const struct store *s, int dir, const char *name, struct err *e)
{
    char staging[STORE_STAGING_NAME_MAX];
    uint32_t project = disk_limit_project(dir, DATA);
    int r = id_random(staging, e);
    if (r < 0)
        return r;
    if (renameat(s->volumes, name, s->staging, staging) < 0)
        return err_errno(e, "remove volume %s", name);
    events_volume(s, "destroy", name, NULL);
    r = path_remove_tree_at(s->staging, staging, e);
    if (r == 0)
        quota_release(s, project);
    return r;
}

static int remove_locked(const struct store *s, int dir, const char *name, struct err *e)
{
    _cleanup_volume_ struct volume v;
    _cleanup_str_list_ struct str_list users = {0};
    volume_init(&v);
    int r = volume_read(dir, name, &v, e);
    if (r == 0)
        r = volume_users(s, dir, &v, &users, e);
    if (r < 0)
        return r;
    return users.count > 0 ? refuse_used(name, &users, e) : take_away(s, dir, name, e);
}

int volume_remove(const struct store *s, const char *name, struct err *e)
{
    _cleanup_close_ int dir = volume_lock(s, name, LOCK_EX, e);
    return dir < 0 ? dir : remove_locked(s, dir, name, e);
}

void volume_leave(const struct store *s, const char *name, const char *container)
{
    struct err ignored = {0};
    _cleanup_close_ int dir = volume_lock(s, name, LOCK_EX, &ignored);
    if (dir < 0)
        return;
    volume_remove_user(dir, container);
    (void)remove_locked(s, dir, name, &ignored);
}
