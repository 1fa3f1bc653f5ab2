/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that cannot hold the store (fitness.h), by linux/magic.h. */
#include "base/fitness.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/dirs.h"

#define CIFS_MAGIC 0xff534d42 /* fs/smb/client/cifs_fs_sb.h */

static const struct {
    unsigned long magic;
    const char *what;
} unfit[] = {
    {OVERLAYFS_SUPER_MAGIC, "an overlay (inside another container?), and an overlay cannot write to another"},
    {NFS_SUPER_MAGIC, "NFS, which keeps the owners of the server only"},
    {CIFS_MAGIC, "a Windows share, which keeps no owners"},
    {V9FS_MAGIC, "a share of a virtual machine, which keeps no owners"},
    {FUSE_SUPER_MAGIC, "FUSE, which keeps no owners that are not its user's"},
    {MSDOS_SUPER_MAGIC, "FAT, which keeps no owners"},
    {TMPFS_MAGIC, "a tmpfs, whose owners Linux before 6.3 cannot map"},
};

int fitness_explain(int fd, int r, struct err *e)
{
    struct statfs fs;
    if (r >= 0 || fstatfs(fd, &fs) < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
        if ((unsigned long)fs.f_type == unfit[i].magic)
            return err_set(
                e, -r,
                "the data root %s is on %s: put it on ext4, xfs or btrfs of this machine (a volume there, or "
                "CASEMATE_ROOT)",
                dirs_data_root(), unfit[i].what);
    return r;
}
