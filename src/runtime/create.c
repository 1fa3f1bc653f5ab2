/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's half of a start (create.h). Trusted, privileged, parses nothing. The other half is first.c. */
#include "runtime/create.h"

#include <errno.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/syscalls.h"
#include "runtime/cgroup_join.h"
#include "runtime/devices.h"
#include "runtime/first.h"
#include "runtime/fsmount.h"
#include "runtime/join.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/userns.h"

int runtime_keep_capabilities(struct err *e)
{
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
        return err_errno(e, "keep capabilities (does the caller have CAP_SETPCAP?)");
    return 0;
}

int runtime_give_stdio(const int stdio[3], uid_t owner, struct err *e)
{
    for (int i = 0; i < 3; i++) {
        struct stat st;
        if (fstat(stdio[i], &st) < 0)
            return err_errno(e, "standard stream %d", i);
        if (S_ISFIFO(st.st_mode) && fchown(stdio[i], owner, owner) < 0)
            return err_errno(e, "standard stream %d", i);
    }
    return 0;
}

#define SYS_ATTR (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

static void parts_clear(struct rootfs_parts *parts, size_t mount_count)
{
    overlay_trees_clear(&parts->trees);
    close_fd(&parts->dev);
    for (size_t i = 0; i < DEVICES_COUNT; i++)
        close_fd(&parts->nodes[i]);
    close_fd(&parts->sys);
    for (size_t i = 0; parts->mounts && i < mount_count; i++)
        close_fd(&parts->mounts[i]);
    free(parts->mounts);
    parts->mounts = NULL;
}

/* The detached tree of one bind, with attributes and ids. */
static int make_tree(const struct spec_mount *m, int idmap, struct err *e)
{
    _cleanup_close_ int tree = fsmount_clone(m->source, m->recursive ? AT_RECURSIVE : 0, e);
    if (tree < 0)
        return err_wrap(e, "mount for %s", m->target);
    /* A volume that is filled first becomes read-only afterwards (rootfs_add_mount). */
    uint64_t attr = m->filled >= 0 ? m->attr & ~(uint64_t)MOUNT_ATTR_RDONLY : m->attr;
    int r = fsmount_set(tree, attr | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, m->recursive, idmap, e);
    if (r == -EINVAL && idmap >= 0)
        return err_set(
            e, EINVAL,
            "mount for %s: the file system of the source cannot map ids (idmapped mounts); use a volume",
            m->target);
    return r < 0 ? err_wrap(e, "mount for %s", m->target) : steal_fd(&tree);
}

/* A user namespace that shows the neutral range as the container's block; -1 where the two are the same. */
static int block_idmap(const struct spec *s, int *ret_idmap, struct err *e)
{
    const struct id_map block = {IDS_NEUTRAL, s->block_first, IDS_BLOCK_SIZE};
    *ret_idmap = identity_maps_mounts() ? userns_for_idmap(&block, 1, &block, 1, e) : -1;
    return *ret_idmap < 0 && identity_maps_mounts() ? *ret_idmap : 0;
}

/* In the place of /sys with the host's network, of which an ordinary user may neither mount a fresh one, since the network is not
 * his, nor copy the host's without everything that is mounted in it: the mount points that are needed, and nothing else. */
static int bare_sys(struct err *e)
{
    static const char *const options[] = {"mode=755", "size=4k", NULL};
    static const char *const directories[] = {"fs", "fs/cgroup", "class", "class/net"};
    _cleanup_close_ int fd = fsmount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);
    for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(directories); i++)
        if (mkdirat(fd, directories[i], 0755) < 0)
            return err_errno(e, "make /sys/%s", directories[i]);
    return fd < 0 ? fd : steal_fd(&fd);
}

