/* SPDX-License-Identifier: Apache-2.0 */
/* Project quotas: the kernel's interface (quota.h). quotactl_fd(2), in the form that xfs began and ext4 understands as well. */
#include "store/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/path.h"

#define UNIT 512 /* of d_blk_hardlimit and d_bcount (linux/dqblk_xfs.h) */

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

static int quotactl_fd(int fd, int command, uint32_t id, void *argument)
{
    return (int)syscall(SYS_quotactl_fd, (unsigned)fd, (unsigned)QCMD(command, PRJQUOTA), id, argument);
}

int quota_probe(int fd, struct err *e)
{
    struct fs_quota_stat stat = {.qs_version = FS_QSTAT_VERSION};
    if (identity_rootless())
        return err_set(
            e, ENOTSUP,
            "only root can set disk limits; an ordinary user's containers count as that user's files");
    if (quotactl_fd(fd, Q_XGETQSTAT, 0, &stat) == 0 && (stat.qs_flags & FS_QUOTA_PDQ_ENFD))
        return 0;
    if (access("/proc/sys/fs/quota", F_OK) < 0)
        return err_set(e, ENOTSUP, "this kernel has no disk quotas");
    return err_set(e, ENOTSUP,
                   "the file system of %s has no project quotas (ext4 or xfs mounted with prjquota has; "
                   "casemate-system-store-image(1) makes one)",
                   dirs_data_root());
}

/* Of a directory; an O_PATH descriptor is opened for it. */
static int get_attributes(int fd, struct fsxattr *ret, struct err *e)
{
    _cleanup_close_ int open_fd = path_reopen(fd, O_RDONLY | O_DIRECTORY, e);
    if (open_fd < 0)
        return open_fd;
    if (ioctl(open_fd, FS_IOC_FSGETXATTR, ret) == 0)
        return 0;
    return errno == ENOTTY || errno == EOPNOTSUPP ? -ENOTSUP : err_errno(e, "project of a directory");
}

static uint64_t to_limit(uint64_t value, uint64_t unit)
{
    return value == 0 ? QUOTA_NONE : value * unit;
}

int quota_read(int fd, struct quota_state *ret, struct err *e)
{
    struct fsxattr attributes = {0};
    struct fs_disk_quota quota = {0};
    *ret = (struct quota_state){.limit = {QUOTA_NONE, QUOTA_NONE}};
    int r = get_attributes(fd, &attributes, e);
    if (r < 0)
        return r == -ENOTSUP ? 0 : r;
    if (!(attributes.fsx_xflags & FS_XFLAG_PROJINHERIT))
        return 0;
    ret->project = attributes.fsx_projid;
    if (quotactl_fd(fd, Q_XGETQUOTA, ret->project, &quota) < 0)
        return errno == ENOENT || errno == ESRCH || errno == ENOSYS ? 0 : err_errno(e, "read the quota");
    ret->limit.bytes = to_limit(quota.d_blk_hardlimit, UNIT);
    ret->limit.inodes = to_limit(quota.d_ino_hardlimit, 1);
    ret->bytes = quota.d_bcount * UNIT;
    ret->inodes = quota.d_icount;
    return 0;
}

int quota_assign(int dir, uint32_t project, struct err *e)
{
    struct fsxattr attributes = {0};
    int r = get_attributes(dir, &attributes, e);
    if (r < 0)
        return r == -ENOTSUP ? err_set(e, ENOTSUP, "the file system has no projects") : r;
    attributes.fsx_projid = project;
    attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    return ioctl(dir, FS_IOC_FSSETXATTR, &attributes) < 0 ? err_errno(e, "set the project of a directory")
                                                          : 0;
}

/* 0 would mean "no limit". */
static uint64_t from_limit(uint64_t value, uint64_t unit)
{
    return value == QUOTA_NONE ? 0 : value < unit ? 1 : value / unit;
}

int quota_set(int fd, uint32_t project, const struct quota_limit *limit, struct err *e)
{
    struct fs_disk_quota quota = {
        .d_version = FS_DQUOT_VERSION,
        .d_flags = FS_PROJ_QUOTA,
        .d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT | FS_DQ_IHARD | FS_DQ_ISOFT,
        .d_id = project,
        .d_blk_hardlimit = from_limit(limit->bytes, UNIT),
        .d_ino_hardlimit = from_limit(limit->inodes, 1),
    };
    return quotactl_fd(fd, Q_XSETQLIM, project, &quota) < 0 ? err_errno(e, "set the quota") : 0;
}
