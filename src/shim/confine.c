/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's own cage. The supervisor has given up the privileges before it executed the shim; here that is verified, and
 * then everything else that a shim does not need goes: files but its own directory, and system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccomp/tables.h"
#include "shim/shim.h"

/* Rights by Landlock ABI (linux/landlock.h; Debian 12's header ends at ABI 2, so later ones by number). */
#define FS_ABI1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_CONNECT 3ULL
/* Not signals: the kernel sends the container's parent-death signal in the shim's name, under the shim's rights. */
#define SCOPE_ABSTRACT_SOCKETS 1ULL
#define FS_MAKE_FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define FS_OWN_DIR                                                                \
    (FS_MAKE_FILES | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* linux/landlock.h as of 6.12. */
struct ruleset_attr {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

int confine_check(void)
{
    if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0)
        return -EPERM;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        if (data[i].effective || data[i].permitted || data[i].inheritable)
            return -EPERM;
    return 0;
}

static int add_rule(int ruleset, int dir, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = dir};
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) < 0 ? -errno : 0;
}

/* A directory below which files may be used, and how. fd < 0: there is none. */
struct place {
    int fd;
    uint64_t rights;
};

static int restrict_files(const struct place *places, size_t count)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return 0; /* a kernel without Landlock */
    struct ruleset_attr attr = {
        .handled_fs = FS_ABI1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
                      (abi >= 5 ? FS_IOCTL_DEV : 0),
        .handled_net = abi >= 4 ? NET_BIND_CONNECT : 0,
        .scoped = abi >= 6 ? SCOPE_ABSTRACT_SOCKETS : 0,
    };
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0U);
    if (ruleset < 0)
        return -errno;
    for (size_t i = 0; i < count; i++) {
        int r = places[i].fd < 0 ? 0 : add_rule(ruleset, places[i].fd, places[i].rights & attr.handled_fs);
        if (r < 0)
            return r;
    }
    return syscall(SYS_landlock_restrict_self, ruleset, 0U) < 0 ? -errno : 0;
}

static int confine(const char *filter_name, const struct place *places, size_t count)
{
    static const struct rlimit no_core = {0, 0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &no_core) < 0)
        return -errno;
    int r = restrict_files(places, count);
    if (r < 0)
        return r;
    const struct filter *filter = filter_find(filter_name);
    return filter ? filter_install(filter) : -ENOENT;
}

int confine_enter(void)
{
    /* /dev/null instead of the directory: there is no mark to leave. */
    struct stat st;
    bool marks = fstat(SHIM_FD_EXITED, &st) == 0 && S_ISDIR(st.st_mode);
    const struct place places[] = {
        {SHIM_FD_DIR, FS_OWN_DIR | FS_TRUNCATE},
        {marks ? SHIM_FD_EXITED : -1, FS_MAKE_FILES},
    };
    return confine("shim", places, ARRAY_SIZE(places));
}

int confine_notice(void)
{
    const struct place places[] = {
        {SHIM_FD_DIR, FS_MAKE_FILES},
        {SHIM_FD_PROC, LANDLOCK_ACCESS_FS_READ_FILE},
    };
    return confine("notice", places, ARRAY_SIZE(places));
}
