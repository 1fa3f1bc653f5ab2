/* SPDX-License-Identifier: Apache-2.0 */
/* A pseudo terminal of the container's own devpts (terminal.h). */
#include "runtime/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

int terminal_open(int pts_fd, uid_t owner, int *ret_slave, unsigned *ret_number, struct err *e)
{
    int unlock = 0;
    struct statfs fs;
    if (fstatfs(pts_fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
        return err_set(e, ENOTTY, "/dev/pts of the container is not a devpts file system");
    _cleanup_close_ int master = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, ret_number) < 0)
        return err_errno(e, "open a terminal");
    _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || fchown(slave, owner, (gid_t)-1) < 0)
        return err_errno(e, "open a terminal");
    *ret_slave = steal_fd(&slave);
    return steal_fd(&master);
}

int terminal_take(int slave, struct err *e)
{
    if (ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0)
        return err_errno(e, "take the terminal");
    return 0;
}
