/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container (overlay.h). */
#include "runtime/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fitness.h"
#include "runtime/fsmount.h"

#define OVERLAY_OPTIONS_MAX 4000 /* mount(2) copies one page */

void overlay_trees_clear(struct overlay_trees *t)
{
    for (size_t i = 0; i < t->layer_count; i++)
        close_fd(&t->layers[i]);
    t->layer_count = 0;
    close_fd(&t->writable);
}

int overlay_prepare(const struct spec *s, int idmap, struct overlay_trees *ret_trees, struct err *e)
{
    struct overlay_trees t = {.writable = -1};
    int r = 0;
    for (size_t i = 0; i < s->layer_count && r == 0; i++) {
        int tree = fsmount_clone(s->layers[i], 0, e);
        if (tree < 0) {
            r = tree;
            break;
        }
        t.layers[t.layer_count++] = tree;
        r = fsmount_set(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false, idmap, e);
    }
    if (r == 0) {
        t.writable = fsmount_clone(s->writable, 0, e);
        r = t.writable < 0 ? t.writable
                           : fsmount_set(t.writable, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false, idmap, e);
    }
    if (r < 0) {
        overlay_trees_clear(&t);
        r = err_wrap(
            e, "map the ids of the layers (does the file system of the data root support idmapped mounts?)");
        return fitness_explain(s->writable, r, e);
    }
    *ret_trees = t;
    return 0;
}

/* Attaches `tree` on the fresh directory `name` of the working directory. */
static int place_tree(int tree, const char *name, struct err *e)
{
    if (mkdir(name, 0700) < 0)
        return err_errno(e, "overlay: make %s", name);
    if (move_mount(tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_errno(e, "overlay: attach %s", name);
    return 0;
}

/*
 * Overlayfs accepts a directory of another mount namespace only from who rules that namespace, so the trees are attached in our
 * own first; and kernels before 6.13 take paths only, at most a page of them. So: short names on a small tmpfs over /tmp of our own
 * mount namespace, gone with the old root.
 */
static int join(const struct overlay_trees *t, struct err *e)
{
    _cleanup_buf_ struct buf options = {0};
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=700") < 0 ||
        chdir("/tmp") < 0)
        return err_errno(e, "overlay: working directory");
    int r =
        buf_printf(&options, OVERLAY_OPTIONS_MAX, e, "userxattr,upperdir=w/upper,workdir=w/work,lowerdir=");
    for (size_t i = 0; i < t->layer_count && r == 0; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "%zu", i);
        r = place_tree(t->layers[i], name, e);
        if (r == 0)
            r = buf_printf(&options, OVERLAY_OPTIONS_MAX, e, "%s%s", i ? ":" : "", name);
    }
    if (r == 0)
        r = place_tree(t->writable, "w", e);
    if (r < 0)
        return r;
    if (mkdir("root", 0700) < 0 ||
        mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options.data) < 0)
        return fitness_explain(t->writable, err_errno(e, "overlay: mount"), e);
    int fd = open_tree(AT_FDCWD, "root", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "overlay: clone");
    return fd;
}

/* Overlayfs answers a work directory that it cannot use by a silent read-only mount. */
static int check_writable(int root, struct err *e)
{
    _cleanup_close_ int probe = openat(root, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (probe >= 0)
        return 0;
    if (errno != EROFS)
        return 0;
    return err_set(e, EROFS,
                   "overlay: the writable layer is read-only (the kernel log says why; a full disk, or a "
                   "layer that has all that "
                   "--storage-opt gives it, does this)");
}

int overlay_mount(const struct overlay_trees *t, struct err *e)
{
    _cleanup_close_ int fd = join(t, e);
    if (fd < 0)
        return fd;
    int r = check_writable(fd, e);
    return r < 0 ? r : steal_fd(&fd);
}
