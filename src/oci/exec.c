/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a container (exec.h). Two processes: the first joins the namespaces, the second is made in them as a child of the command and
 * becomes casemate-enter. Both are not dumpable, so a container that has the right to trace finds nothing to look into (CVE-2016-9962).
 */
#include "oci/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/syscalls.h"
#include "oci/child.h"
#include "oci/create.h"
#include "oci/id_maps.h"
#include "oci/job.h"
#include "oci/rootless.h"
#include "oci/sync.h"
#include "oci/systemd.h"

enum joiner_message { JOINER_MADE = 1, JOINER_FAILED = 2 };

struct entering {
    const struct oci_container *container;
    const struct oci_exec *x;
    struct oci_cgroup cgroup;
    struct oci_cgroup_join join;
    struct filter *filter;
    int target;     /* pidfd of the container's first process */
    int namespaces; /* CLONE_NEW*: those that it has for itself */
    bool may_set_groups;
    int enter, job, sync, their_sync, pidfd, terminal;
};

static void entering_clear(struct entering *n)
{
    oci_cgroup_close(&n->cgroup);
    oci_cgroup_join_close(&n->join);
    free(n->filter);
    const int fds[] = {n->target, n->enter, n->job, n->sync, n->their_sync, n->pidfd, n->terminal};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The kernel refuses to join a user namespace that one is in. */
static bool shares(pid_t pid, const char *name)
{
    char theirs[64], ours[64];
    char target[64] = "", own[64] = "";
    (void)snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)pid, name);
    (void)snprintf(ours, sizeof(ours), "/proc/self/ns/%s", name);
    ssize_t a = readlink(theirs, target, sizeof(target) - 1);
    ssize_t b = readlink(ours, own, sizeof(own) - 1);
    return a > 0 && a == b && strncmp(target, own, (size_t)a) == 0;
}

static int find_namespaces(pid_t pid)
{
    static const struct {
        const char *name;
        int type;
    } all[] = {{"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},   {"pid", CLONE_NEWPID},
               {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC},  {"uts", CLONE_NEWUTS},
               {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};
    int types = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        types |= shares(pid, all[i].name) ? 0 : all[i].type;
    return types;
}

static int open_group(struct entering *n, struct err *e)
{
    struct oci_cgroup *g = &n->cgroup;
    int r = oci_cgroup_open(&n->container->cgroup, g, e);
    for (size_t i = 0; i < g->count && r == 0 && n->x->sub_group; i++) {
        int dir = g->all[i].dir < 0
                      ? -1
                      : path_open_beneath(g->all[i].dir, n->x->sub_group, O_RDONLY | O_DIRECTORY, 0, e);
        if (g->all[i].dir >= 0 && dir < 0)
            return err_wrap(e, "--cgroup");
        close_fd(&g->all[i].dir);
        g->all[i].dir = dir;
    }
    return r == 0 ? oci_cgroup_join_open(g, &n->join, e) : r;
}

static int prepare(struct entering *n, struct err *e)
{
    const struct oci_config *config = &n->container->config;
    int pair[2] = {-1, -1};
    n->namespaces = find_namespaces(n->container->pid);
    n->may_set_groups = oci_id_maps_allow_groups(&config->linux_part); /* before the id is another one */
    int r = open_group(n, e);
    if (r == 0)
        r = oci_filter(config, &n->filter, e);
    if (r == 0)
        r = (n->enter = oci_enter_open(e)) < 0 ? n->enter : 0;
    if (r == 0)
        r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    n->sync = pair[0];
    n->their_sync = fcntl(pair[1], F_DUPFD_CLOEXEC, 3 + (int)n->x->preserve_fds);
    close(pair[1]);
    const struct oci_job j = {
        .config = config,
        .process = n->x->process,
        .filter = n->filter,
        .listener = oci_filter_notifies(n->filter),
        .set_groups = n->may_set_groups,
        .sync = n->their_sync,
        .start = -1,
        .keep_fds = n->x->preserve_fds,
    };
    int job = n->their_sync < 0 ? err_errno(e, "descriptor") : oci_job_write(&j, NULL, e);
    n->job = job < 0 ? -1 : fcntl(job, F_DUPFD_CLOEXEC, 3 + (int)n->x->preserve_fds);
    if (job >= 0)
        close(job);
    return job < 0 ? job : n->job < 0 ? err_errno(e, "descriptor") : 0;
}

/* ---- inside ---- */

static int set_up(struct entering *n, struct err *e)
{
    const struct oci_process *p = n->x->process;
    struct oci_rootfs f = OCI_ROOTFS_INIT;
    int r = oci_cgroup_join_self(&n->join, e);
    if (r == 0)
        r = oci_sync_await(n->their_sync, e);
    if (r == 0 && setsid() < 0)
        r = err_errno(e, "setsid");
    if (r == 0 && p->terminal) {
        f.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = f.root < 0 ? err_errno(e, "open the container's root")
                       : oci_child_open_terminal(&f, p, n->their_sync, false, e);
        oci_rootfs_close(&f);
    }
    return r == 0 ? oci_child_give_streams(p, e) : r;
}

static _Noreturn void second_run(struct entering *n)
{
    struct err e = {0};
    if (set_up(n, &e) < 0)
        oci_sync_fail(n->their_sync, &e);
    oci_child_enter(n->their_sync, n->enter, n->job, -1);
}

static int join(const struct entering *n, struct err *e)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    if (n->namespaces && setns(n->target, n->namespaces) < 0)
        return err_errno(e, "join the container's namespaces");
    return n->namespaces & CLONE_NEWUSER ? oci_child_become_root(n->may_set_groups, e) : 0;
}

static _Noreturn void first_run(struct entering *n, int socket)
{
    struct err e = {0};
    int pidfd = -1;
    int r = join(n, &e);
    if (r == 0) {
        struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd};
        pid_t pid = sys_clone3(&args);
        if (pid == 0)
            second_run(n);
        r = pid < 0 ? err_errno(&e, "start a process in the container") : 0;
    }
    if (r == 0)
        (void)ipc_send(socket, JOINER_MADE, NULL, 0, &pidfd, 1, &e);
    else
        (void)ipc_send(socket, JOINER_FAILED, &e, sizeof(e), NULL, 0, &e);
    _exit(0);
}

