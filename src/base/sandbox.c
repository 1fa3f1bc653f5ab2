/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox that a worker enters by itself (sandbox.h). */
#include "base/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

/* Rights by Landlock ABI (linux/landlock.h; Debian 12's header ends at ABI 2, so later ones by number). */
#define FS_ABI1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_CONNECT 3ULL
#define SCOPE_ABSTRACT_AND_SIGNAL 3ULL

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_DEVICE_NODES (LANDLOCK_ACCESS_FS_MAKE_BLOCK)

int sandbox_landlock_abi(void)
{
    int abi = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : abi;
}

static int drop_capabilities(uint64_t keep, struct err *e)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EPERM)
            return err_errno(e, "drop capability %d", cap);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
        {.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
    };
    if (syscall(SYS_capset, &header, data) < 0)
        return err_errno(e, "capset");
    return 0;
}

static int add_rule(int ruleset, int fd, uint64_t access, struct err *e)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    return sys_landlock_add_path(ruleset, &rule) < 0 ? err_errno(e, "landlock rule") : 0;
}

static uint64_t fs_rights(int abi)
{
    return FS_ABI1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

/* Landlock refuses rights of directories on a file. */
static uint64_t readable_rights(int fd)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
    int probe = sys_openat2(fd, ".", &how);
    if (probe < 0)
        return LANDLOCK_ACCESS_FS_READ_FILE;
    close(probe);
    return FS_READ;
}

static int restrict_files(const struct sandbox_profile *p, struct err *e)
{
    int abi = sandbox_landlock_abi();
    if (abi == 0)
        return 0;
    uint64_t rights = fs_rights(abi);
    struct landlock_rules attr = {.handled_fs = rights};
    size_t size = 8;
    if (abi >= 4) {
        size = 16;
        attr.handled_net = p->allow_tcp ? 0 : NET_BIND_CONNECT;
    }
    if (abi >= 6) {
        size = 24;
        attr.scoped = SCOPE_ABSTRACT_AND_SIGNAL;
    }
    _cleanup_close_ int ruleset = sys_landlock_create_ruleset(&attr, size, 0);
    if (ruleset < 0)
        return err_errno(e, "landlock ruleset");
    for (const struct sandbox_path *r = p->readable; r && r->path; r++) {
        _cleanup_close_ int fd = open(r->path, O_PATH | O_CLOEXEC);
        int result = fd < 0 ? 0 : add_rule(ruleset, fd, readable_rights(fd), e);
        if (result < 0)
            return result;
    }
    for (const int *d = p->readable_fds; d && *d >= 0; d++) {
        int result = add_rule(ruleset, *d, readable_rights(*d), e);
        if (result < 0)
            return result;
    }
    for (const int *d = p->writable_dirs; d && *d >= 0; d++) {
        int result =
            add_rule(ruleset, *d, rights & ~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | FS_DEVICE_NODES), e);
        if (result < 0)
            return result;
    }
    if (sys_landlock_restrict_self(ruleset) < 0)
        return err_errno(e, "landlock");
    return 0;
}

/* The mount point is covered; any directory serves, and this one is on every system. */
#define COVERED "/proc"

int sandbox_enter_empty_root(struct err *e)
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

int sandbox_enter(const struct sandbox_profile *profile, struct err *e)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    int r = restrict_files(profile, e);
    if (r == 0)
        r = drop_capabilities(profile->keep_caps, e);
    return r < 0 ? err_wrap(e, "enter the sandbox") : 0;
}
