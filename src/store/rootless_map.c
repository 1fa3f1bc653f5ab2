/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mapped user namespace (rootless_map.h). The map is written by the setuid programs of the package uidmap, which check it against
 * /etc/subuid and /etc/subgid; they have to be started outside of the namespace, by a child that stays there.
 */
#include "store/rootless_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/io.h"
#include "base/str.h"
#include "store/subid.h"

#define SETTING_MAX 32
#define SAID_MAX 512
#define MAPPER_FAILED 1
#define MAPPER_MISSING 127

/* A number of /proc/sys; -1 when it is not there. */
static long setting(const char *path)
{
    char text[SETTING_MAX];
    struct err ignored = {0};
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : io_read_full(fd, text, sizeof(text) - 1, &ignored);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

static int explain_refusal(int failed, struct err *e)
{
    if (setting("/proc/sys/user/max_user_namespaces") == 0)
        return err_set(
            e, failed,
            "user namespaces are switched off on this machine, and an ordinary user's containers need them: "
            "as root, sysctl user.max_user_namespaces=15000");
    if (setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return err_set(e, failed,
                       "user namespaces are kept from ordinary users on this machine: as root, sysctl "
                       "kernel.unprivileged_userns_clone=1");
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return err_set(e, failed,
                       "AppArmor keeps user namespaces from programs without a profile for them: as root, cp "
                       "%s/casemate-rootless-userns /etc/apparmor.d/ && apparmor_parser -r "
                       "/etc/apparmor.d/casemate-rootless-userns",
                       dirs_data());
    errno = failed;
    return err_errno(e, "make a user namespace");
}

/* In the child: `newuidmap PID INSIDE OUTSIDE COUNT...`, and waits for it. Returns its exit status. */
static int run_mapper(const char *program, pid_t pid, const struct id_map maps[IDENTITY_ENGINE_MAPS])
{
    char words[1 + 3 * IDENTITY_ENGINE_MAPS][SETTING_MAX];
    char *argv[3 + 3 * IDENTITY_ENGINE_MAPS];
    size_t n = 0;
    argv[0] = (char *)(uintptr_t)program;
    (void)snprintf(words[n++], SETTING_MAX, "%d", (int)pid);
    for (size_t i = 0; i < IDENTITY_ENGINE_MAPS; i++) {
        (void)snprintf(words[n++], SETTING_MAX, "%u", maps[i].inside);
        (void)snprintf(words[n++], SETTING_MAX, "%u", maps[i].outside);
        (void)snprintf(words[n++], SETTING_MAX, "%u", maps[i].count);
    }
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = words[i];
    argv[n + 1] = NULL;
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(program, argv);
        _exit(errno == ENOENT ? MAPPER_MISSING : MAPPER_FAILED);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return MAPPER_FAILED;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : MAPPER_FAILED;
}

struct mapping {
    struct id_map uids[IDENTITY_ENGINE_MAPS];
    struct id_map gids[IDENTITY_ENGINE_MAPS];
    char name[SUBID_NAME_MAX];
};

static int plan_map(struct mapping *ret, struct err *e)
{
    struct subid_range uids, gids;
    int r = subid_read(&uids, &gids, ret->name, e);
    if (r < 0)
        return r;
    /* One shape for both, so that whatever has a uid has the gid of the same number. */
    uint32_t count = uids.count < gids.count ? uids.count : gids.count;
    identity_engine_map(getuid(), uids.first, count, ret->uids);
    identity_engine_map(getgid(), gids.first, count, ret->gids);
    return 0;
}

/* The child: waits for the namespace, then has it mapped. What the programs complain of goes to `said`. */
static _Noreturn void map_parent(const struct mapping *m, pid_t parent, int ready, int said)
{
    char go;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || read(ready, &go, 1) != 1)
        _exit(MAPPER_FAILED);
    if (dup2(said, STDERR_FILENO) < 0 || dup2(said, STDOUT_FILENO) < 0)
        _exit(MAPPER_FAILED);
    int status = run_mapper("newuidmap", parent, m->uids);
    if (status == 0)
        status = run_mapper("newgidmap", parent, m->gids);
    _exit(status);
}

/* How the child has ended, with what was said. */
static int collect(pid_t child, int said, const char *name, struct err *e)
{
    char text[SAID_MAX];
    struct err ignored = {0};
    int status = 0;
    ssize_t n = io_read_full(said, text, sizeof(text) - 1, &ignored);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(e, "wait for newuidmap");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == MAPPER_MISSING)
        return err_set(
            e, ENOENT,
            "newuidmap and newgidmap are missing, which an ordinary user's containers need: as root, "
            "apt install uidmap");
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return err_set(e, EPERM, "the subordinate ids of user %s cannot be used: %s", name,
                   *text ? text : "newuidmap has failed");
}

int rootless_map_make(struct err *e)
{
    struct mapping m = {0};
    int ready[2], said[2];
    int r = plan_map(&m, e);
    if (r < 0)
        return r;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int ready_read = ready[0];
    _cleanup_close_ int ready_write = ready[1];
    if (pipe2(said, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int said_read = said[0];
    _cleanup_close_ int said_write = said[1];
    pid_t self = getpid();
    pid_t child = fork();
    if (child < 0)
        return err_errno(e, "fork");
    if (child == 0) {
        close_fd(&ready_write);
        map_parent(&m, self, ready_read, said_write);
    }
    close_fd(&said_write);
    close_fd(&ready_read);
    int failed = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
    if (!failed && write(ready_write, "g", 1) != 1)
        failed = EPIPE;
    close_fd(&ready_write);
    r = collect(child, said_read, m.name, e);
    return failed ? explain_refusal(failed, e) : r;
}
