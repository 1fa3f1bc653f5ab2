/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process in a running container (enter.h). Two processes: the first joins (it keeps the host's process ids and ends at once),
 * the second lives in the container's process namespace, as a child of the caller.
 */
#include "runtime/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "runtime/cgroup_join.h"
#include "runtime/create.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/terminal.h"

#define NAMESPACES                                                                             \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
     CLONE_NEWCGROUP | CLONE_NEWTIME)

enum enter_message { ENTER_PROCESS = 1, ENTER_TERMINAL = 2, ENTER_GO = 3 };

/* In the container, as its root: opens the terminal and hands the master to the caller. */
static int give_terminal(int root_fd, uid_t owner, int sync, struct err *e)
{
    unsigned number;
    _cleanup_close_ int slave = -1;
    _cleanup_close_ int pts = path_open_in_root(root_fd, "/dev/pts", O_PATH | O_DIRECTORY, 0, e);
    if (pts < 0)
        return pts;
    _cleanup_close_ int master = terminal_open(pts, owner, &slave, &number, e);
    if (master < 0)
        return master;
    int r = terminal_take(slave, e);
    return r < 0 ? r : ipc_send(sync, ENTER_TERMINAL, NULL, 0, &master, 1, e);
}

/* The caller moves us into the container's unified control group meanwhile, where we were not born there. */
static int await_go(int sync, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_receive(sync, &m, e);
    if (r == 0)
        return err_set(e, ECHILD, "the command that wanted this process has ended");
    return r < 0 ? r : ipc_expect(&m, ENTER_GO, 0, 0, e);
}

static _Noreturn void second_run(const struct runtime_enter *x, struct cgroup_join *groups, int sync)
{
    struct err e = {0};
    static struct user_identity who;
    /* Only now that the process exists: a container at its process limit takes one that joins, and would refuse a fork. */
    int r = cgroup_join_self(groups, &e);
    int root = r < 0 ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (r == 0 && root < 0)
        r = err_errno(&e, "open the container's root");
    if (r == 0 && setsid() < 0)
        r = err_errno(&e, "setsid");
    if (r == 0)
        r = user_resolve(root, x->process->user, &x->process->groups, &who, &e);
    if (r == 0)
        r = x->process->terminal ? give_terminal(root, who.uid, sync, &e)
                                 : process_take_pipes(x->stdio, &who, &e);
    if (r == 0)
        r = await_go(sync, &e);
    if (r < 0) {
        report_send(x->report_fd, RUNTIME_STATUS_ENGINE, &e);
        _exit(RUNTIME_STATUS_ENGINE);
    }
    const struct process_context context = {.process = x->process,
                                            .identity = &who,
                                            .root_fd = root,
                                            .writable = x->writable,
                                            .notice = -1,
                                            .report_fd = x->report_fd};
    process_become(&context);
}

/* The container's user may have as many processes as it is allowed already, or more than our caller is: the kernel would refuse the
 * fork that is still to come. */
static void forget_process_limit(const struct runtime_enter *x)
{
    struct rlimit now;
    process_raise_rlimits(x->process);
    if (getrlimit(RLIMIT_NPROC, &now) == 0) {
        now.rlim_cur = now.rlim_max;
        (void)setrlimit(RLIMIT_NPROC, &now);
    }
}

/* Everything that needs the host's rights comes first; joining takes them away. */
static int join(const struct runtime_enter *x, struct err *e)
{
    forget_process_limit(x);
    int r = process_set_rlimits(x->process, e);
    if (r == 0) {
        _cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = self < 0 ? err_errno(e, "open /proc/self")
                     : io_write_existingf_at(self, "oom_score_adj", e, "%d", x->oom_score_adj);
    }
    if (r < 0)
        return r;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    if (setns(x->target, NAMESPACES) < 0)
        return err_errno(e, "join the container's namespaces");
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_errno(e, "become the container's root");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* the change of ids may have set it */
        return err_errno(e, "prctl");
    return 0;
}

static _Noreturn void first_run(const struct runtime_enter *x, struct cgroup_join *groups, int sync)
{
    struct err e = {0};
    int pidfd = -1;
    int r = join(x, &e);
    if (r == 0) {
        struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd};
        pid_t pid = sys_clone3(&args);
        if (pid == 0)
            second_run(x, groups, sync);
        r = pid < 0 ? err_errno(&e, "start a process in the container")
                    : ipc_send(sync, ENTER_PROCESS, NULL, 0, &pidfd, 1, &e);
    }
    if (r < 0)
        report_send(x->report_fd, RUNTIME_STATUS_ENGINE, &e);
    _exit(r < 0 ? 1 : 0);
}

/* Whether the joining process may be born in the container's unified group, which costs no grace period (cgroup_join.h): it must not
 * count against the container's process limit. */
static bool may_be_born_there(const struct cgroup *g)
{
    return g->unified >= 0 && g->dirs[CGROUP_PIDS] >= 0;
}

static pid_t clone_joiner(const struct cgroup *g)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    if (may_be_born_there(g)) {
        args.flags = CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)g->unified;
    }
    return sys_clone3(&args);
}

/* Lets the process go on when it is where it belongs. */
static int confine(const struct runtime_enter *x, int pidfd, int sync, struct err *e)
{
    pid_t pid;
    int r = 0;
    if (!may_be_born_there(x->cgroup))
        r = proc_of_pidfd(pidfd, &pid, e);
    if (r == 0 && !may_be_born_there(x->cgroup))
        r = cgroup_attach_unified(x->cgroup, pid, e);
    return r < 0 ? r : ipc_send(sync, ENTER_GO, NULL, 0, NULL, 0, e);
}

/* Up to two messages, in either order; the end of file means that there will be no more. */
static int collect(int sync, bool terminal, int *pidfd, int *master, struct err *e)
{
    static struct ipc_message m;
    while (*pidfd < 0 || (terminal && *master < 0)) {
        int r = ipc_receive(sync, &m, e);
        if (r < 0)
            return r;
        if (r == 0)
            return *pidfd < 0 ? err_set(e, ECHILD, "no process was started in the container") : 0;
        if (ipc_expect(&m, ENTER_PROCESS, 0, 1, e) == 0)
            *pidfd = ipc_take_fd(&m, 0);
        else if (ipc_expect(&m, ENTER_TERMINAL, 0, 1, e) == 0)
            *master = ipc_take_fd(&m, 0);
        else
            return -EBADMSG;
    }
    return 0;
}

int runtime_enter(const struct runtime_enter *x, int *ret_pidfd, int *ret_terminal, struct err *e)
{
    int pair[2] = {-1, -1};
    int pidfd = -1;
    int master = -1;
    int r = x->process->terminal ? 0 : runtime_give_stdio(x->stdio, x->block_first, e);
    _cleanup_cgroup_join_ struct cgroup_join groups = CGROUP_JOIN_INIT;
    if (r == 0)
        r = cgroup_join_open(x->cgroup, &groups, e);
    if (r == 0)
        r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    pid_t pid = clone_joiner(x->cgroup);
    if (pid < 0)
        return err_errno(e, "fork");
    if (pid == 0) {
        close(pair[0]);
        first_run(x, &groups, theirs);
    }
    close_fd(&theirs);
    r = collect(ours, x->process->terminal, &pidfd, &master, e);
    if (r == 0)
        r = confine(x, pidfd, ours, e);
    if (r < 0 && pidfd >= 0)
        (void)sys_pidfd_send_signal(pidfd, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r < 0) {
        close_fd(&pidfd);
        close_fd(&master);
        return r;
    }
    *ret_pidfd = pidfd;
    *ret_terminal = master;
    return 0;
}
