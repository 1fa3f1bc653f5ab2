/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's first process (first.h): has all rights in its own namespaces and none outside; builds the view, learns who the
 * user is, and becomes the program. Not dumpable until the exec, so nothing can look into it.
 */
#include "runtime/first.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/ipc.h"
#include "base/syscalls.h"
#include "runtime/fsmount.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/terminal.h"

static struct ipc_message message; /* too large for the stack of a comfortable reader */

static int await(int sync, uint16_t type, size_t fds, struct err *e)
{
    int r = ipc_receive(sync, &message, e);
    if (r == 0)
        _exit(RUNTIME_STATUS_ENGINE); /* the supervisor is gone: so are we */
    return r < 0 ? r : ipc_expect(&message, type, 0, fds, e);
}

static int become_root(struct err *e)
{
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_errno(e, "become the container's root");
    /* after the change of ids, which clears the one and raises the other */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    if (unshare(CLONE_NEWCGROUP) < 0)
        return err_errno(e, "make a cgroup namespace");
    if (setsid() < 0)
        return err_errno(e, "setsid");
    return 0;
}

static int raise_loopback(struct err *e)
{
    struct ifreq request = {.ifr_name = "lo"};
    _cleanup_close_ int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return err_errno(e, "socket");
    if (ioctl(s, SIOCGIFFLAGS, &request) < 0)
        return err_errno(e, "loopback interface");
    request.ifr_flags |= IFF_UP;
    return ioctl(s, SIOCSIFFLAGS, &request) < 0 ? err_errno(e, "loopback interface") : 0;
}

static int name_host(const struct spec *s, struct err *e)
{
    if (s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
        return err_errno(e, "set host name %s", s->hostname);
    if (s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
        return err_errno(e, "set domain name %s", s->domainname);
    return 0;
}

static int add_mounts(const struct spec *s, const struct rootfs_parts *parts, struct rootfs *f,
                      const struct user_identity *who, int sync, struct err *e)
{
    bool asked = false;
    bool fills = spec_fills(s);
    int kept = fills ? rootfs_keep_image(f, e) : 0;
    if (kept < 0)
        return kept;
    for (size_t i = 0; i < s->mount_count; i++) {
        const struct spec_mount *m = &s->mounts[i];
        _cleanup_close_ int owned = -1;
        int tree = parts->mounts[i];
        int r = 0;
        if (m->kind == SPEC_MOUNT_BIND && m->ids == SPEC_IDS_OWNER) {
            const struct report_identity id = {who->uid, who->gid};
            r = asked ? 0 : ipc_send(sync, REPORT_IDENTITY, &id, sizeof(id), NULL, 0, e);
            asked = true;
            if (r == 0)
                r = await(sync, REPORT_BINDS, 1, e);
            if (r == 0)
                tree = owned = ipc_take_fd(&message, 0);
        }
        if (r == 0)
            r = rootfs_add_mount(f, m, tree, e);
        if (r < 0)
            return r;
    }
    close_fd(&f->image);
    return fills ? ipc_send(sync, REPORT_FILLED, NULL, 0, NULL, 0, e) : 0;
}

/* The slave becomes the terminal and /dev/console, the master goes to the supervisor. */
static int open_terminal(const struct rootfs *f, const struct user_identity *who, int sync, struct err *e)
{
    char name[16];
    unsigned number = 0;
    _cleanup_close_ int slave = -1;
    _cleanup_close_ int master = terminal_open(f->pts, who->uid, &slave, &number, e);
    if (master < 0)
        return master;
    (void)snprintf(name, sizeof(name), "%u", number);
    _cleanup_close_ int console =
        openat(f->dev, "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (console < 0)
        return err_errno(e, "make /dev/console");
    _cleanup_close_ int tree = fsmount_clone_at(f->pts, name, e);
    int r = tree < 0 ? tree : fsmount_attach(tree, console, e);
    if (r < 0)
        return err_wrap(e, "/dev/console");
    r = terminal_take(slave, e);
    return r < 0 ? r : ipc_send(sync, REPORT_TERMINAL, NULL, 0, &master, 1, e);
}

/* Where a read-only root may still be written: what was mounted for that. */
static int list_writable(const struct spec *s, struct str_list *list, struct err *e)
{
    for (size_t i = 0; i < s->text_count; i++) {
        int r = str_list_add(list, s->texts[i].target, e);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < s->mount_count; i++)
        if (!(s->mounts[i].attr & MOUNT_ATTR_RDONLY)) {
            int r = str_list_add(list, s->mounts[i].target, e);
            if (r < 0)
                return r;
        }
    return 0;
}

static int set_up(const struct runtime_start *start, const struct rootfs_parts *parts,
                  struct cgroup_join *join, int sync, struct rootfs *f, struct user_identity *who,
                  struct err *e)
{
    const struct spec *s = start->spec;
    int r = cgroup_join_self(join, e);
    if (r == 0)
        r = await(sync, REPORT_GO, 0, e);
    if (r == 0)
        r = become_root(e);
    if (r == 0)
        r = name_host(s, e);
    if (r == 0)
        r = s->share_network ? 0 : raise_loopback(e);
    if (r == 0)
        r = rootfs_enter(s, parts, f, e);
    if (r == 0)
        r = user_resolve(f->root, s->process.user, &s->process.groups, who, e);
    if (r == 0)
        r = add_mounts(s, parts, f, who, sync, e);
    if (r == 0)
        r = rootfs_finish(f, s, e);
    if (r == 0)
        r = s->process.terminal ? open_terminal(f, who, sync, e) : process_take_pipes(start->stdio, who, e);
    if (r == 0 && start->announce)
        r = ipc_send(sync, REPORT_READY, NULL, 0, NULL, 0, e);
    if (r == 0)
        r = await(sync, REPORT_EXEC, 0, e);
    return r;
}

_Noreturn void first_run(const struct runtime_start *start, const struct rootfs_parts *parts,
                         struct cgroup_join *join, int sync)
{
    struct err e = {0};
    struct rootfs f = ROOTFS_INIT;
    static struct user_identity who;
    _cleanup_str_list_ struct str_list writable = {0};
    int r = set_up(start, parts, join, sync, &f, &who, &e);
    if (r == 0)
        r = list_writable(start->spec, &writable, &e);
    if (r == 0)
        r = process_set_rlimits(&start->spec->process, &e);
    if (r < 0) {
        report_send(start->report_fd, RUNTIME_STATUS_ENGINE, &e);
        _exit(RUNTIME_STATUS_ENGINE);
    }
    const struct process_context context = {
        .process = &start->spec->process,
        .identity = &who,
        .root_fd = f.root,
        .writable = &writable,
        .ends_with_parent = true,
        .notice = sync,
        .report_fd = start->report_fd,
    };
    process_become(&context);
}
