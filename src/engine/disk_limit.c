/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on what is being made (disk_limit.h). */
#include "engine/disk_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/path.h"
#include "plan/policy.h"

#define OWNER_TEXT 256
#define CONTAINER "container "
#define VOLUME "volume "

static int limit_dirs(const struct store *s, const char *owner, const int *dirs, size_t count,
                      const struct quota_limit *limit, struct disk_claim *ret, struct err *e)
{
    _cleanup_disk_claim_ struct disk_claim claim = DISK_CLAIM_INIT;
    int r = quota_claim(s, owner, &claim.project, &claim.lock, e);
    if (r < 0)
        return r;
    r = quota_set(dirs[0], claim.project, limit, e);
    for (size_t i = 0; i < count && r == 0; i++)
        r = quota_assign(dirs[i], claim.project, e);
    if (r < 0) {
        quota_release(s, claim.project);
        return err_wrap(e, "limit the disk");
    }
    *ret = claim;
    claim = (struct disk_claim)DISK_CLAIM_INIT;
    return 0;
}

static struct quota_limit limit_of(const struct plan *p)
{
    return (struct quota_limit){p->disk == PLAN_UNSET ? QUOTA_NONE : p->disk,
                                p->disk_inodes == PLAN_UNSET ? QUOTA_NONE : p->disk_inodes};
}

static int cannot_be_kept(const struct plan *p, const char *why, struct err *e)
{
    return err_set(e, ENOTSUP, "--storage-opt %s cannot be kept: %s", p->storage_opt.items[0], why);
}

int disk_limit_change(int dir, const struct plan *p, struct err *e)
{
    struct err why = {0};
    struct quota_state now;
    const struct quota_limit limit = limit_of(p);
    _cleanup_close_ int rw = path_open_dir_at(dir, "rw", e);
    if (rw < 0)
        return rw;
    if (quota_probe(rw, &why) < 0)
        return cannot_be_kept(p, why.text, e);
    int r = quota_read(rw, &now, e);
    if (r == 0 && now.project == 0)
        return cannot_be_kept(p, "the container was made without a limit of its disk (make it anew)", e);
    return r < 0 ? r : quota_set(rw, now.project, &limit, e);
}

int disk_limit_container(const struct store *s, const struct plan *p, int rw, struct disk_claim *ret,
                         struct err *e)
{
    char owner[OWNER_TEXT];
    struct err why = {0};
    const struct quota_limit limit = limit_of(p);
    if (limit.bytes == QUOTA_NONE && limit.inodes == QUOTA_NONE)
        return 0;
    if (quota_probe(rw, &why) < 0)
        return p->storage_opt.count == 0 ? 0 : cannot_be_kept(p, why.text, e);
    _cleanup_close_ int upper = path_open_dir_at(rw, "upper", e);
    _cleanup_close_ int work = upper < 0 ? upper : path_open_dir_at(rw, "work", e);
    if (work < 0)
        return work;
    const int dirs[] = {rw, upper, work};
    (void)snprintf(owner, sizeof(owner), CONTAINER "%s", p->id);
    return limit_dirs(s, owner, dirs, ARRAY_SIZE(dirs), &limit, ret, e);
}

/* What the policy gives to a volume without limits of its own. */
static int policy_limit(int data, struct quota_limit *ret, struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    struct statvfs fs;
    int r = policy_load(&policy, e);
    if (r < 0)
        return r;
    if (fstatvfs(data, &fs) < 0)
        return err_errno(e, "size of the data root's file system");
    if (ret->bytes == QUOTA_NONE && policy.volume_disk.value > 0)
        ret->bytes = policy_share_of(&policy.volume_disk, (uint64_t)fs.f_blocks * fs.f_frsize);
    if (ret->inodes == QUOTA_NONE && policy.volume_inodes.value > 0 && fs.f_files > 0)
        ret->inodes = policy_share_of(&policy.volume_inodes, fs.f_files);
    return 0;
}

int disk_limit_volume(const struct store *s, const struct volume *v, int data, struct disk_claim *ret,
                      struct err *e)
{
    char owner[OWNER_TEXT];
    struct err why = {0};
    struct quota_limit limit = {v->size == VOLUME_UNLIMITED ? QUOTA_NONE : v->size,
                                v->inodes == VOLUME_UNLIMITED ? QUOTA_NONE : v->inodes};
    bool asked = limit.bytes != QUOTA_NONE || limit.inodes != QUOTA_NONE;
    if (quota_probe(data, &why) < 0)
        return asked ? err_set(e, ENOTSUP, "the limit cannot be kept: %s", why.text) : 0;
    int r = policy_limit(data, &limit, e);
    if (r < 0 || (limit.bytes == QUOTA_NONE && limit.inodes == QUOTA_NONE))
        return r;
    (void)snprintf(owner, sizeof(owner), VOLUME "%s", v->name);
    return limit_dirs(s, owner, &data, 1, &limit, ret, e);
}

uint32_t disk_limit_project(int dir, const char *below)
{
    struct err ignored = {0};
    struct quota_state state;
    _cleanup_close_ int fd = path_open_beneath(dir, below, O_PATH | O_DIRECTORY, 0, &ignored);
    return fd < 0 || quota_read(fd, &state, &ignored) < 0 ? 0 : state.project;
}

static bool owner_exists(const struct store *s, const char *owner)
{
    const char *container = str_after(owner, CONTAINER);
    const char *volume = str_after(owner, VOLUME);
    const char *name = container ? container : volume;
    struct stat st;
    return name && path_is_component(name) &&
           fstatat(container ? s->containers : s->volumes, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void disk_limit_sweep(const struct store *s)
{
    quota_sweep(s, owner_exists);
}
