/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a process in namespaces (namespaces.h). New namespaces come with clone3(2). When some are joined, a process in between joins them and
 * makes the other one as a child of the command (CLONE_PARENT): the command itself stays where hooks have to run.
 */
#include "oci/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/syscalls.h"

/* The user namespace first: the others are made in it or are its. */
static const int order[] = {CLONE_NEWUSER, CLONE_NEWIPC,    CLONE_NEWUTS,  CLONE_NEWNET,
                            CLONE_NEWPID,  CLONE_NEWCGROUP, CLONE_NEWTIME, CLONE_NEWNS};

void oci_namespaces_close(struct oci_namespaces *n)
{
    for (size_t i = 0; i < n->joined_count; i++)
        close_fd(&n->joined[i]);
    n->joined_count = 0;
}

static int open_one(const struct oci_namespace *n, struct err *e)
{
    const char *type = schema_choice_name(oci_namespace_types, n->type);
    _cleanup_close_ int fd = open(n->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(e, "linux.namespaces: %s namespace %s", type, n->path);
    int found = ioctl(fd, NS_GET_NSTYPE);
    if (found != n->type)
        return err_set(e, EINVAL, "linux.namespaces: %s is not a %s namespace", n->path, type);
    return steal_fd(&fd);
}

int oci_namespaces_open(const struct oci_config *c, struct oci_namespaces *ret, struct err *e)
{
    struct oci_namespaces n = {0};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const struct oci_namespace *wanted = oci_config_namespace(c, order[i]);
        if (!wanted)
            continue;
        if (!str_set(wanted->path)) {
            n.made |= order[i] == CLONE_NEWCGROUP ? 0 : order[i];
            continue;
        }
        int fd = open_one(wanted, e);
        if (fd < 0) {
            oci_namespaces_close(&n);
            return fd;
        }
        n.types[n.joined_count] = order[i];
        n.joined[n.joined_count++] = fd;
    }
    n.offsets = n.made & CLONE_NEWTIME && c->linux_part.time_offsets.count > 0;
    *ret = n;
    return 0;
}

/* One that is joined already, like the user namespace of a caller that is in it, is refused by the kernel with EINVAL. */
static bool is_own(int fd, int type)
{
    static const struct {
        int type;
        const char *name;
    } files[] = {{CLONE_NEWUSER, "user"}, {CLONE_NEWNS, "mnt"}};
    struct stat theirs, ours;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", files[i].name);
        if (files[i].type == type && fstat(fd, &theirs) == 0 && stat(path, &ours) == 0)
            return theirs.st_ino == ours.st_ino;
    }
    return false;
}

/* Files in /proc of a process that is not dumpable are the host's root's: an ordinary user could not write the maps. Nobody else is in the new
 * user namespace meanwhile, and processes of the joined ones have no rights over one outside of them. */
bool oci_namespaces_need_maps_of_user(const struct oci_namespaces *n)
{
    return geteuid() != 0 && n->made & CLONE_NEWUSER;
}

static int join_all(const struct oci_namespaces *n, struct err *e)
{
    for (size_t i = 0; i < n->joined_count; i++) {
        if (is_own(n->joined[i], n->types[i]))
            continue;
        if (setns(n->joined[i], n->types[i]) < 0)
            return err_errno(e, "join the %s namespace",
                             schema_choice_name(oci_namespace_types, n->types[i]));
        if (n->types[i] == CLONE_NEWUSER && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
            return err_errno(e, "become root of the user namespace");
    }
    if (oci_namespaces_need_maps_of_user(n))
        return 0;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_errno(e, "prctl") : 0;
}

/* Only children live in a new time namespace, and only before the first one its offsets can be set. */
static int make_time(const struct oci_config *c, struct err *e)
{
    const struct schema_list *offsets = &c->linux_part.time_offsets;
    _cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (unshare(CLONE_NEWTIME) < 0)
        return err_errno(e, "make a time namespace");
    for (size_t i = 0; i < offsets->count; i++) {
        const struct oci_time_offset *o = OCI_ITEM(offsets, struct oci_time_offset, i);
        int r = io_write_existingf_at(self, "timens_offsets", e, "%s %" PRId64 " %" PRId64, o->key,
                                      o->secs.value, o->nanosecs.value);
        if (r < 0)
            return err_wrap(e, "linux.timeOffsets.%s", o->key);
    }
    return 0;
}

static pid_t clone_here(const struct oci_namespaces *n, uint64_t flags, int cgroup, int *pidfd)
{
    struct clone_args args = {
        .flags = flags | CLONE_PIDFD | (uint64_t)(unsigned)(n->made & ~(n->offsets ? CLONE_NEWTIME : 0)),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
    };
    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    return sys_clone3(&args);
}

/* The process in between: its message is the pidfd of the one that it has made. */
static pid_t run_between(const struct oci_config *c, const struct oci_namespaces *n, int cgroup, int socket)
{
    struct err e = {0};
    int pidfd = -1;
    int r = join_all(n, &e);
    if (r == 0 && n->offsets)
        r = make_time(c, &e);
    pid_t pid = r < 0 ? -1 : clone_here(n, CLONE_PARENT, cgroup, &pidfd);
    if (pid == 0)
        return 0;
    if (r == 0 && pid < 0)
        err_errno(&e, "make the container's namespaces");
    if (pid > 0)
        (void)ipc_send(socket, 1, NULL, 0, &pidfd, 1, &e);
    else
        (void)ipc_send(socket, 2, &e, sizeof(e), NULL, 0, &e);
    _exit(0);
}

static pid_t hear_between(int socket, int *ret_pidfd, struct err *e)
{
    static struct ipc_message m;
    struct err failed;
    int r = ipc_receive(socket, &m, e);
    if (r == 0)
        return err_set(e, ECHILD, "the process that makes the container's has ended");
    if (r < 0)
        return r;
    if (m.type == 2 && ipc_expect(&m, 2, sizeof(failed), 0, e) == 0) {
        memcpy(e, m.payload, sizeof(*e));
        return e->code > 0 ? -e->code : -EIO;
    }
    r = ipc_expect(&m, 1, 0, 1, e);
    if (r < 0)
        return r;
    *ret_pidfd = ipc_take_fd(&m, 0);
    pid_t pid = -1;
    r = proc_of_pidfd(*ret_pidfd, &pid, e);
    return r < 0 ? r : pid;
}

pid_t oci_namespaces_clone(const struct oci_config *c, const struct oci_namespaces *n, int cgroup,
                           int *ret_pidfd, struct err *e)
{
    int pair[2] = {-1, -1};
    if (n->joined_count == 0 && !n->offsets) {
        pid_t pid = clone_here(n, 0, cgroup, ret_pidfd);
        return pid < 0 ? err_errno(e, "make the container's namespaces (is user.max_user_namespaces 0?)")
                       : pid;
    }
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    pid_t between = fork();
    if (between < 0)
        return err_errno(e, "fork");
    if (between == 0)
        return run_between(c, n, cgroup, theirs);
    close_fd(&theirs);
    pid_t pid = hear_between(ours, ret_pidfd, e);
    while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
        ;
    return pid;
}
