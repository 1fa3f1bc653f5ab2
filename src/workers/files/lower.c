/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups in layers (lower.h). Layers are hostile trees, but nobody changes them any more. */
#include "workers/files/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/str.h"

#define XATTR_OPAQUE "user.overlay.opaque"

enum step {
    STEP_FOUND,
    STEP_BELOW,
    STEP_HIDDEN
}; /* BELOW: the next layer may have it; HIDDEN: none counts any more */

bool lower_is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

bool lower_is_opaque(int dir)
{
    char value[2];
    return fgetxattr(dir, XATTR_OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* Goes down one component. *dir becomes the directory `name` when there is more to come. */
static enum step go(int *dir, const char *name, bool last, bool *opaque, struct stat *st)
{
    if (fstatat(*dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return *opaque ? STEP_HIDDEN : STEP_BELOW;
    if (lower_is_whiteout(st))
        return STEP_HIDDEN;
    if (last)
        return STEP_FOUND;
    int next = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return STEP_HIDDEN;
    close_fd(dir);
    *dir = next;
    *opaque = *opaque || lower_is_opaque(next);
    return STEP_FOUND;
}

static enum step find_in(int layer, const char *path, struct stat *st, int *ret_dir)
{
    char name[NAME_MAX + 1];
    bool opaque = false;
    enum step s = STEP_FOUND;
    _cleanup_close_ int dir = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const char *at = path; dir >= 0 && s == STEP_FOUND && *at;) {
        size_t n = strcspn(at, "/");
        if (n > NAME_MAX)
            return STEP_HIDDEN;
        memcpy(name, at, n);
        name[n] = '\0';
        s = go(&dir, name, at[n] == '\0', &opaque, st);
        at += n + (at[n] == '/');
    }
    if (dir < 0)
        return STEP_BELOW;
    if (s == STEP_FOUND && ret_dir)
        *ret_dir = steal_fd(&dir);
    return s;
}

int lower_find(const struct lower *l, const char *path, struct stat *ret_stat, int *ret_dir, struct err *e)
{
    (void)e;
    for (size_t i = 0; i < l->count; i++) {
        enum step s = find_in(l->layers[i], path, ret_stat, ret_dir);
        if (s != STEP_BELOW)
            return s == STEP_FOUND;
    }
    return 0;
}
