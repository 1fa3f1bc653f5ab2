/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What casemate-unpack may still do (sandbox.h). It already is in a user namespace whose ids are the neutral range, without
 * network. Here: an empty root in a mount namespace of its own, Landlock (only the target directory), four capabilities
 * over files of the neutral range, the system-call filter.
 */
#include "workers/unpack/sandbox.h"

#include <linux/capability.h>

#include "base/sandbox.h"
#include "base/syscalls.h"

#define CAP_BIT(cap) (1ULL << (cap))

/* The mount point is covered; any directory serves, and this one is on every system. */
#define COVERED "/proc"

static int enter_empty_root(struct err *e)
{
    if (unshare(CLONE_NEWNS) < 0)
        return err_errno(e, "new mount namespace");
    if (mount("empty", COVERED, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555") <
        0)
        return err_errno(e, "mount an empty root");
    if (chdir(COVERED) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return err_errno(e, "enter an empty root");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return err_errno(e, "make the empty root read-only");
    return 0;
}

int sandbox_enter_unpack(int root_fd, struct err *e)
{
    const int writable[] = {root_fd, -1};
    const struct sandbox_profile profile = {
        .writable_dirs = writable,
        .keep_caps = root_fd < 0 ? 0
                                 : CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |
                                       CAP_BIT(CAP_FSETID),
    };
    int r = enter_empty_root(e);
    if (r < 0 && sandbox_landlock_abi() == 0) /* one of the two keeps it from the files of the host */
        return err_wrap(e, "enter the sandbox");
    r = sandbox_enter(&profile, e);
    if (r < 0)
        return r;
    return sandbox_filter("unpack", e);
}
