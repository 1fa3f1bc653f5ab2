/* SPDX-License-Identifier: Apache-2.0 */
/* The root itself, and the change of root (rootfs.h). */
#include "oci/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "runtime/fsmount.h"

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO of linux/proc_fs.h */

void oci_rootfs_close(struct oci_rootfs *f)
{
    close_fd(&f->root);
    close_fd(&f->proc);
    close_fd(&f->sys);
}

int oci_rootfs_open(const struct oci_rootfs *f, const char *path, struct err *e)
{
    const char *in_proc = str_after(path, "/proc/");
    const char *in_sys = str_after(path, "/sys/");
    if (in_proc && f->proc >= 0)
        return path_open_in_root(f->proc, in_proc, O_PATH, 0, e);
    if (in_sys && f->sys >= 0)
        return path_open_in_root(f->sys, in_sys, O_PATH, 0, e);
    return path_open_in_root(f->root, path, O_PATH, 0, e);
}

/* A link or a mount on the way could lead to another file of procfs, which is procfs too. */
int oci_rootfs_open_proc(const struct oci_rootfs *f, const char *name, struct err *e)
{
    struct statfs fs;
    struct stat st;
    _cleanup_close_ int named = -1;
    int proc = f->proc >= 0
                   ? f->proc
                   : (named = path_open_in_root(f->root, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, e));
    if (proc < 0)
        return proc;
    if (fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
        return err_errno(e, "/proc of the container");
    if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
        return err_set(e, EPERM, "/proc of the container is not procfs");
    int fd = path_open_beneath(proc, name, O_WRONLY, 0, e);
    return fd == -EXDEV ? err_wrap(e, "something is mounted in /proc of the container") : fd;
}

/* Nothing that is mounted here may reach the host, and what the host mounts later comes in as it would to a slave, unless the configuration says
 * otherwise. What cannot be bound becomes so when all is bound that shall be (oci_rootfs_finish). */
static int cut_propagation(const struct oci_config *c, struct err *e)
{
    unsigned long wanted = (unsigned long)c->linux_part.rootfs_propagation & ~(unsigned long)MS_REC;
    unsigned long flags = wanted == 0 ? MS_SLAVE : wanted == MS_UNBINDABLE ? MS_PRIVATE : wanted;
    if (mount(NULL, "/", NULL, flags | MS_REC, NULL) < 0)
        return err_errno(e, "change the propagation of mounts");
    return 0;
}

static int find_path(struct oci_rootfs *f, struct err *e)
{
    char link[32];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f->root);
    ssize_t n = readlink(link, f->path, sizeof(f->path) - 1);
    if (n < 0)
        return err_errno(e, "root.path");
    f->path[n] = '\0';
    return 0;
}

/* The mount that the root's directory lies in must not be shared, or the kernel refuses pivot_root(2): it is the longest part of the path
 * that is a mount point. */
static void unshare_parent(const struct oci_rootfs *f)
{
    char parent[sizeof(f->path)];
    struct mount_attr alone = {.propagation = MS_PRIVATE};
    (void)snprintf(parent, sizeof(parent), "%s", f->path);
    while (mount_setattr(AT_FDCWD, *parent ? parent : "/", 0, &alone, sizeof(alone)) < 0 && *parent)
        *strrchr(parent, '/') = '\0';
}

/* The directory becomes a mount of its own, which pivot_root(2) needs. */
static int mount_root(struct oci_rootfs *f, struct err *e)
{
    _cleanup_close_ int tree = fsmount_clone(f->root, AT_RECURSIVE, e);
    if (tree < 0)
        return tree;
    unshare_parent(f);
    /* pivot_root(2) wants the same of the new root. */
    struct mount_attr alone = {.propagation = MS_PRIVATE};
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &alone, sizeof(alone)) < 0)
        return err_errno(e, "root.path: propagation");
    int r = fsmount_attach(tree, f->root, e);
    if (r < 0)
        return err_wrap(e, "root.path");
    close(f->root);
    f->root = steal_fd(&tree);
    return 0;
}