/* ---- outside ---- */

static int hear_joiner(int socket, int *ret_pidfd, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_receive(socket, &m, e);
    if (r == 0)
        return err_set(e, ECHILD, "the process that enters the container has ended");
    if (r < 0)
        return r;
    if (m.type == JOINER_FAILED && ipc_expect(&m, JOINER_FAILED, sizeof(*e), 0, e) == 0) {
        memcpy(e, m.payload, sizeof(*e));
        return e->code > 0 ? -e->code : -EIO;
    }
    r = ipc_expect(&m, JOINER_MADE, 0, 1, e);
    *ret_pidfd = r < 0 ? -1 : ipc_take_fd(&m, 0);
    return r;
}

static int start(struct entering *n, struct oci_executed *ret, struct err *e)
{
    int pair[2] = {-1, -1};
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    pid_t joiner = fork();
    if (joiner < 0)
        return err_errno(e, "fork");
    if (joiner == 0) {
        close(n->sync);
        first_run(n, theirs);
    }
    close_fd(&theirs);
    close_fd(&n->their_sync);
    r = hear_joiner(ours, &n->pidfd, e);
    while (waitpid(joiner, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r == 0)
        r = proc_of_pidfd(n->pidfd, &ret->pid, e);
    if (r == 0)
        r = n->container->scope && oci_is_rootless()
                ? oci_scope_attach(n->container->scope, n->x->sub_group, true, ret->pid, e)
                : oci_cgroup_attach_unified(&n->cgroup, ret->pid, e);
    if (r == 0)
        r = oci_oom_score_set(ret->pid, &n->x->process->oom_score_adj, e);
    return r == 0 ? oci_sync_answer(n->sync, e) : r;
}

/* Until the program runs: the end of the conversation after READY. */
static int serve(struct entering *n, pid_t pid, int *ret_status, struct err *e)
{
    bool ready = false;
    for (;;) {
        enum enter_step step;
        _cleanup_close_ int fd = -1;
        int status = *ret_status;
        int r = oci_sync_receive(n->sync, &step, &fd, &status, e);
        if (r == 0)
            return ready ? 0 : err_set(e, ECHILD, "the process has ended before its program ran");
        if (r < 0) {
            *ret_status = status;
            return r;
        }
        if (step == ENTER_READY) {
            ready = true;
            continue;
        }
        if (step == ENTER_TERMINAL && fd >= 0 && n->x->console_socket)
            r = oci_console_send(n->x->console_socket, fd, e);
        else if (step == ENTER_TERMINAL && fd >= 0)
            n->terminal = steal_fd(&fd);
        else if (step == ENTER_NOTIFIES)
            r = oci_listener_send(n->container, pid, n->pidfd, status, e);
        if (r >= 0)
            r = oci_sync_answer(n->sync, e);
        if (r < 0)
            return r;
    }
}

static void abandon(struct entering *n)
{
    siginfo_t info;
    if (n->pidfd < 0)
        return;
    (void)sys_pidfd_send_signal(n->pidfd, SIGKILL);
    while (waitid(P_PIDFD, (id_t)n->pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
}

int oci_exec(const struct oci_container *c, const struct oci_exec *x, struct oci_executed *ret,
             int *ret_status, struct err *e)
{
    _cleanup_(entering_clear) struct entering n = {.container = c,
                                                   .x = x,
                                                   .target = -1,
                                                   .enter = -1,
                                                   .job = -1,
                                                   .sync = -1,
                                                   .their_sync = -1,
                                                   .pidfd = -1,
                                                   .terminal = -1};
    enum oci_status status = oci_container_status(c);
    *ret_status = 255;
    if (status == OCI_STOPPED || status == OCI_CREATING)
        return err_set(e, EINVAL, "cannot exec in a stopped container");
    if (status == OCI_PAUSED)
        return err_set(e, EINVAL, "cannot exec in a paused container");
    if (x->process->terminal && x->needs_console && !x->console_socket)
        return err_set(e, EINVAL, "a terminal for a command that does not stay needs --console-socket");
    n.target = oci_container_process(c, e);
    int r = n.target < 0 ? n.target : prepare(&n, e);
    if (r == 0)
        r = start(&n, ret, e);
    if (r == 0)
        r = serve(&n, ret->pid, ret_status, e);
    if (r == 0 && x->pid_file)
        r = oci_pid_file_write(x->pid_file, ret->pid, e);
    if (r < 0) {
        abandon(&n);
        return r;
    }
    ret->pidfd = steal_fd(&n.pidfd);
    ret->terminal = steal_fd(&n.terminal);
    return 0;
}
