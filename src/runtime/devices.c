/* SPDX-License-Identifier: Apache-2.0 */
/* The container's /dev (devices.h). */
#include "runtime/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "runtime/fsmount.h"

/* OCI runtime-spec, config-linux.md, "Default Devices"; numbers from Linux' devices.txt. */
static const struct {
    const char *name;
    unsigned minor_number, major_number;
} nodes[] = {{"null", 3, 1},   {"zero", 5, 1},    {"full", 7, 1},
             {"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5}};

static const struct {
    const char *name, *target;
} links[] = {{"fd", "/proc/self/fd"},
             {"stdin", "/proc/self/fd/0"},
             {"stdout", "/proc/self/fd/1"},
             {"stderr", "/proc/self/fd/2"},
             {"ptmx", "pts/ptmx"}};

static const char *const directories[] = {"pts", "shm", "mqueue"};

static int fill(int dir, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        if (mknodat(dir, nodes[i].name, S_IFCHR | 0666,
                    makedev(nodes[i].major_number, nodes[i].minor_number)) < 0)
            return err_errno(e, "make device %s", nodes[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, dir, links[i].name) < 0)
            return err_errno(e, "make link /dev/%s", links[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        if (mkdirat(dir, directories[i], 0755) < 0)
            return err_errno(e, "make directory /dev/%s", directories[i]);
    return 0;
}

int devices_make(uid_t owner, struct err *e)
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
    int r = fill(fd, e);
    (void)setfsuid((uid_t)uid);
    (void)setfsgid((gid_t)gid);
    (void)umask(mask);
    return r < 0 ? err_wrap(e, "make /dev") : steal_fd(&fd);
}
