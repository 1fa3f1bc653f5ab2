/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in the run directory (mark.h). */
#include "engine/mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/path.h"
#include "base/str.h"

#define MARK_PATH_SIZE (sizeof(MARK_STARTING "/") + ID_LENGTH)

int mark_open_dir(const struct store *s, const char *kind, struct err *e)
{
    _cleanup_close_ int fd = path_make_dir_at(s->run, kind, 0700, e);
    /* Any shim may make a mark when its container ends; none may look, or remove another's. */
    if (fd >= 0 && str_equal(kind, MARK_EXITED) && fchmod(fd, 01733) < 0)
        return err_errno(e, "run/%s", kind);
    return fd < 0 ? fd : steal_fd(&fd);
}

int mark_make(const struct store *s, const char *kind, const char *id, struct err *e)
{
    _cleanup_close_ int dir = mark_open_dir(s, kind, e);
    if (dir < 0)
        return dir;
    _cleanup_close_ int fd = openat(dir, id, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, "mark container %.12s", id) : 0;
}

static const char *mark_path(const char *kind, const char *id, char path[MARK_PATH_SIZE])
{
    (void)snprintf(path, MARK_PATH_SIZE, "%s/%s", kind, id);
    return path;
}

void mark_remove(const struct store *s, const char *kind, const char *id)
{
    char path[MARK_PATH_SIZE];
    (void)unlinkat(s->run, mark_path(kind, id, path), 0);
}

bool mark_exists(const struct store *s, const char *kind, const char *id)
{
    char path[MARK_PATH_SIZE];
    return faccessat(s->run, mark_path(kind, id, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
