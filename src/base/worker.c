/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and hearing workers (worker.h). Trusted; everything that comes back is checked. */
#include "base/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/messages.h"
#include "base/program.h"
#include "base/str.h"
#include "base/syscalls.h"

#define MAP_TEXT_MAX 256

static int limit(int resource, uint64_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    return setrlimit((__rlimit_resource_t)resource, &r);
}

static int apply_limits(const struct worker_profile *p)
{
    if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NOFILE, p->files_max) < 0)
        return -1;
#ifndef __SANITIZE_ADDRESS__ /* the sanitizer reserves terabytes of address space */
    if (p->memory_max && limit(RLIMIT_AS, p->memory_max) < 0)
        return -1;
#endif
    if (p->cpu_seconds && limit(RLIMIT_CPU, p->cpu_seconds) < 0)
        return -1;
    if (p->file_size_max && limit(RLIMIT_FSIZE, p->file_size_max) < 0)
        return -1;
    return 0;
}

/* By bare system calls: those of the C library wait for threads of the parent, which the child does not have. */
static int become(uid_t id)
{
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, id, id, id) < 0)
        return -1;
    return (int)syscall(SYS_setresuid, id, id, id);
}

/* An ordinary user's OCI runtime cannot give the worker another id, nor namespaces: it gets a user namespace of its own, in which the caller's id
 * is the worker's, and which has the others. */
static bool must_stay(const struct worker_profile *p)
{
    if (p->keep_ids || p->neutral_userns || p->user_namespace)
        return false;
    return geteuid() != 0 || identity_host_uid(p->uid) == (uid_t)-1;
}

/* Between clone and exec. Only async-signal-safe calls. Returns only on failure. */
static void child_run(const struct worker_profile *p, bool stays, int program, int socket, int ready,
                      pid_t parent)
{
    char go;
    sigset_t none;
    sigemptyset(&none);
    /* Now, and again below because a change of ids takes it back: the pipe alone does not tell of a parent that was killed here, its
     * writing end is also in what other threads have started at this moment. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        return;
    if (read(ready, &go, 1) != 1)
        return;
    if (p->user_namespace && setns(*p->user_namespace, CLONE_NEWUSER) < 0)
        return;
    if (!p->keep_ids && !stays && become(p->neutral_userns || p->user_namespace ? 0 : p->uid) < 0)
        return;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || (!p->neutral_userns && getppid() != parent))
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || chdir("/") < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        return;
    if (socket != WORKER_SOCKET && dup2(socket, WORKER_SOCKET) < 0)
        return;
    if (fcntl(WORKER_SOCKET, F_SETFD, 0) < 0)
        return;
    if (syscall(SYS_close_range, (unsigned)(WORKER_SOCKET + 1), ~0U, (unsigned)CLOSE_RANGE_CLOEXEC) < 0)
        return;
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    char *argv[] = {(char *)(uintptr_t)p->program, NULL};
    char *envp[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
    if (apply_limits(p) < 0) /* last: what is open here may be more than the worker may have */
        return;
    (void)syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
}

static int open_proc(pid_t pid, struct err *e)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "/proc/%d", (int)pid);
    int proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return proc < 0 ? err_errno(e, "open %s", name) : proc;
}

static int write_own_map(pid_t pid, uid_t inside, struct err *e)
{
    _cleanup_close_ int proc = open_proc(pid, e);
    int r = proc < 0 ? proc : io_write_existing_at(proc, "setgroups", "deny", e);
    if (r == 0)
        r = io_write_existingf_at(proc, "uid_map", e, "%u %u 1\n", inside, geteuid());
    return r < 0 ? r : io_write_existingf_at(proc, "gid_map", e, "%u %u 1\n", inside, getegid());
}

static int write_maps(pid_t pid, struct err *e)
{
    _cleanup_close_ int proc = open_proc(pid, e);
    if (proc < 0)
        return proc;
    struct id_map maps[IDENTITY_BLOCK_MAPS];
    _cleanup_buf_ struct buf text = {0};
    size_t count = identity_block_map(IDS_NEUTRAL, maps);
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++)
        r = buf_printf(&text, MAP_TEXT_MAX, e, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].count);
    if (r == 0)
        r = io_write_existing_at(proc, "uid_map", text.data, e);
    return r < 0 ? r : io_write_existing_at(proc, "gid_map", text.data, e);
}

