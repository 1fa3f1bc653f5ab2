/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming the user's program (process.h). Runs inside the container's namespaces with the container root's rights; the order
 * matters and is the security of it:
 *   keyring, umask -> bounding set -> ids -> number of processes -> working directory (as the user) -> Landlock -> LSM -> capabilities -> filters -> exec.
 */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ipc.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "runtime/landlock.h"
#include "runtime/notice.h"
#include "runtime/report.h"

#define CAPABILITY_LAST_POSSIBLE 63

void process_raise_rlimits(const struct spec_process *p)
{
    for (size_t i = 0; i < p->rlimit_count; i++) {
        struct rlimit now;
        __rlimit_resource_t resource = (__rlimit_resource_t)p->rlimits[i].resource;
        if (prlimit(0, resource, NULL, &now) < 0 || p->rlimits[i].limit.rlim_max <= now.rlim_max)
            continue;
        now.rlim_max = p->rlimits[i].limit.rlim_max;
        (void)prlimit(0, resource, &now, NULL);
    }
}

static int set_rlimit(const struct spec_rlimit *l, struct err *e)
{
    struct rlimit wanted = l->limit;
    struct rlimit now;
    __rlimit_resource_t resource = (__rlimit_resource_t)l->resource;
    if (prlimit(0, resource, &wanted, NULL) == 0)
        return 0;
    if (errno != EPERM || prlimit(0, resource, NULL, &now) < 0)
        return err_errno(e, "set resource limit %d", l->resource);
    if (wanted.rlim_max > now.rlim_max)
        wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max)
        wanted.rlim_cur = wanted.rlim_max;
    return prlimit(0, resource, &wanted, NULL) < 0 ? err_errno(e, "set resource limit %d", l->resource) : 0;
}

int process_set_rlimits(const struct spec_process *p, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < p->rlimit_count && r == 0; i++)
        if (p->rlimits[i].resource != RLIMIT_NPROC)
            r = set_rlimit(&p->rlimits[i], e);
    return r;
}

/* After the change of ids: a process that becomes a user with too many processes could not execute a program any more. */
static int limit_processes(const struct spec_process *p, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < p->rlimit_count && r == 0; i++)
        if (p->rlimits[i].resource == RLIMIT_NPROC)
            r = set_rlimit(&p->rlimits[i], e);
    return r;
}

int process_bound_capabilities(uint64_t keep, struct err *e)
{
    for (int cap = 0; cap <= CAPABILITY_LAST_POSSIBLE && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap) < 0)
            return err_errno(e, "drop capability %d", cap);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return err_errno(e, "clear the ambient capabilities");
    return 0;
}

int process_set_capabilities(uint64_t set, struct err *e)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)set, .permitted = (uint32_t)set},
        {.effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32)},
    };
    if (syscall(SYS_capset, &header, data) < 0)
        return err_errno(e, "set capabilities");
    return 0;
}

/* What the kernel calls an invalid argument. */
static int no_such_id(const struct user_identity *who, struct err *e)
{
    return err_set(
        e, EINVAL,
        "user %u:%u is not among the ids of this container: an ordinary user's containers have as many as "
        "/etc/subuid gives",
        who->uid, who->gid);
}

int process_take_pipes(const int stdio[3], const struct user_identity *who, struct err *e)
{
    for (int i = 0; i < 3; i++) {
        struct stat st;
        if (fstat(stdio[i], &st) == 0 && S_ISFIFO(st.st_mode) && fchown(stdio[i], who->uid, who->gid) < 0)
            return errno == EINVAL ? no_such_id(who, e) : err_errno(e, "standard stream %d", i);
        if (dup2(stdio[i], i) < 0)
            return err_errno(e, "standard stream %d", i);
    }
    return 0;
}

static int set_ids(const struct user_identity *u, struct err *e)
{
    if (setgroups(u->group_count, u->groups) < 0)
        return err_errno(e, "set groups");
    if (setresgid(u->gid, u->gid, u->gid) < 0 || setresuid(u->uid, u->uid, u->uid) < 0)
        return errno == EINVAL ? no_such_id(u, e) : err_errno(e, "become user %u:%u", u->uid, u->gid);
    return 0;
}

/* The directory is resolved inside the root without magic links (CVE-2024-21626), and must be reachable as a path of this root. */
static int enter_directory(const struct process_context *c, struct err *e)
{
    char where[PATH_MAX];
    const char *cwd = str_set(c->process->cwd) ? c->process->cwd : "/";
    _cleanup_close_ int dir = path_open_in_root(c->root_fd, cwd, O_PATH | O_DIRECTORY, 0, e);
    if (dir < 0)
        return err_wrap(e, "working directory %s", cwd);
    if (fchdir(dir) < 0)
        return err_errno(e, "working directory %s", cwd);
    if (!getcwd(where, sizeof(where)) || where[0] != '/')
        return err_set(e, EPERM, "working directory %s is outside the container", cwd);
    return 0;
}

/* Writes the profile for the next exec. The file must be procfs: a fake one would swallow the label (CVE-2019-16884). */
static int set_apparmor(int root_fd, const char *profile, struct err *e)
{
    struct err absent = {0};
    _cleanup_close_ int fd =
        path_open_in_root(root_fd, "/proc/thread-self/attr/apparmor/exec", O_WRONLY, 0, &absent);
    if (fd < 0) {
        *e = absent;
        return err_wrap(e, "AppArmor profile %s", profile);
    }
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
        return err_set(e, EPERM, "AppArmor profile %s: /proc of the container is not procfs", profile);
    char text[256];
    int n = snprintf(text, sizeof(text), "exec %s", profile);
    if (n < 0 || (size_t)n >= sizeof(text))
        return err_set(e, ENAMETOOLONG, "AppArmor profile name is too long");
    if (write(fd, text, (size_t)n) != n)
        return err_errno(e, "AppArmor profile %s (is it loaded?)", profile);
    return 0;
}

