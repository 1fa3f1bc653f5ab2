/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths (rootfs.h). What covers a file is the container's /dev/null, by a descriptor that was seen to be that device: one
 * that is another file by the time, or was from the start (CVE-2025-31133), covers nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/rootfs.h"
#include "runtime/fsmount.h"

static int open_null(const struct oci_rootfs *f, struct err *e)
{
    struct stat st;
    _cleanup_close_ int fd = path_open_in_root(f->root, "/dev/null", O_PATH | O_NOFOLLOW, 0, e);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "/dev/null");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return err_set(e, ENODEV, "the container's /dev/null is not the device of that name");
    return steal_fd(&fd);
}

/* One empty read-only directory for all masked directories: the first gets the mount itself, the others copies of it. */
struct cover {
    int empty, null;
    bool attached;
};

static int cover_directory(struct cover *c, int target, struct err *e)
{
    static const char *const options[] = {"size=4k", "nr_inodes=1", "mode=555", NULL};
    if (c->empty < 0)
        c->empty =
            fsmount_new("tmpfs", options,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
    if (c->empty < 0)
        return c->empty;
    if (!c->attached) {
        c->attached = true;
        return fsmount_attach(c->empty, target, e);
    }
    _cleanup_close_ int copy = fsmount_clone(c->empty, 0, e);
    return copy < 0 ? copy : fsmount_attach(copy, target, e);
}

static int mask(const struct oci_rootfs *f, const char *path, struct cover *c, struct err *e)
{
    struct stat st;
    struct err absent = {0};
    _cleanup_close_ int target = oci_rootfs_open(f, path, &absent);
    if (target == -ENOENT || target == -ENOTDIR)
        return 0;
    if (target < 0) {
        *e = absent;
        return target;
    }
    if (fstat(target, &st) < 0)
        return err_errno(e, "stat");
    if (S_ISDIR(st.st_mode))
        return cover_directory(c, target, e);
    _cleanup_close_ int copy = fsmount_clone(c->null, 0, e);
    return copy < 0 ? copy : fsmount_attach(copy, target, e);
}

static int make_read_only(const struct oci_rootfs *f, const char *path, struct err *e)
{
    struct err absent = {0};
    _cleanup_close_ int target = oci_rootfs_open(f, path, &absent);
    if (target == -ENOENT || target == -ENOTDIR)
        return 0;
    if (target < 0) {
        *e = absent;
        return target;
    }
    _cleanup_close_ int copy = fsmount_clone(target, AT_RECURSIVE, e);
    int r = copy < 0 ? copy : fsmount_set(copy, MOUNT_ATTR_RDONLY, false, -1, e);
    return r == 0 ? fsmount_attach(copy, target, e) : r;
}

int oci_masks_apply(const struct oci_config *c, const struct oci_rootfs *f, struct err *e)
{
    const struct schema_list *read_only = &c->linux_part.readonly_paths;
    const struct schema_list *masked = &c->linux_part.masked_paths;
    struct cover cover = {.empty = -1, .null = -1};
    int r = 0;
    if (masked->count > 0)
        r = (cover.null = open_null(f, e)) < 0 ? cover.null : 0;
    for (size_t i = 0; i < read_only->count && r == 0; i++) {
        r = make_read_only(f, *OCI_ITEM(read_only, char *, i), e);
        if (r < 0)
            (void)err_wrap(e, "linux.readonlyPaths[%zu] (%s)", i, *OCI_ITEM(read_only, char *, i));
    }
    for (size_t i = 0; i < masked->count && r == 0; i++) {
        r = mask(f, *OCI_ITEM(masked, char *, i), &cover, e);
        if (r < 0)
            (void)err_wrap(e, "linux.maskedPaths[%zu] (%s)", i, *OCI_ITEM(masked, char *, i));
    }
    close_fd(&cover.empty);
    close_fd(&cover.null);
    return r;
}
