/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process (child.h). Order: control groups -> rights in the own user namespace -> names of the host -> file system -> terminal
 * -> hooks -> root -> casemate-enter. Not dumpable from the start (of an ordinary user: from the maps of its
 * ids on), so nobody who shares its namespaces can look into it.
 */
#include "oci/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/hooks.h"
#include "oci/sync.h"
#include "runtime/terminal.h"

static bool is_new(const struct oci_config *c, int type)
{
    const struct oci_namespace *n = oci_config_namespace(c, type);
    return n && !str_set(n->path);
}

int oci_child_become_root(bool may_set_groups, struct err *e)
{
    if (may_set_groups && setgroups(0, NULL) < 0)
        return err_errno(e, "drop the groups");
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_errno(e, "become root of the user namespace (does linux.uidMappings have 0?)");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(e, "prctl");
    return 0;
}

static int raise_loopback(struct err *e)
{
    struct ifreq request = {.ifr_name = "lo"};
    _cleanup_close_ int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || ioctl(s, SIOCGIFFLAGS, &request) < 0)
        return err_errno(e, "loopback interface");
    request.ifr_flags |= IFF_UP;
    return ioctl(s, SIOCSIFFLAGS, &request) < 0 ? err_errno(e, "loopback interface") : 0;
}

static int name_host(const struct oci_config *c, struct err *e)
{
    if (str_set(c->hostname) && sethostname(c->hostname, strlen(c->hostname)) < 0)
        return err_errno(e, "hostname");
    if (str_set(c->domainname) && setdomainname(c->domainname, strlen(c->domainname)) < 0)
        return err_errno(e, "domainname");
    return 0;
}

int oci_child_open_terminal(const struct oci_rootfs *f, const struct oci_process *p, int sync, bool console,
                            struct err *e)
{
    unsigned number;
    _cleanup_close_ int slave = -1;
    _cleanup_close_ int pts = path_open_in_root(f->root, "/dev/pts", O_PATH | O_DIRECTORY, 0, e);
    _cleanup_close_ int master =
        pts < 0 ? -1 : terminal_open(pts, (uid_t)p->user.uid.value, &slave, &number, e);
    if (pts < 0 || master < 0)
        return err_wrap(e, "process.terminal");
    const struct winsize size = {.ws_row = (unsigned short)p->console_size.height.value,
                                 .ws_col = (unsigned short)p->console_size.width.value};
    if (p->console_size.set && ioctl(master, TIOCSWINSZ, &size) < 0)
        return err_errno(e, "process.consoleSize");
    int r = console ? oci_console_attach(f, slave, e) : 0;
    if (r == 0)
        r = terminal_take(slave, e);
    if (r == 0)
        r = oci_sync_tell(sync, ENTER_TERMINAL, master, e);
    return r == 0 ? oci_sync_await(sync, e) : r;
}

int oci_child_give_streams(const struct oci_process *p, struct err *e)
{
    for (int i = 0; i < 3; i++) {
        struct stat st;
        if (fstat(i, &st) < 0)
            continue; /* closed by the caller */
        bool null = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
        if (null || st.st_uid == (uid_t)p->user.uid.value ||
            fchown(i, (uid_t)p->user.uid.value, (gid_t)-1) == 0)
            continue;
        /* Of an id that is not mapped, on a read-only file system, of somebody else's: the stream works all the same. */
        if (errno != EINVAL && errno != EPERM && errno != EROFS)
            return err_errno(e, "standard stream %d", i);
    }
    return 0;
}

/* The state names this process as the runtime knows it: by the number that the host's /proc, which is still there, has for it. */
static int run_create_container_hooks(const struct oci_child *c, struct err *e)
{
    const struct schema_list *hooks = &c->config->hooks.create_container;
    char number[16] = "";
    _cleanup_free_ char *state = NULL;
    if (hooks->count == 0)
        return 0;
    ssize_t n = readlink("/proc/self", number, sizeof(number) - 1);
    c->container->pid = n > 0 ? (pid_t)strtol(number, NULL, 10) : 0;
    int r = oci_container_state(c->container, OCI_CREATING, false, &state, e);
    return r == 0 ? oci_hooks_run(hooks, "createContainer", state, e) : r;
}

static int set_up(const struct oci_child *c, struct oci_rootfs *f, struct err *e)
{
    const struct oci_config *config = c->config;
    int r = oci_cgroup_join_self(c->join, e);
    if (r == 0)
        r = oci_sync_await(c->sync, e);
    if (r == 0 && is_new(config, CLONE_NEWUSER))
        r = oci_child_become_root(c->may_set_groups, e);
    if (r == 0 && is_new(config, CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
        r = err_errno(e, "make a cgroup namespace");
    if (r == 0 && setsid() < 0)
        r = err_errno(e, "setsid");
    if (r == 0)
        r = name_host(config, e);
    if (r == 0 && is_new(config, CLONE_NEWNET))
        r = raise_loopback(e);
    if (r == 0)
        r = oci_rootfs_build(config, c->sources, c->cgroup, f, e);
    if (r == 0 && config->process.terminal)
        r = oci_child_open_terminal(f, &config->process, c->sync,
                                    oci_config_namespace(config, CLONE_NEWNS) != NULL, e);
    if (r == 0)
        r = oci_sync_tell(c->sync, ENTER_BUILT, -1, e);
    if (r == 0)
        r = oci_sync_await(c->sync, e);
    if (r == 0)
        r = run_create_container_hooks(c, e);
    if (r == 0)
        r = oci_rootfs_enter(config, f, c->no_pivot, e);
    if (r == 0) {
        _cleanup_close_ int cwd =
            path_make_dirs_in_root(f->root, config->process.cwd, 0755, (uid_t)-1, (gid_t)-1, e);
        r = cwd < 0 ? err_wrap(e, "process.cwd") : 0;
    }
    if (r == 0)
        r = oci_rootfs_finish(config, f, e);
    return r == 0 ? oci_child_give_streams(&config->process, e) : r;
}

_Noreturn void oci_child_enter(int sync, int enter, int job, int start)
{
    struct err e = {0};
    char number[16];
    char *args[] = {(char *)(uintptr_t) "casemate-enter", number, NULL};
    char *env[] = {NULL};
    const int kept[] = {sync, job, start};
    (void)snprintf(number, sizeof(number), "%d", job);
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (kept[i] >= 0 && fcntl(kept[i], F_SETFD, 0) < 0) {
            err_errno(&e, "keep a descriptor");
            oci_sync_fail(sync, &e);
        }
    (void)syscall(SYS_execveat, enter, "", args, env, AT_EMPTY_PATH);
    err_errno(&e, "execute casemate-enter");
    oci_sync_fail(sync, &e);
}

_Noreturn void oci_child_run(const struct oci_child *c)
{
    struct err e = {0};
    struct oci_rootfs f = OCI_ROOTFS_INIT;
    if (!c->awaits_maps && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        err_errno(&e, "prctl");
    if (e.code || set_up(c, &f, &e) < 0)
        oci_sync_fail(c->sync, &e);
    oci_rootfs_close(&f);
    oci_child_enter(c->sync, c->enter, c->job, c->start);
}
