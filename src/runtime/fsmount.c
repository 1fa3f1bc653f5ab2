/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's mount API by descriptor (fsmount.h). */
#include "runtime/fsmount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

#define OPTION_MAX 128

/* The kernel explains a refused option in the descriptor's log: "e overlay: ...". */
static int explain(int fs, const char *type, const char *option, struct err *e)
{
    int saved = errno;
    char log[256];
    ssize_t n = read(fs, log, sizeof(log) - 1);
    errno = saved;
    if (n <= 2)
        return err_errno(e, "%s file system%s%s", type, option ? ", option " : "", option ? option : "");
    log[n] = '\0';
    log[strcspn(log, "\n")] = '\0';
    return err_errno(e, "%s file system (%s)", type, log + 2);
}

static int set_option(int fs, const char *option)
{
    char key[OPTION_MAX];
    const char *equals = strchr(option, '=');
    if (!equals)
        return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
    size_t n = (size_t)(equals - option);
    if (n >= sizeof(key)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(key, option, n);
    key[n] = '\0';
    return fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
}

int fsmount_new(const char *type, const char *const *options, uint64_t attr, struct err *e)
{
    _cleanup_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
    if (fs < 0)
        return err_errno(e, "file system %s", type);
    for (const char *const *o = options; o && *o; o++)
        if (set_option(fs, *o) < 0)
            return explain(fs, type, *o, e);
    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return explain(fs, type, NULL, e);
    int fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
    return fd < 0 ? explain(fs, type, NULL, e) : fd;
}

int fsmount_clone(int fd, int flags, struct err *e)
{
    int tree = open_tree(fd, "", (unsigned)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags));
    return tree < 0 ? err_errno(e, "clone a mount") : tree;
}

int fsmount_clone_at(int dir_fd, const char *name, struct err *e)
{
    int tree = open_tree(dir_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return tree < 0 ? err_errno(e, "clone the mount of %s", name) : tree;
}

int fsmount_set(int mount_fd, uint64_t attr, bool recursive, int userns_fd, struct err *e)
{
    struct mount_attr a = {
        .attr_set = attr | (userns_fd >= 0 ? MOUNT_ATTR_IDMAP : 0),
        .userns_fd = userns_fd >= 0 ? (uint64_t)userns_fd : 0,
    };
    if (mount_setattr(mount_fd, "", (unsigned)(AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)), &a,
                      sizeof(a)) < 0)
        return err_errno(e, "set mount attributes%s", userns_fd >= 0 ? " and ids" : "");
    return 0;
}

int fsmount_attach(int mount_fd, int target_fd, struct err *e)
{
    if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return err_errno(e, "attach a mount");
    return 0;
}