int oci_rootfs_build(const struct oci_config *c, const struct oci_sources *sources,
                     const struct oci_cgroup *cgroup, struct oci_rootfs *ret, struct err *e)
{
    struct oci_rootfs f = OCI_ROOTFS_INIT;
    bool own_mounts = oci_config_namespace(c, CLONE_NEWNS) != NULL;
    int r = own_mounts ? cut_propagation(c, e) : 0;
    if (r == 0) {
        _cleanup_close_ int bundle = open(sources->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
        f.root = bundle < 0 ? -1 : openat(bundle, c->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = f.root < 0 ? err_errno(e, "root.path %s", c->root.path) : find_path(&f, e);
    }
    if (r == 0 && own_mounts)
        r = mount_root(&f, e);
    for (size_t i = 0; i < c->mounts.count && r == 0; i++)
        r = oci_mount_add(c, &f, sources, i, cgroup, e);
    if (r == 0 && own_mounts)
        r = oci_devices_make(c, &f, e);
    if (r < 0) {
        oci_rootfs_close(&f);
        return r;
    }
    *ret = f;
    return 0;
}

static int pivot(const struct oci_rootfs *f, struct err *e)
{
    _cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0 || fchdir(f->root) < 0)
        return err_errno(e, "enter the root");
    if (sys_pivot_root(".", ".") < 0)
        return err_errno(e, "pivot_root (in an initial RAM disk: --no-pivot)");
    /* The old root is on top of the new one now, and nothing of it may be unmounted on the host. "." is still below it. */
    if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
        umount2(".", MNT_DETACH) < 0)
        return err_errno(e, "detach the host's root");
    return chdir("/") < 0 ? err_errno(e, "enter the root") : 0;
}

/* Trees that were bound come from the host, and are shared with it as its own mounts are: unless the configuration wants that, nothing that is mounted
 * below them in here gets out. runc does so at the same place, after the options of each mount have had their say. */
static int cut_trees(const struct oci_config *c, const struct oci_rootfs *f, struct err *e)
{
    struct mount_attr slave = {.propagation = MS_SLAVE};
    if (c->linux_part.rootfs_propagation & MS_SHARED)
        return 0;
    return mount_setattr(f->root, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof(slave)) < 0
               ? err_errno(e, "change the propagation of mounts")
               : 0;
}

int oci_rootfs_enter(const struct oci_config *c, struct oci_rootfs *f, bool no_pivot, struct err *e)
{
    int r;
    if (!oci_config_namespace(c, CLONE_NEWNS)) {
        r = fchdir(f->root) < 0 || chroot(".") < 0 || chdir("/") < 0 ? err_errno(e, "chroot") : 0;
    } else {
        r = cut_trees(c, f, e);
        if (r == 0)
            r = no_pivot ? oci_rootfs_move(f, e) : pivot(f, e);
    }
    if (r < 0)
        return r;
    close_fd(&f->root);
    f->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(f->path, sizeof(f->path), "/");
    return f->root < 0 ? err_errno(e, "open the container's root") : 0;
}

/* The name was checked to be of a namespace (config_check.c). */
static int set_sysctl(const struct oci_rootfs *f, const struct oci_pair *s, struct err *e)
{
    char name[256];
    int n = snprintf(name, sizeof(name), "sys/%s", s->key);
    if (n < 0 || (size_t)n >= sizeof(name))
        return err_set(e, EINVAL, "linux.sysctl: \"%.64s\" is too long", s->key);
    for (char *p = name + sizeof("sys/") - 1; *p && strchr(s->key, '.'); p++)
        if (*p == '.' || *p == '/')
            *p = *p == '.' ? '/' : '.';
    _cleanup_close_ int fd = oci_rootfs_open_proc(f, name, e);
    if (fd < 0)
        return err_wrap(e, "linux.sysctl: %s", s->key);
    int r = io_write_all(fd, s->value, strlen(s->value), e);
    return r < 0 ? err_wrap(e, "linux.sysctl: %s", s->key) : 0;
}

int oci_rootfs_finish(const struct oci_config *c, const struct oci_rootfs *f, struct err *e)
{
    const struct oci_linux *l = &c->linux_part;
    bool own_mounts = oci_config_namespace(c, CLONE_NEWNS) != NULL;
    int r = 0;
    for (size_t i = 0; i < l->sysctl.count && r == 0; i++)
        r = set_sysctl(f, OCI_ITEM(&l->sysctl, struct oci_pair, i), e);
    if (!own_mounts || r < 0)
        return r;
    r = oci_masks_apply(c, f, e);
    if (r == 0 && c->root.readonly)
        r = fsmount_set(f->root, MOUNT_ATTR_RDONLY, false, -1, e);
    if (r == 0 && l->rootfs_propagation &&
        mount(NULL, "/", NULL, (unsigned long)l->rootfs_propagation, NULL) < 0)
        r = err_errno(e, "linux.rootfsPropagation");
    return r;
}
