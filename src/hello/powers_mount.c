/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers over namespaces and mounts (contract: try_powers.h). The mount calls name paths that do not exist: the kernel asks for the
 * privilege first, so ENOENT means that it was there.
 */
#include "hello/try_powers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/raw_syscall.h"

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

#define OPEN_TREE_CLONE_FLAG 1

static long try_userns_unshare(const void *unused)
{
    (void)unused;
    return unshare(CLONE_NEWUSER) == 0;
}

/* clone3 carries its flags in memory, where a filter cannot see them. */
static long try_userns_clone3(const void *unused)
{
    (void)unused;
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = raw(SYS_clone3, (long)(intptr_t)&arguments, sizeof(arguments));
    if (pid == 0)
        raw(SYS_exit_group, 0);
    if (pid > 0)
        (void)waitpid((pid_t)pid, NULL, 0);
    return pid > 0;
}

static long try_mountns(const void *unused)
{
    (void)unused;
    return unshare(CLONE_NEWNS) == 0;
}

static long try_netns(const void *unused)
{
    (void)unused;
    return unshare(CLONE_NEWNET) == 0;
}

/* Joins the namespace that it is in. */
static long try_setns(const void *unused)
{
    (void)unused;
    _cleanup_close_ int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && setns(fd, CLONE_NEWUTS) == 0;
}

static long try_mount(const void *unused)
{
    (void)unused;
    return mount(POWER_NO_PATH, "/", NULL, MS_BIND, NULL) < 0 && errno == ENOENT;
}

static long try_pivot_root(const void *unused)
{
    (void)unused;
    static const char path[] = POWER_NO_PATH;
    return raw(SYS_pivot_root, (long)(intptr_t)path, (long)(intptr_t)path) == -ENOENT;
}

/* Flags that do not exist are refused after the privilege was checked. */
static long try_fsopen(const void *unused)
{
    (void)unused;
    static const char type[] = "tmpfs";
    return raw(SYS_fsopen, (long)(intptr_t)type, 0xffff) == -EINVAL;
}

static long try_open_tree(const void *unused)
{
    (void)unused;
    static const char path[] = POWER_NO_PATH;
    return raw(SYS_open_tree, AT_FDCWD, (long)(intptr_t)path, OPEN_TREE_CLONE_FLAG) == -ENOENT;
}

static long try_chroot(const void *unused)
{
    (void)unused;
    return chroot("/") == 0;
}

struct powers powers_mount(void)
{
    static const struct power list[] = {
        {"userns_unshare", try_userns_unshare},
        {"userns_clone3", try_userns_clone3},
        {"mount_namespace", try_mountns},
        {"net_namespace", try_netns},
        {"setns", try_setns},
        {"mount", try_mount},
        {"pivot_root", try_pivot_root},
        {"fsopen", try_fsopen},
        {"open_tree_clone", try_open_tree},
        {"chroot", try_chroot},
    };
    return (struct powers){list, ARRAY_SIZE(list)};
}
