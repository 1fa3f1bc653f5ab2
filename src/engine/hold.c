/* SPDX-License-Identifier: Apache-2.0 */
/* Holding a file system (hold.h). The child is what the supervisor of a start is, up to the point where the program would run. */
#include "engine/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/ipc.h"
#include "base/syscalls.h"
#include "engine/compose.h"
#include "engine/observe.h"
#include "plan/policy.h"
#include "runtime/create.h"
#include "runtime/report.h"
#include "store/idpool.h"

enum hold_message { HOLD_NAMESPACES = 1 };

static int open_namespace(pid_t pid, const char *kind, struct err *e)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? err_errno(e, "open %s", path) : fd;
}

static int send_namespaces(int socket, pid_t pid, struct err *e)
{
    _cleanup_close_ int user = open_namespace(pid, "user", e);
    _cleanup_close_ int mount = user < 0 ? user : open_namespace(pid, "mnt", e);
    const int fds[2] = {user, mount};
    return mount < 0 ? mount : ipc_send(socket, HOLD_NAMESPACES, NULL, 0, fds, 2, e);
}

/* In the child: makes the first process, which waits for a word that never comes, and ends it when the caller lets go. */
static _Noreturn void hold(const struct spec *spec, const struct cgroup *group, int socket, int report_fd)
{
    struct err e = {0};
    struct runtime_process p = RUNTIME_PROCESS_INIT;
    char byte;
    (void)setsid(); /* an interrupt of the command is not for us: it ends, and then we do */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const struct runtime_start start = {
        .spec = spec, .cgroup = group, .stdio = {null, null, null}, .report_fd = report_fd, .announce = true};
    int r = null < 0 ? err_errno(&e, "open /dev/null") : runtime_create(&start, &p, &e);
    if (r == 0)
        r = runtime_await_ready(&p, &e);
    if (r == 0)
        r = send_namespaces(socket, p.pid, &e);
    if (r < 0)
        report_send(report_fd, RUNTIME_STATUS_ENGINE, &e);
    (void)close(report_fd);
    while (r == 0 && read(socket, &byte, 1) < 0 && errno == EINTR)
        ;
    if (p.pidfd >= 0) {
        siginfo_t info;
        (void)sys_pidfd_send_signal(p.pidfd, SIGKILL);
        while (waitid(P_PIDFD, (id_t)p.pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
    }
    _exit(r < 0);
}

/* The report of the first process says more than the end of the conversation. */
static int receive_namespaces(struct hold *h, int report_fd, struct err *e)
{
    static struct ipc_message m;
    struct runtime_report report;
    struct err silent = {0};
    int r = ipc_receive(h->socket, &m, e);
    if (r > 0)
        r = ipc_expect(&m, HOLD_NAMESPACES, 0, 2, e);
    else if (r == 0)
        r = err_set(e, ECHILD, "the process that holds the file system has ended");
    if (r == 0) {
        h->user_namespace = ipc_take_fd(&m, 0);
        h->mount_namespace = ipc_take_fd(&m, 1);
        return 0;
    }
    ipc_message_clear(&m);
    if (report_receive(report_fd, &report, &silent) > 0)
        return err_set(e, report.code ? report.code : EIO, "%s", report.text);
    return r;
}

static int start_holding(const struct spec *spec, const struct cgroup *group, struct hold *h, struct err *e)
{
    int pair[2];
    int report[2];
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    h->socket = pair[0];
    _cleanup_close_ int theirs = pair[1];
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int read_end = report[0];
    _cleanup_close_ int write_end = report[1];
    h->pid = fork();
    if (h->pid < 0)
        return err_errno(e, "fork");
    if (h->pid == 0) {
        (void)close(pair[0]);
        (void)close(read_end);
        hold(spec, group, theirs, write_end);
    }
    close_fd(&theirs);
    close_fd(&write_end);
    return receive_namespaces(h, read_end, e);
}

/* Whoever the container's user is, files are handled by its root, and nothing is started. */
static int compose(const struct store *s, const struct container *c, unsigned block, struct spec *spec,
                   struct err *e)
{
    int r = compose_spec(s, c, block, spec, e);
    if (r == 0) {
        spec->process.terminal = false;
        r = str_replace(&spec->process.user, "0:0", e);
    }
    return r;
}

int hold_open(const struct store *s, const struct container *c, struct hold *ret, struct err *e)
{
    _cleanup_spec_ struct spec spec;
    _cleanup_cgroup_ struct cgroup group = CGROUP_INIT;
    _cleanup_policy_ struct policy policy = {0};
    struct hold h = HOLD_INIT;
    spec_init(&spec);
    int block = idpool_claim(s, c->id, e);
    if (block < 0)
        return block;
    h.block = (unsigned)block;
    int r = policy_load(&policy, e);
    if (r == 0)
        r = compose(s, c, h.block, &spec, e);
    if (r == 0)
        r = cgroup_make(observe_cgroup_parent(), c->id, &spec.resources, policy_total_memory(&policy), &group,
                        e);
    if (r == 0)
        r = start_holding(&spec, &group, &h, e);
    if (r < 0) {
        hold_close(s, c, &h);
        return err_wrap(e, "mount the files of container %s", c->plan.name ? c->plan.name : c->id);
    }
    *ret = h;
    return 0;
}

void hold_close(const struct store *s, const struct container *c, struct hold *h)
{
    struct err ignored = {0};
    close_fd(&h->user_namespace);
    close_fd(&h->mount_namespace);
    close_fd(&h->socket);
    if (h->pid > 0)
        while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    if (h->block) {
        (void)cgroup_remove(observe_cgroup_parent(), c->id, &ignored);
        (void)idpool_release(s, h->block, c->id, &ignored);
    }
    *h = (struct hold)HOLD_INIT;
}
