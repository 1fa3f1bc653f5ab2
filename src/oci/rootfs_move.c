/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the root where pivot_root(2) cannot be used: on a host whose root is the initial RAM disk (rootfs.h). The host's mounts stay in the
 * namespace below the new root, so those of the kernel's interfaces are taken out of it first: a process that may mount could reach
 * their whole content through them (mount_too_revealing() of the kernel takes a full procfs for leave to mount another).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/str.h"
#include "oci/rootfs.h"
#include "practices/mount_table.h"

static bool is_below(const char *point, const char *root)
{
    const char *rest = str_after(point, root);
    return rest && (*rest == '\0' || *rest == '/');
}

/* Where it may not be unmounted, in another's user namespace, it is covered. */
static int take_away(const char *point, struct err *e)
{
    if (mount(NULL, point, NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return errno == ENOENT || errno == EINVAL ? 0 /* gone with the one that it was in */
                                                  : err_errno(e, "%s", point);
    if (umount2(point, MNT_DETACH) == 0)
        return 0;
    if ((errno == EPERM || errno == EINVAL) && mount("tmpfs", point, "tmpfs", 0, "size=0,mode=0") == 0)
        return 0;
    return err_errno(e, "take the host's %s away", point);
}

static int hide_kernel_interfaces(const struct oci_rootfs *f, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    int r = mount_table_read_self(&mounts, e);
    for (size_t i = 0; i < mounts.count && r == 0; i++) {
        const struct mount_entry *m = &mounts.entries[i];
        if ((str_equal(m->type, "proc") || str_equal(m->type, "sysfs")) && !is_below(m->point, f->path))
            r = take_away(m->point, e);
    }
    return r;
}

int oci_rootfs_move(const struct oci_rootfs *f, struct err *e)
{
    int r = hide_kernel_interfaces(f, e);
    if (r < 0)
        return r;
    if (fchdir(f->root) < 0)
        return err_errno(e, "enter the root");
    if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
        return err_errno(e, "move the root");
    if (chroot(".") < 0 || chdir("/") < 0)
        return err_errno(e, "chroot");
    return 0;
}
