/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining another container's user namespace (join.h). Two processes, as with exec (enter.c): the first takes what needs the host's rights,
 * joins, which takes them away, and makes the second, which it leaves to the supervisor.
 */
#include "runtime/join.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/ipc.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "runtime/first.h"
#include "runtime/fsmount.h"
#include "runtime/report.h"

#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWTIME)

enum join_message { JOIN_PROCESS = 1 };

/* A copy of the other container's /dev/shm, which can be made in its mount namespace only. What is there is what the kernel
 * says: the other container's root may have put anything in its place. */
static int clone_shm(int target, struct err *e)
{
    struct statfs fs;
    _cleanup_close_ int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (own < 0)
        return err_errno(e, "own mount namespace");
    if (setns(target, CLONE_NEWNS) < 0)
        return err_errno(e, "mount namespace of the other container");
    _cleanup_close_ int tree = fsmount_clone_at(AT_FDCWD, "/dev/shm", e);
    if (setns(own, CLONE_NEWNS) < 0)
        return err_errno(e, "own mount namespace");
    if (tree < 0)
        return tree;
    if (fstatfs(tree, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
        return err_set(e, ENOENT, "the other container has no /dev/shm (--ipc none?)");
    return steal_fd(&tree);
}

static int join(const struct spec *s, struct err *e)
{
    int namespaces = CLONE_NEWUSER | (s->share_pid ? CLONE_NEWPID : 0) | (s->share_ipc ? CLONE_NEWIPC : 0);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    if (setns(s->join, namespaces) < 0)
        return err_errno(e, "join the other container's namespaces");
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_errno(e, "become the container's root");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* the change of ids may have set it */
        return err_errno(e, "prctl");
    return 0;
}

static _Noreturn void helper_run(const struct runtime_start *start, const struct rootfs_parts *parts,
                                 struct cgroup_join *groups, int sync, int ours, int answer)
{
    const struct spec *s = start->spec;
    struct err e = {0};
    struct rootfs_parts own = *parts;
    int pidfd = -1;
    int r = 0;
    if (s->share_ipc)
        r = own.shm = clone_shm(s->join, &e);
    if (r >= 0)
        r = join(s, &e);
    if (r == 0) {
        struct clone_args args = {
            .flags = CLONE_PARENT | CLONE_PIDFD | OWN_NAMESPACES | (s->share_pid ? 0 : CLONE_NEWPID) |
                     (s->share_ipc ? 0 : CLONE_NEWIPC) | (s->share_network ? 0 : CLONE_NEWNET),
            .pidfd = (uint64_t)(uintptr_t)&pidfd,
        };
        pid_t pid = sys_clone3(&args);
        if (pid == 0) {
            close(ours);
            close(answer);
            first_run(start, &own, groups, sync);
        }
        r = pid < 0 ? err_errno(&e, "make the container's namespaces")
                    : ipc_send(answer, JOIN_PROCESS, NULL, 0, &pidfd, 1, &e);
    }
    if (r < 0)
        report_send(start->report_fd, RUNTIME_STATUS_ENGINE, &e);
    _exit(r < 0 ? 1 : 0);
}

static int await_process(int answer, int *ret_pidfd, pid_t *ret_pid, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_receive(answer, &m, e);
    if (r == 0)
        return err_set(e, ECHILD, "no process was started in the other container's namespaces");
    if (r > 0)
        r = ipc_expect(&m, JOIN_PROCESS, 0, 1, e);
    if (r < 0)
        return r;
    _cleanup_close_ int pidfd = ipc_take_fd(&m, 0);
    r = proc_of_pidfd(pidfd, ret_pid, e);
    if (r == 0)
        *ret_pidfd = steal_fd(&pidfd);
    return r;
}

int join_clone_first(const struct runtime_start *start, const struct rootfs_parts *parts,
                     struct cgroup_join *groups, int sync, int ours, int *ret_pidfd, pid_t *ret_pid,
                     struct err *e)
{
    int pair[2];
    struct clone_args args = {.exit_signal = SIGCHLD};
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    _cleanup_close_ int answer = pair[0];
    _cleanup_close_ int theirs = pair[1];
    pid_t pid = sys_clone3(&args);
    if (pid < 0)
        return err_errno(e, "fork");
    if (pid == 0) {
        close(pair[0]);
        helper_run(start, parts, groups, sync, ours, theirs);
    }
    close_fd(&theirs);
    r = await_process(answer, ret_pidfd, ret_pid, e);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return r;
}
