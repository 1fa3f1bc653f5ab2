/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From engine to shim (supervise.h). The child has the engine's privileges until become_shim, and touches nothing but what
 * the spec holds.
 */
#include "engine/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/program.h"
#include "base/shimproto.h"
#include "base/syscalls.h"
#include "engine/denials.h"
#include "engine/log_config.h"
#include "engine/mark.h"
#include "engine/record.h"
#include "engine/volume.h"
#include "runtime/create.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "store/rootless.h"

#define LISTEN_BACKLOG 16
#define SCRATCH_FD 64 /* descriptors are first moved out of the way of the fixed numbers */
#define OOM_TEXT_MAX 1024

void supervise_shim_close(struct supervise_shim *x)
{
    close_fd(&x->lock);
    close_fd(&x->listen);
}

static int give_dir(int fd, uid_t uid, struct err *e)
{
    return fchown(fd, uid, uid) < 0 || fchmod(fd, 0700) < 0
               ? err_errno(e, "change owner of the shim's directory")
               : 0;
}

/* Log files of an earlier run belong to another shim id. */
static int give_logs(int shim_dir, uid_t uid, struct err *e)
{
    _cleanup_close_ int log = path_make_dir_at(shim_dir, SHIM_LOG_DIR, 0700, e);
    _cleanup_closedir_ DIR *d = log < 0 ? NULL : fdopendir(log);
    if (!d)
        return log < 0 ? log : err_errno(e, "read the log directory");
    (void)steal_fd(&log);
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.' && fchownat(dirfd(d), entry->d_name, uid, uid, AT_SYMLINK_NOFOLLOW) < 0 &&
            errno != ENOENT)
            return err_errno(e, "change owner of the log");
    return give_dir(dirfd(d), uid, e);
}

static int make_listener(int shim_dir, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (unlinkat(shim_dir, SHIM_SOCKET_FILE, 0) < 0 && errno != ENOENT)
        return err_errno(e, "remove old " SHIM_SOCKET_FILE);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SHIM_SOCKET_FILE,
                   shim_dir);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
    (void)umask(mask);
    if (r < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        return err_errno(e, "attach socket");
    return steal_fd(&fd);
}

/* Before anything runs: an end that cannot be recorded would be lost. Not every file system can take room ahead. */
static int reserve_exit_record(int shim_dir, uid_t uid, struct err *e)
{
    _cleanup_close_ int fd =
        openat(shim_dir, SHIM_EXIT_NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchown(fd, uid, uid) < 0)
        return err_errno(e, "exit record");
    bool full =
        fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SHIM_EXIT_TEXT_MAX) < 0 && (errno == ENOSPC || errno == EDQUOT);
    return full ? err_errno(e, "room for the exit record") : 0;
}

int supervise_prepare(const struct container *c, uid_t shim_uid, struct supervise_shim *ret, struct err *e)
{
    struct supervise_shim x = SUPERVISE_SHIM_INIT;
    if ((unlinkat(c->shim_dir, SHIM_EXIT_FILE, 0) < 0 && errno != ENOENT) ||
        (unlinkat(c->shim_dir, SHIM_EXIT_NEW_FILE, 0) < 0 && errno != ENOENT) ||
        denials_forget(c->shim_dir) < 0)
        return err_errno(e, "remove old exit record");
    if (unlinkat(c->shim_dir, SHIM_LOCK_FILE, 0) < 0 && errno != ENOENT)
        return err_errno(e, "remove old lock");
    int r = give_logs(c->shim_dir, shim_uid, e);
    if (r == 0)
        r = reserve_exit_record(c->shim_dir, shim_uid, e);
    if (r < 0)
        return r;
    x.lock = openat(c->shim_dir, SHIM_LOCK_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (x.lock < 0 || flock(x.lock, LOCK_EX | LOCK_NB) < 0)
        r = err_errno(e, "shim lock");
    if (r == 0) {
        x.listen = make_listener(c->shim_dir, e);
        r = x.listen < 0 ? x.listen : give_dir(c->shim_dir, shim_uid, e);
    }
    if (r < 0) {
        supervise_shim_close(&x);
        return r;
    }
    *ret = x;
    return 0;
}

/* The container's ends (first index 0) and ours (1) of its standard streams. */
struct streams {
    int theirs[3];
    int ours[3];
};

static int make_streams(const struct plan *p, uint64_t pipe_size, struct streams *ret, struct err *e)
{
    struct streams s = {{-1, -1, -1}, {-1, -1, -1}};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (i == 0 && !p->open_stdin) {
            s.theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            s.ours[0] = open("/dev/null", O_WRONLY | O_CLOEXEC);
            if (s.theirs[0] < 0 || s.ours[0] < 0)
                return err_errno(e, "open /dev/null");
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
            return err_errno(e, "pipe");
        (void)fcntl(ends[0], F_SETPIPE_SZ, (int)pipe_size);
        s.theirs[i] = ends[i == 0 ? 0 : 1];
        s.ours[i] = ends[i == 0 ? 1 : 0];
    }
    *ret = s;
    return 0;
}

/* The counter's value before this run: "oom_kill N". */
static uint32_t read_oom_baseline(int fd)
{
    char text[OOM_TEXT_MAX];
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        unsigned value;
        if (sscanf(line, "oom_kill %u", &value) == 1)
            return value;
    }
    return 0;
}

