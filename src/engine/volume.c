/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes (volume.h). */
#include "engine/volume.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ids.h"
#include "base/path.h"

#define FRESH_MARK "fresh"

int volume_check_name(const char *name, struct err *e)
{
    size_t n = strlen(name);
    bool ok = n >= 1 && n <= VOLUME_NAME_MAX && isalnum((unsigned char)name[0]) &&
              strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
    return ok ? 0
              : err_set(e, EINVAL,
                        "volume name '%.140s' is invalid: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
}

/* Built aside and renamed, so that a volume is there completely or not at all. */
int volume_make(const struct store *s, const char *name, struct err *e)
{
    char staging[STORE_STAGING_NAME_MAX];
    struct stat st;
    int r = volume_check_name(name, e);
    if (r < 0)
        return r;
    if (fstatat(s->volumes, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    _cleanup_close_ int dir = store_staging_make(s, staging, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int data = path_make_dir_at(dir, "data", 0755, e);
    if (data < 0)
        return data;
    _cleanup_close_ int mark = openat(dir, FRESH_MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (mark < 0 || fchown(data, IDS_NEUTRAL, IDS_NEUTRAL) < 0)
        return err_errno(e, "make volume %s", name);
    if (renameat2(s->staging, staging, s->volumes, name, RENAME_NOREPLACE) == 0)
        return 0;
    int failed = errno;
    struct err ignored = {0};
    (void)path_remove_tree_at(s->staging, staging, &ignored);
    errno = failed;
    return failed == EEXIST ? 0 : err_errno(e, "make volume %s", name);
}

int volume_open(const struct store *s, const char *name, bool *ret_fresh, struct err *e)
{
    int r = volume_check_name(name, e);
    if (r < 0)
        return r;
    _cleanup_close_ int dir = path_open_dir_at(s->volumes, name, e);
    if (dir < 0)
        return err_wrap(e, "volume %s", name);
    int data = openat(dir, "data", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (data < 0)
        return err_errno(e, "volume %s", name);
    *ret_fresh = faccessat(dir, FRESH_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return data;
}

void volume_mark_used(const struct store *s, const char *name)
{
    char path[VOLUME_NAME_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s/" FRESH_MARK, name);
    (void)unlinkat(s->volumes, path, 0);
}

int volume_remove(const struct store *s, const char *name, struct err *e)
{
    int r = volume_check_name(name, e);
    return r < 0 ? r : path_remove_tree_at(s->volumes, name, e);
}