static int prepare_parts(const struct runtime_start *start, struct rootfs_parts *parts, struct err *e)
{
    const struct spec *s = start->spec;
    parts->cgroup_mode = start->cgroup->mode;
    _cleanup_close_ int idmap = -1;
    int r = block_idmap(s, &idmap, e);
    if (r == 0)
        r = overlay_prepare(s, idmap, &parts->trees, e);
    if (r < 0)
        return r;
    parts->dev = devices_make(s->block_first, &s->resources, parts->nodes, e);
    if (parts->dev < 0)
        return parts->dev;
    if (s->share_network) {
        parts->sys = identity_rootless() ? bare_sys(e) : fsmount_clone_at(AT_FDCWD, "/sys", e);
        r = parts->sys < 0 ? parts->sys : fsmount_set(parts->sys, SYS_ATTR, false, -1, e);
        if (r < 0)
            return r;
    }
    if (s->mount_count == 0)
        return 0;
    parts->mounts = malloc(s->mount_count * sizeof(int));
    if (!parts->mounts)
        return err_oom(e);
    for (size_t i = 0; i < s->mount_count; i++)
        parts->mounts[i] = -1;
    for (size_t i = 0; i < s->mount_count; i++) {
        const struct spec_mount *m = &s->mounts[i];
        if (m->kind != SPEC_MOUNT_BIND || m->ids == SPEC_IDS_OWNER)
            continue;
        parts->mounts[i] = make_tree(m, m->ids == SPEC_IDS_BLOCK ? idmap : -1, e);
        if (parts->mounts[i] < 0)
            return parts->mounts[i];
    }
    return 0;
}

/* Born in its group of the unified hierarchy: a move would wait for an RCU grace period (cgroup_join.h). */
static pid_t clone_first(const struct cgroup *g, bool share_network, int *ret_pidfd)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWTIME | (share_network ? 0 : CLONE_NEWNET),
        .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
        .exit_signal = SIGCHLD,
    };
    if (g->unified >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)g->unified;
    }
    return sys_clone3(&args);
}

/* Ids and limits of the first process, which joins its v1 groups itself meanwhile, and waits. */
static int equip(const struct runtime_start *start, pid_t pid, struct err *e)
{
    const struct spec *s = start->spec;
    struct id_map uids[IDENTITY_BLOCK_MAPS], gids[IDENTITY_BLOCK_MAPS];
    size_t uid_lines = identity_block_map_with(s->block_first, s->owner_uid, uids);
    size_t gid_lines = identity_block_map_with(s->block_first, s->owner_gid, gids);
    char name[48];
    int r = s->join >= 0 ? cgroup_attach_unified(start->cgroup, pid, e)
                         : userns_write_maps(pid, uids, uid_lines, gids, gid_lines, e);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "/proc/%d", (int)pid);
    _cleanup_close_ int proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return err_errno(e, "open %s", name);
    return io_write_existingf_at(proc, "oom_score_adj", e, "%d", s->oom_score_adj);
}

static bool has_owner_binds(const struct spec *s)
{
    for (size_t i = 0; i < s->mount_count; i++)
        if (s->mounts[i].kind == SPEC_MOUNT_BIND && s->mounts[i].ids == SPEC_IDS_OWNER)
            return true;
    return false;
}

/* A bind in which the source's owner is the container's user. */
static int make_owner_tree(const struct spec *s, const struct spec_mount *m,
                           const struct report_identity *who, struct err *e)
{
    struct stat st;
    if (fstat(m->source, &st) < 0)
        return err_errno(e, "source of %s", m->target);
    const struct id_map uids = {st.st_uid, s->block_first + who->uid, 1};
    const struct id_map gids = {st.st_gid, s->block_first + who->gid, 1};
    _cleanup_close_ int idmap = userns_for_idmap(&uids, 1, &gids, 1, e);
    return idmap < 0 ? idmap : make_tree(m, idmap, e);
}