static int make_config(const struct supervise_request *q, const struct log_config *log, int oom,
                       struct err *e)
{
    const struct plan *p = &q->container->plan;
    struct shim_config config = {
        .version = SHIM_PROTOCOL,
        .flags = (p->tty ? (uint32_t)SHIM_TTY : 0) | (p->open_stdin ? (uint32_t)SHIM_STDIN_OPEN : 0) |
                 (p->open_stdin && q->await_client ? (uint32_t)SHIM_STDIN_ONCE : 0) |
                 (q->await_client ? (uint32_t)SHIM_AWAIT_CLIENT : 0),
        .log_size_max = log->size,
        .log_files = (uint32_t)log->files,
        .oom_baseline = read_oom_baseline(oom),
        .log_flags = log->flags,
        .forward = log->forward,
        .facility = log->facility,
        .utc_offset = log->utc_offset,
        .attrs_length = (uint32_t)log->attrs.length,
        .prefix_length = (uint32_t)log->prefix.length,
    };
    memcpy(config.id, q->container->id, sizeof(config.id));
    _cleanup_close_ int fd = memfd_create("shim-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "memfd");
    int r = io_write_all(fd, &config, sizeof(config), e);
    if (r == 0)
        r = io_write_all(fd, log->attrs.data, log->attrs.length, e);
    if (r == 0)
        r = io_write_all(fd, log->prefix.data, log->prefix.length, e);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return err_errno(e, "seal the shim's configuration");
    return steal_fd(&fd);
}

/* Puts descriptors on the numbers of enum shim_fd; everything else will be closed by exec or close_range. */
static int place_descriptors(int fds[SHIM_FD_END], struct err *e)
{
    _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return err_errno(e, "open /dev/null");
    for (int i = 0; i < SHIM_FD_END; i++) {
        int moved = fcntl(fds[i] >= 0 ? fds[i] : null, F_DUPFD_CLOEXEC, SCRATCH_FD);
        if (moved < 0)
            return err_errno(e, "descriptor for the shim");
        fds[i] = moved;
    }
    for (int i = 0; i < SHIM_FD_END; i++)
        if (dup2(fds[i], i) < 0)
            return err_errno(e, "descriptor for the shim");
    return 0;
}

static int drop_privileges(uid_t uid, struct err *e)
{
    int r = process_bound_capabilities(0, e);
    if (r < 0)
        return r;
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        return err_errno(e, "become the shim's id");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(e, "no_new_privs");
    return process_set_capabilities(0, e);
}

/* Returns only on failure. */
static int become_shim(const struct supervise_request *q, int fds[SHIM_FD_END], int program, int report_fd,
                       struct err *e)
{
    char *argv[] = {(char *)(uintptr_t) "casemate-shim", NULL};
    char *envp[] = {NULL};
    sigset_t none;
    int r = place_descriptors(fds, e);
    if (r == 0)
        r = drop_privileges(q->spec->shim_uid, e);
    if (r < 0)
        return r;
    /* Who waited for the start may have been killed: the container runs all the same. */
    (void)signal(SIGPIPE, SIG_IGN);
    report_send_begun(report_fd);
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir("/") < 0)
        return err_errno(e, "chdir /");
    (void)syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
    return err_errno(e, "execute casemate-shim");
}

