/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes and links of the container's /dev (rootfs.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/rootfs.h"
#include "runtime/fsmount.h"

#define MODE_ANYBODY 0666

struct node {
    const char *path;
    mode_t type, mode;
    dev_t number;
    uid_t uid;
    gid_t gid;
};

/* config-linux.md, "Default Devices"; numbers from the kernel's devices.txt. */
static const struct {
    const char *path;
    unsigned major_number, minor_number;
} defaults[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

static const struct {
    const char *name, *target;
} links[] = {{"fd", "/proc/self/fd"},
             {"stdin", "/proc/self/fd/0"},
             {"stdout", "/proc/self/fd/1"},
             {"stderr", "/proc/self/fd/2"}};

/* The directory of a path inside the root, made when it is missing, and the name in it. */
static int open_parent(const struct oci_rootfs *f, const char *path, const char **ret_name, struct err *e)
{
    char parent[PATH_LENGTH_MAX + 1];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (!slash || n > PATH_LENGTH_MAX || !path_is_component(slash + 1))
        return err_set(e, EINVAL, "\"%.200s\" is no name of a device", path);
    memcpy(parent, path, n);
    parent[n] = '\0';
    *ret_name = slash + 1;
    return path_make_dirs_in_root(f->root, n ? parent : "/", 0755, (uid_t)-1, (gid_t)-1, e);
}

/* A user namespace may make no nodes: the host's own is shown in a file's place, once it is seen to be what its name says. */
static int bind_node(int dir, const char *name, const struct node *n, struct err *e)
{
    struct stat st;
    _cleanup_close_ int host = open(n->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (host < 0 || fstat(host, &st) < 0)
        return err_errno(e, "the host's %s", n->path);
    if ((st.st_mode & S_IFMT) != n->type || st.st_rdev != n->number)
        return err_set(e, ENODEV, "the host's %s is another device", n->path);
    _cleanup_close_ int file = openat(dir, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        return err_errno(e, "make a file for %s", n->path);
    _cleanup_close_ int tree = fsmount_clone(host, 0, e);
    return tree < 0 ? tree : fsmount_attach(tree, file, e);
}

/* config-linux.md, "Devices": a file of that name which is not the device is an error. An image may have files where the default devices belong: with
 * `replace` they are. */
static int make_node(const struct oci_rootfs *f, const struct node *n, bool replace, struct err *e)
{
    const char *name = "";
    struct stat st;
    _cleanup_close_ int dir = open_parent(f, n->path, &name, e);
    if (dir < 0)
        return dir;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == n->type &&
        st.st_rdev == n->number)
        return 0;
    if (mknodat(dir, name, n->type | n->mode, n->number) < 0) {
        if (errno == EPERM && n->type != S_IFIFO)
            return bind_node(dir, name, n, e);
        if (errno == EEXIST && !replace)
            return err_set(e, EEXIST, "%s: there is another file of that name", n->path);
        if (errno != EEXIST || unlinkat(dir, name, 0) < 0 ||
            mknodat(dir, name, n->type | n->mode, n->number) < 0)
            return err_errno(e, "make %s", n->path);
    }
    if (fchownat(dir, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "owner of %s", n->path);
    /* The umask has had its say at the creation. Nobody else is in here yet, so the name is still the node. */
    return fchmodat(dir, name, n->mode, 0) < 0 ? err_errno(e, "mode of %s", n->path) : 0;
}

static int make_links(int dev, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return err_errno(e, "link /dev/%s", links[i].name);
    if (unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT)
        return err_errno(e, "remove /dev/ptmx");
    return symlinkat("pts/ptmx", dev, "ptmx") < 0 ? err_errno(e, "link /dev/ptmx") : 0;
}

static bool is_bound(const struct oci_config *c)
{
    for (size_t i = 0; i < c->mounts.count; i++) {
        const struct oci_mount *m = OCI_ITEM(&c->mounts, struct oci_mount, i);
        bool dev = str_equal(m->destination, "/dev") || str_equal(m->destination, "/dev/");
        for (size_t j = 0; dev && j < m->options.count; j++)
            if (str_equal(*OCI_ITEM(&m->options, char *, j), "bind") ||
                str_equal(*OCI_ITEM(&m->options, char *, j), "rbind"))
                return true;
    }
    return false;
}

static int make_listed(const struct oci_config *c, const struct oci_rootfs *f, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < c->linux_part.devices.count && r == 0; i++) {
        const struct oci_device *d = OCI_ITEM(&c->linux_part.devices, struct oci_device, i);
        r = make_node(
            f,
            &(struct node){.path = d->path,
                           .type = (mode_t)d->type,
                           .mode = d->file_mode.set ? (mode_t)d->file_mode.value & 07777 : MODE_ANYBODY,
                           .number = makedev((unsigned)d->major.value, (unsigned)d->minor.value),
                           .uid = (uid_t)d->uid.value,
                           .gid = (gid_t)d->gid.value},
            false, e);
        if (r < 0)
            (void)err_wrap(e, "linux.devices[%zu]", i);
    }
    return r;
}

/* After the listed ones: what is listed under one of these names has the mode and owner that the list says. */
static int make_defaults(const struct oci_rootfs *f, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(defaults) && r == 0; i++)
        r = make_node(f,
                      &(struct node){.path = defaults[i].path,
                                     .type = S_IFCHR,
                                     .mode = MODE_ANYBODY,
                                     .number = makedev(defaults[i].major_number, defaults[i].minor_number)},
                      true, e);
    return r;
}

int oci_devices_make(const struct oci_config *c, const struct oci_rootfs *f, struct err *e)
{
    if (is_bound(c))
        return 0; /* the host's, as it is */
    mode_t mask = umask(0);
    int r = make_listed(c, f, e);
    if (r == 0)
        r = make_defaults(f, e);
    (void)umask(mask);
    _cleanup_close_ int dev =
        r < 0 ? -1 : path_make_dirs_in_root(f->root, "/dev", 0755, (uid_t)-1, (gid_t)-1, e);
    return r < 0 ? r : dev < 0 ? dev : make_links(dev, e);
}

int oci_console_attach(const struct oci_rootfs *f, int slave, struct err *e)
{
    char link[32];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", slave);
    _cleanup_close_ int target = path_make_file_in_root(f->root, "/dev/console", (uid_t)-1, (gid_t)-1, e);
    _cleanup_close_ int tree =
        target < 0 ? -1 : open_tree(AT_FDCWD, link, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct statfs fs;
    if (target < 0)
        return target;
    /* By links: others may have the files of /dev (CVE-2025-52565). */
    if (fstatfs(target, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC)
        return err_set(e, EPERM, "/dev/console of the container leads to a file of the kernel's");
    return tree < 0 ? err_errno(e, "/dev/console") : fsmount_attach(tree, target, e);
}