/* The ceiling, with a listener that goes to the supervisor at once: from here on what it refuses waits for its holder. */
static int install_noticed(const struct process_context *c, const struct filter *ceiling, struct err *e)
{
    _cleanup_close_ int listener = -1;
    uint64_t capabilities = c->identity->uid == 0 ? c->process->capabilities : 0;
    int r = notice_install(ceiling, c->identity, capabilities, &listener, e);
    return r < 0 ? r : ipc_send(c->notice, REPORT_LISTENER, NULL, 0, &listener, listener >= 0 ? 1 : 0, e);
}

static int confine(const struct process_context *c, struct err *e)
{
    const struct spec_process *p = c->process;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(e, "no_new_privs");
    int r = p->landlock
                ? landlock_apply(c->root_fd, p->root_read_only, c->writable, p->init, p->outside_sockets, e)
                : 0;
    if (r == 0 && p->apparmor)
        r = set_apparmor(c->root_fd, p->apparmor, e);
    if (r == 0)
        r = process_set_capabilities(c->identity->uid == 0 ? p->capabilities : 0, e);
    for (size_t i = 0; i < p->filter_count && r == 0; i++)
        if (i == 0 && c->notice >= 0)
            r = install_noticed(c, p->filters[i], e);
        else if (filter_install(p->filters[i]) < 0)
            r = err_errno(e, "install the system call filter");
    if (r == 0 && p->own_filter && filter_install(p->own_filter) < 0)
        r = err_errno(e, "install the filter of --security-opt seccomp=FILE");
    return r;
}

static void default_signals(void)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int prepare(const struct process_context *c, struct str_list *env, struct err *e)
{
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING,
                  NULL); /* a fresh keyring; kernels without keys have none to share */
    (void)umask(022);
    int r = str_list_copy(&c->process->env, env, e);
    if (r == 0 && !str_list_env(env, "HOME"))
        r = str_list_addf(env, e, "HOME=%s", c->identity->home);
    if (r == 0)
        r = process_bound_capabilities(c->process->capabilities, e);
    if (r == 0)
        r = set_ids(c->identity, e);
    if (r == 0 && c->ends_with_parent &&
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) /* the change of ids has cleared it */
        r = err_errno(e, "prctl");
    if (r == 0)
        r = limit_processes(c->process, e);
    if (r == 0)
        r = enter_directory(c, e);
    if (r == 0)
        default_signals();
    if (r == 0 && syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        r = err_errno(e, "close_range");
    return r == 0 ? confine(c, e) : r;
}

/* execve along PATH. Leaves errno: EACCES of any try wins over ENOENT of the last, as execvp(3) does. */
static void exec_in_path(char *const argv[], char *const envp[], const char *path)
{
    char file[PATH_MAX];
    int result = ENOENT;
    for (const char *at = path; at;) {
        const char *end = strchrnul(at, ':');
        int n = snprintf(file, sizeof(file), "%.*s/%s", (int)(end - at), at, argv[0]);
        if (end > at && n > 0 && (size_t)n < sizeof(file)) {
            execve(file, argv, envp);
            if (errno != ENOENT && errno != ENOTDIR)
                result = errno;
        }
        at = *end ? end + 1 : NULL;
    }
    errno = result;
}

/* Returns only on failure, with the exit status for the user. */
static int execute(const struct process_context *c, const struct str_list *env, struct err *e)
{
    char **argv = c->process->args.items;
    const char *path = str_list_env(env, "PATH");
    if (c->process->init >= 0) {
        char **all = calloc(c->process->args.count + 3, sizeof(char *));
        if (!all)
            return err_oom(e), RUNTIME_STATUS_ENGINE;
        all[0] = (char *)(uintptr_t) "casemate-init";
        all[1] = (char *)(uintptr_t) "--";
        memcpy(all + 2, argv, (c->process->args.count + 1) * sizeof(char *));
        /* Not execveat(2), which the filter tells programs that the kernel does not have. */
        char file[sizeof("/proc/self/fd/") + 10];
        (void)snprintf(file, sizeof(file), "/proc/self/fd/%d", c->process->init);
        /* So that the directory is ours; nothing else runs in the container yet. */
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        execve(file, all, env->items);
        err_errno(e, "execute casemate-init");
        return RUNTIME_STATUS_ENGINE;
    }
    if (strchr(argv[0], '/'))
        execve(argv[0], argv, env->items);
    else
        exec_in_path(argv, env->items,
                     str_set(path) ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (errno == ENOENT || errno == ENOTDIR) {
        err_set(e, errno, "exec: \"%s\": %s", argv[0],
                strchr(argv[0], '/') ? "no such file or directory (or its interpreter is missing)"
                                     : "executable file not found in $PATH");
        return RUNTIME_STATUS_NOT_FOUND;
    }
    err_errno(e, "exec: \"%s\"", argv[0]);
    return RUNTIME_STATUS_NOT_EXECUTABLE;
}

_Noreturn void process_become(const struct process_context *c)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list env = {0};
    int status = RUNTIME_STATUS_ENGINE;
    if (prepare(c, &env, &e) == 0)
        status = execute(c, &env, &e);
    report_send(c->report_fd, status, &e);
    _exit(status);
}
