/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the engine in the container's view (textfiles.h). Runs as the container's root, in its namespaces. */
#include "runtime/textfiles.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "runtime/fsmount.h"

#define NAME_SIZE 16

/* The copy of the mount shows only the file, and outlives the place where the tmpfs was. */
static int make_text(int tmpfs, size_t number, const char *content, struct err *e)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%zu", number);
    _cleanup_close_ int fd = openat(tmpfs, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0)
        return err_errno(e, "make a file");
    int r = io_write_all(fd, content, strlen(content), e);
    return r < 0 ? r : fsmount_clone_at(tmpfs, name, e);
}

static int attach_text(const struct spec_text *t, int root_fd, int tmpfs, size_t number, struct err *e)
{
    _cleanup_close_ int tree = make_text(tmpfs, number, t->content, e);
    if (tree < 0)
        return tree;
    _cleanup_close_ int target = path_make_file_in_root(root_fd, t->target, (uid_t)-1, (gid_t)-1, e);
    return target < 0 ? target : fsmount_attach(tree, target, e);
}

int textfiles_attach(const struct spec *s, int root_fd, int place, struct err *e)
{
    static const char *const options[] = {"mode=755", "size=1m", "nr_inodes=16", NULL};
    if (s->text_count == 0)
        return 0;
    _cleanup_close_ int tmpfs =
        fsmount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
    int r = tmpfs < 0 ? tmpfs : fsmount_attach(tmpfs, place, e);
    for (size_t i = 0; i < s->text_count && r == 0; i++) {
        r = attach_text(&s->texts[i], root_fd, tmpfs, i, e);
        if (r < 0)
            return err_wrap(e, "file %s", s->texts[i].target);
    }
    if (r < 0)
        return r;
    if (fchdir(tmpfs) < 0 || umount2(".", MNT_DETACH) < 0 || fchdir(root_fd) < 0)
        return err_errno(e, "detach the engine's files");
    return 0;
}