static int send_owner_trees(const struct spec *s, int sync, const struct report_identity *who, struct err *e)
{
    for (size_t i = 0; i < s->mount_count; i++) {
        const struct spec_mount *m = &s->mounts[i];
        if (m->kind != SPEC_MOUNT_BIND || m->ids != SPEC_IDS_OWNER)
            continue;
        _cleanup_close_ int tree = make_owner_tree(s, m, who, e);
        int r = tree < 0 ? tree : ipc_send(sync, REPORT_BINDS, NULL, 0, &tree, 1, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int hear(int sync, struct ipc_message *m, uint16_t type, size_t length, size_t fds, struct err *e)
{
    int r = ipc_receive(sync, m, e);
    if (r == 0)
        return err_set(e, ECHILD, "the container's first process has ended during set-up");
    return r < 0 ? r : ipc_expect(m, type, length, fds, e);
}

/* Serves the first process until it needs nothing more. */
static int serve(const struct spec *s, struct runtime_process *p, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_send(p->sync, REPORT_GO, NULL, 0, NULL, 0, e);
    if (r == 0 && has_owner_binds(s)) {
        struct report_identity who;
        r = hear(p->sync, &m, REPORT_IDENTITY, sizeof(who), 0, e);
        if (r == 0) {
            memcpy(&who, m.payload, sizeof(who));
            if (who.uid >= IDS_BLOCK_SIZE || who.gid >= IDS_BLOCK_SIZE)
                return err_set(e, EBADMSG, "first process: id out of range");
            r = send_owner_trees(s, p->sync, &who, e);
        }
    }
    if (r == 0 && spec_fills(s))
        r = hear(p->sync, &m, REPORT_FILLED, 0, 0, e);
    if (r == 0 && s->process.terminal) {
        r = hear(p->sync, &m, REPORT_TERMINAL, 0, 1, e);
        if (r == 0)
            p->terminal = ipc_take_fd(&m, 0);
    }
    return r;
}

static void abandon(struct runtime_process *p)
{
    if (p->pidfd >= 0) {
        siginfo_t info;
        (void)sys_pidfd_send_signal(p->pidfd, SIGKILL);
        while (waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
    }
    close_fd(&p->pidfd);
    close_fd(&p->terminal);
    close_fd(&p->sync);
    close_fd(&p->listener);
}

/* In a user namespace of its own. */
static int make_first(const struct runtime_start *start, const struct rootfs_parts *parts,
                      struct cgroup_join *join, int theirs, struct runtime_process *p, struct err *e)
{
    /* The effective id at the clone becomes the owner of the user namespace. */
    uid_t self = geteuid();
    if (setresuid((uid_t)-1, start->spec->shim_uid, (uid_t)-1) < 0)
        return err_errno(e, "take the shim's id");
    p->pid = clone_first(start->cgroup, start->spec->share_network, &p->pidfd);
    if (p->pid == 0) {
        close(p->sync);
        first_run(start, parts, join, theirs);
    }
    int failed = p->pid < 0 ? errno : 0;
    if (setresuid((uid_t)-1, self, (uid_t)-1) < 0)
        return err_errno(e, "go back to the own id");
    errno = failed;
    return failed ? err_errno(e, "make the container's namespaces (is user.max_user_namespaces 0?)") : 0;
}

static int start_first(const struct runtime_start *start, const struct rootfs_parts *parts,
                       struct runtime_process *p, struct err *e)
{
    int pair[2];
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    p->sync = pair[0];
    _cleanup_close_ int theirs = pair[1];
    _cleanup_cgroup_join_ struct cgroup_join join = CGROUP_JOIN_INIT;
    r = cgroup_join_open(start->cgroup, &join, e);
    if (r < 0)
        return r;
    r = start->spec->join >= 0 ? join_clone_first(start, parts, &join, theirs, p->sync, &p->pidfd, &p->pid, e)
                               : make_first(start, parts, &join, theirs, p, e);
    if (r < 0)
        return r;
    close_fd(&theirs);
    r = equip(start, p->pid, e);
    return r < 0 ? r : serve(start->spec, p, e);
}

int runtime_create(const struct runtime_start *start, struct runtime_process *ret, struct err *e)
{
    struct runtime_process p = RUNTIME_PROCESS_INIT;
    struct rootfs_parts parts = {
        .trees = {.writable = -1}, .dev = -1, .nodes = {-1, -1, -1, -1, -1, -1}, .sys = -1, .shm = -1};
    const struct spec *s = start->spec;
    int r = runtime_keep_capabilities(e);
    if (r == 0)
        r = s->process.terminal ? 0 : runtime_give_stdio(start->stdio, s->block_first, e);
    if (r == 0)
        r = prepare_parts(start, &parts, e);
    if (r == 0)
        process_raise_rlimits(&s->process);
    if (r == 0)
        r = start_first(start, &parts, &p, e);
    parts_clear(&parts, s->mount_count);
    if (r < 0) {
        abandon(&p);
        return r;
    }
    *ret = p;
    return 0;
}

int runtime_await_ready(const struct runtime_process *p, struct err *e)
{
    static struct ipc_message m;
    return hear(p->sync, &m, REPORT_READY, 0, 0, e);
}

int runtime_go(struct runtime_process *p, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_send(p->sync, REPORT_EXEC, NULL, 0, NULL, 0, e);
    if (r == 0)
        r = ipc_receive(p->sync, &m, e);
    if (r == 1 && m.fd_count == 0)
        r = ipc_expect(&m, REPORT_LISTENER, 0, 0, e);
    else if (r == 1 && (r = ipc_expect(&m, REPORT_LISTENER, 0, 1, e)) == 0)
        p->listener = ipc_take_fd(&m, 0);
    close_fd(&p->sync);
    return r;
}
