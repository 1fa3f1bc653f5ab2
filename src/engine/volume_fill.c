/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a volume is filled from an image (volume.h). The copy itself is made by the container's first process (runtime/fill.h); here is what
 * must hold whatever is killed: `filling` stands from before the first file until all are there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "engine/volume_record.h"

static bool has(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1 or 0; data is O_PATH. */
static int is_empty(int data, struct err *e)
{
    int fd = path_reopen(data, O_RDONLY | O_DIRECTORY, e);
    if (fd < 0)
        return fd;
    _cleanup_closedir_ DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return err_errno(e, "read the volume");
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            return 0;
    return 1;
}

static int lock_fill(int dir, struct err *e)
{
    int r;
    _cleanup_close_ int fd = path_make_dir_at(dir, VOLUME_FILL, 0700, e);
    if (fd < 0)
        return fd;
    do
        r = flock(fd, LOCK_EX);
    while (r < 0 && errno == EINTR);
    return r < 0 ? err_errno(e, "lock the volume") : steal_fd(&fd);
}

int volume_fill_begin(int dir, bool first_start, struct volume_fill *ret, struct err *e)
{
    _cleanup_close_ int data = volume_open_data(dir, e);
    _cleanup_close_ int lock = data < 0 ? data : lock_fill(dir, e);
    int empty = lock < 0 ? lock : is_empty(data, e);
    if (empty < 0)
        return empty;
    bool filling = has(lock, VOLUME_FILLING);
    bool brand_new = has(lock, VOLUME_NEW) && (empty || filling);
    if (!filling && !brand_new && !(empty && first_start)) {
        (void)unlinkat(lock, VOLUME_NEW, 0);
        *ret = (struct volume_fill){.lock = -1};
        return 0;
    }
    _cleanup_close_ int mark = openat(lock, VOLUME_FILLING, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (mark < 0)
        return err_errno(e, "note that the volume is being filled");
    *ret = (struct volume_fill){.lock = steal_fd(&lock), .brand_new = brand_new};
    return 0;
}

int volume_fill_done(int lock, struct err *e)
{
    if ((unlinkat(lock, VOLUME_NEW, 0) < 0 && errno != ENOENT) ||
        (unlinkat(lock, VOLUME_FILLING, 0) < 0 && errno != ENOENT))
        return err_errno(e, "note that the volume is filled");
    return 0;
}