int worker_start(const struct worker_profile *profile, struct worker *ret_worker, struct err *e)
{
    struct worker w = WORKER_INIT;
    int pair[2];
    int ready[2];
    _cleanup_close_ int program =
        program_open(profile->program, WORKER_SOCKET + 1, e); /* its number must not be the socket's */
    if (program < 0)
        return program;
    int r = ipc_pair(pair, e);
    if (r < 0)
        return r;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int ready_read = ready[0];
    _cleanup_close_ int ready_write = ready[1];
    pid_t parent = getpid();
    bool stays = must_stay(profile);
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_NEWIPC | CLONE_NEWUTS | (profile->keep_network ? 0 : CLONE_NEWNET) |
                 (profile->neutral_userns || stays ? CLONE_NEWUSER : 0),
        .pidfd = (uint64_t)(uintptr_t)&w.pidfd,
        .exit_signal = SIGCHLD,
    };
    w.pid = sys_clone3(&args);
    if (w.pid < 0)
        return err_errno(e, "start %s", profile->program);
    if (w.pid == 0) {
        child_run(profile, stays, program, theirs, ready_read, parent);
        _exit(127);
    }
    w.program = profile->program;
    w.socket = steal_fd(&ours);
    if (profile->neutral_userns)
        r = write_maps(w.pid, e);
    else if (stays)
        r = write_own_map(w.pid, profile->uid, e);
    if (r == 0)
        r = io_write_all(ready_write, "g", 1, e);
    if (r < 0) {
        worker_stop(&w);
        return err_wrap(e, "start %s", profile->program);
    }
    *ret_worker = w;
    return 0;
}

/* The worker has closed its socket: says how it ended. */
static int ended(struct worker *w, struct err *e)
{
    siginfo_t info = {0};
    const char *program = w->program;
    int r = -1;
    do
        r = waitid(P_PIDFD, (id_t)w->pidfd, &info, WEXITED | WNOWAIT);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return err_errno(e, "%s ended", program);
    if (info.si_code != CLD_EXITED)
        return err_set(e, EIO, "%s was ended by signal %d (%s)", program, info.si_status,
                       strsignal(info.si_status));
    return err_set(e, EIO, "%s ended without a result (status %d)", program, info.si_status);
}

int worker_receive(struct worker *w, struct ipc_message *m,
                   void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                   struct err *e)
{
    for (;;) {
        int r = ipc_receive(w->socket, m, e);
        if (r < 0)
            return err_wrap(e, "%s", w->program);
        if (r == 0)
            return ended(w, e);
        if (m->type == MESSAGE_PROGRESS && m->length == sizeof(struct message_progress)) {
            struct message_progress p;
            memcpy(&p, m->payload, sizeof(p));
            ipc_message_clear(m);
            if (progress)
                progress(p.done, p.total, context);
            continue;
        }
        if (m->type == MESSAGE_FAILED && m->length == sizeof(struct message_failed)) {
            struct message_failed f;
            memcpy(&f, m->payload, sizeof(f));
            ipc_message_clear(m);
            if (!message_text_ok(f.text, sizeof(f.text)) || f.code <= 0 || f.code > 4095)
                return err_set(e, EBADMSG, "%s: malformed failure message", w->program);
            return err_set(e, f.code, "%s", f.text);
        }
        return 0;
    }
}

void worker_stop(struct worker *w)
{
    close_fd(&w->socket);
    if (w->pidfd >= 0) {
        (void)sys_pidfd_send_signal(w->pidfd, SIGKILL);
        siginfo_t info;
        while (waitid(P_PIDFD, (id_t)w->pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
    }
    close_fd(&w->pidfd);
    w->pid = -1;
}

_Noreturn void worker_fail(const struct err *e)
{
    struct message_failed f = {.code = e->code ? e->code : EIO};
    struct err ignored = {0};
    memcpy(f.text, e->text, sizeof(f.text));
    (void)ipc_send(WORKER_SOCKET, MESSAGE_FAILED, &f, sizeof(f), NULL, 0, &ignored);
    _exit(1);
}

void worker_progress(uint64_t done, uint64_t total)
{
    struct message_progress p = {.done = done, .total = total};
    struct err ignored = {0};
    if (ipc_send(WORKER_SOCKET, MESSAGE_PROGRESS, &p, sizeof(p), NULL, 0, &ignored) < 0)
        _exit(1);
}
