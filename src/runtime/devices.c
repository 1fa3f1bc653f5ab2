/* SPDX-License-Identifier: Apache-2.0 */
/* The container's /dev (devices.h). */
#include "runtime/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "runtime/fsmount.h"

/* OCI runtime-spec, config-linux.md, "Default Devices"; numbers from Linux' devices.txt. */
static const struct {
    const char *name;
    unsigned minor_number, major_number;
} devices[DEVICES_COUNT] = {{"null", 3, 1},   {"zero", 5, 1},    {"full", 7, 1},
                            {"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5}};

static const struct {
    const char *name, *target;
} links[] = {{"fd", "/proc/self/fd"},
             {"stdin", "/proc/self/fd/0"},
             {"stdout", "/proc/self/fd/1"},
             {"stderr", "/proc/self/fd/2"},
             {"ptmx", "pts/ptmx"}};

static const char *const directories[] = {"pts", "shm", "mqueue"};

/* The host's node, checked to be the device that its name says. */
static int clone_host_node(size_t i, struct err *e)
{
    char path[32];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
    _cleanup_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "open %s", path);
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(devices[i].major_number, devices[i].minor_number))
        return err_set(e, ENODEV, "%s is not the device of that name", path);
    _cleanup_close_ int tree = fsmount_clone(fd, 0, e);
    int r = tree < 0 ? tree : fsmount_set(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false, -1, e);
    return r < 0 ? err_wrap(e, "%s", path) : steal_fd(&tree);
}

static int make_node(int dir, size_t i, int *ret_node, struct err *e)
{
    *ret_node = -1;
    if (mknodat(dir, devices[i].name, S_IFCHR | 0666,
                makedev(devices[i].major_number, devices[i].minor_number)) == 0)
        return 0;
    if (errno != EPERM)
        return err_errno(e, "make device %s", devices[i].name);
    if (mknodat(dir, devices[i].name, S_IFREG | 0666, 0) < 0)
        return err_errno(e, "make a file for device %s", devices[i].name);
    *ret_node = clone_host_node(i, e);
    return *ret_node < 0 ? *ret_node : 0;
}

static int fill(int dir, int nodes[DEVICES_COUNT], struct err *e)
{
    for (size_t i = 0; i < DEVICES_COUNT; i++) {
        int r = make_node(dir, i, &nodes[i], e);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, dir, links[i].name) < 0)
            return err_errno(e, "make link /dev/%s", links[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        if (mkdirat(dir, directories[i], 0755) < 0)
            return err_errno(e, "make directory /dev/%s", directories[i]);
    return 0;
}

/* A node that was granted: permissions as on the host, so that a group that may use it there may do so inside. */
static int add_device(int dev, const struct spec_device *d, uid_t owner, struct err *e)
{
    const char *slash = strrchr(d->target, '/');
    _cleanup_free_ char *parent = NULL;
    int r = str_copy_n(d->target, slash ? (size_t)(slash - d->target) : 0, &parent, e);
    _cleanup_close_ int dir = r < 0   ? r
                              : slash ? path_make_dirs_in_root(dev, parent, 0755, (uid_t)-1, (gid_t)-1, e)
                                      : fcntl(dev, F_DUPFD_CLOEXEC, 0);
    if (dir < 0)
        return r < 0 ? r : slash ? -e->code : err_errno(e, "device");
    const char *name = slash ? slash + 1 : d->target;
    if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) /* --device /dev/null: the same again */
        return err_errno(e, "device /dev/%s", d->target);
    if (mknodat(dir, name, d->mode, d->number) < 0 ||
        fchownat(dir, name, owner, owner + d->group, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(e, "make device /dev/%s", d->target);
    return 0;
}

int devices_make(uid_t owner, const struct spec_resources *resources, int nodes[DEVICES_COUNT], struct err *e)
{
    static const char *const options[] = {"mode=755", "size=65536k", "nr_inodes=4096", NULL};
    _cleanup_close_ int fd = fsmount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e);
    if (fd < 0)
        return fd;
    if (fchownat(fd, "", owner, owner, AT_EMPTY_PATH) < 0)
        return err_errno(e, "change owner of /dev");
    mode_t mask = umask(0);
    int uid = setfsuid(owner);
    int gid = setfsgid(owner);
    int r = fill(fd, nodes, e);
    for (size_t i = 0; i < resources->device_count && r == 0; i++)
        r = add_device(fd, &resources->devices[i], owner, e);
    (void)setfsuid((uid_t)uid);
    (void)setfsgid((gid_t)gid);
    (void)umask(mask);
    return r < 0 ? err_wrap(e, "make /dev") : steal_fd(&fd);
}

int devices_attach(int dev_fd, const int nodes[DEVICES_COUNT], struct err *e)
{
    for (size_t i = 0; i < DEVICES_COUNT; i++) {
        if (nodes[i] < 0)
            continue;
        _cleanup_close_ int target = openat(dev_fd, devices[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        int r = target < 0 ? err_errno(e, "open it") : fsmount_attach(nodes[i], target, e);
        if (r < 0)
            return err_wrap(e, "mount /dev/%s", devices[i].name);
    }
    return 0;
}
