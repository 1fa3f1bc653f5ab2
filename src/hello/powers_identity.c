/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers over identities and the owners of files (contract: try_powers.h). Files are made in the private directory only.
 */
#include "hello/try_powers.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OTHER_ID 1
#define MEMORY_MAJOR 1
#define NULL_MINOR 3

static bool file_create(const char *path, mode_t mode)
{
    if (!path)
        return false;
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    return fd >= 0;
}

static long try_setuid(const void *unused)
{
    (void)unused;
    return setresuid(OTHER_ID, OTHER_ID, OTHER_ID) == 0;
}

static long try_setgid(const void *unused)
{
    (void)unused;
    return setresgid(OTHER_ID, OTHER_ID, OTHER_ID) == 0;
}

static long try_setgroups(const void *unused)
{
    (void)unused;
    static const gid_t group = OTHER_ID;
    return setgroups(1, &group) == 0;
}

static long try_chown(const void *unused)
{
    (void)unused;
    const char *path = power_file("chown");
    return file_create(path, 0600) && chown(path, OTHER_ID, OTHER_ID) == 0;
}

/* A file that nobody may read, not even its owner. */
static long try_dac_override(const void *unused)
{
    (void)unused;
    const char *path = power_file("unreadable");
    if (!file_create(path, 0))
        return 0;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

/* File capabilities, an empty set of them. */
static long try_file_capability(const void *unused)
{
    (void)unused;
    const char *path = power_file("capable");
    static const struct vfs_cap_data none = {.magic_etc = VFS_CAP_REVISION_2};
    return file_create(path, 0600) && setxattr(path, "security.capability", &none, sizeof(none), 0) == 0;
}

/* The null device, in a directory that nobody else can enter. */
static long try_mknod(const void *unused)
{
    (void)unused;
    const char *path = power_file("null");
    return path && mknod(path, S_IFCHR | 0600, makedev(MEMORY_MAJOR, NULL_MINOR)) == 0;
}

/* Opens the root directory by its handle: the way around every path. */
static long try_open_by_handle(const void *unused)
{
    (void)unused;
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } u = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount_id;
    _cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || name_to_handle_at(root, "", &u.handle, &mount_id, AT_EMPTY_PATH) < 0)
        return 0;
    _cleanup_close_ int fd = open_by_handle_at(root, &u.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0;
}

struct powers powers_identity(void)
{
    static const struct power list[] = {
        {"setuid_other", try_setuid},       {"setgid_other", try_setgid},
        {"setgroups", try_setgroups},       {"chown_other", try_chown},
        {"dac_override", try_dac_override}, {"file_capability", try_file_capability},
        {"mknod_device", try_mknod},        {"open_by_handle", try_open_by_handle},
    };
    return (struct powers){list, ARRAY_SIZE(list)};
}