static int record(const struct supervise_request *q, const struct runtime_process *p, struct err *e)
{
    struct container_start start = {
        .time = clock_now(), .pid = p->pid, .shim_pid = getpid(), .block = q->block};
    int r = proc_start_time(p->pid, &start.pid_start, e);
    return r < 0 ? r : record_write_start(q->container->dir, &start, e);
}

/* The first process has them all in its view now: what it has filled is complete. */
static int note_filled(const struct spec *spec, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < spec->mount_count && r == 0; i++)
        if (spec->mounts[i].filled >= 0)
            r = volume_fill_done(spec->mounts[i].filled, e);
    return r;
}

/* In the child. Returns only on failure. */
static int run_supervisor(const struct supervise_request *q, const struct supervise_shim *shim, int report_fd,
                          struct err *e)
{
    struct streams streams = {{-1, -1, -1}, {-1, -1, -1}};
    struct runtime_process process = RUNTIME_PROCESS_INIT;
    (void)setsid();
    int program = program_open("casemate-shim", SCRATCH_FD, e); /* clear of the shim's fixed numbers */
    if (program < 0)
        return program;
    struct log_config log = LOG_CONFIG_INIT; /* ends with the process */
    int r = log_config_make(&q->container->plan, &log, e);
    if (r == 0)
        r = make_streams(&q->container->plan, log.pipe, &streams, e);
    if (r < 0)
        return r;
    struct runtime_start start = {.spec = q->spec,
                                  .cgroup = q->cgroup,
                                  .stdio = {streams.theirs[0], streams.theirs[1], streams.theirs[2]},
                                  .report_fd = report_fd};
    r = runtime_create(&start, &process, e);
    if (r == 0)
        r = note_filled(q->spec, e);
    if (r == 0)
        r = record(q, &process, e);
    int oom = cgroup_open_oom(q->cgroup);
    int config = r < 0 ? r : make_config(q, &log, oom, e);
    int exited = config < 0 ? config : mark_open_dir(q->store, MARK_EXITED, e);
    if (r == 0)
        r = exited < 0 ? exited : runtime_go(&process, e);
    if (r < 0) {
        if (process.pidfd >= 0)
            (void)sys_pidfd_send_signal(process.pidfd, SIGKILL);
        return r;
    }
    bool tty = q->container->plan.tty;
    int fds[SHIM_FD_END] = {
        [0] = -1,
        [1] = -1,
        [2] = -1,
        [SHIM_FD_CONFIG] = config,
        [SHIM_FD_PIDFD] = process.pidfd,
        [SHIM_FD_LOCK] = shim->lock,
        [SHIM_FD_DIR] = q->container->shim_dir,
        [SHIM_FD_LISTEN] = shim->listen,
        [SHIM_FD_STDIN] = tty ? process.terminal : streams.ours[0],
        [SHIM_FD_STDOUT] = tty ? -1 : streams.ours[1],
        [SHIM_FD_STDERR] = tty ? -1 : streams.ours[2],
        [SHIM_FD_EXITED] = exited,
        [SHIM_FD_OOM] = oom,
        [SHIM_FD_NOTICE] = process.listener,
        [SHIM_FD_PROC] = process.listener >= 0 ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1,
        [SHIM_FD_PIDS] = cgroup_open_pids(q->cgroup),
        [SHIM_FD_FORWARD] = log.socket,
    };
    return become_shim(q, fds, program, report_fd, e);
}

int supervise_start(const struct supervise_request *request, const struct supervise_shim *shim, struct err *e)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int read_end = report[0];
    _cleanup_close_ int write_end = report[1];
    pid_t parent = getpid();
    pid_t pid = cgroup_fork_shim(request->cgroup);
    if (pid < 0)
        return err_errno(e, "fork");
    if (pid == 0) {
        struct err failure = {0};
        int report_fd =
            fcntl(write_end, F_DUPFD_CLOEXEC, SCRATCH_FD); /* likewise: its end means that the shim runs */
        if (report_fd < 0 || close(write_end) < 0)
            _exit(RUNTIME_STATUS_ENGINE);
        if (rootless_note_self(request->store, parent, &failure) == 0)
            (void)run_supervisor(request, shim, report_fd, &failure);
        report_send(report_fd, RUNTIME_STATUS_ENGINE, &failure);
        _exit(RUNTIME_STATUS_ENGINE);
    }
    return steal_fd(&read_end);
}
