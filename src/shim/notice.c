/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notice process: one per container, a child of the shim, which it does not outlive. It holds the listener of the container's filter
 * (runtime/notice.h), counts each refused call, and answers it as the filter or the kernel would have.
 *
 * All it reads are the kernel's fixed-size notices, and the names of processes, of which it makes hexadecimal digits. It never lets a call
 * through that the filter refuses: only those that the filter allows always, and that were shown because the kernel will refuse them, go
 * on to the kernel. When it is gone the kernel refuses them all with ENOSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/shim.h"

#define QUICK_MAX 2000       /* notices that are answered at once; a container that goes on is slowed down */
#define SLOW_NS (100 * 1000) /* so that it cannot keep a processor busy that is not its own */
#define LINES_MAX (SHIM_DENIALS_MAX - 2) /* of calls; the first line and "pids" are the others */
#define OTHERS (LINES_MAX - 1)           /* the line for all that have none */

struct line {
    int number;
    uint64_t count; /* 0: free */
    char name[SHIM_DENIAL_NAME_MAX + 1];
};

struct notice {
    int record; /* -1: not opened yet */
    uint64_t total;
    struct line lines[LINES_MAX];
};

/* A listener's notice is as large as the running kernel says; ours is what this one was built with. */
union received {
    struct seccomp_notif notice;
    unsigned char space[512];
};

static bool kernel_answers(int number)
{
    static const int numbers[] = {
#ifdef SYS_chown
        SYS_chown,  SYS_lchown,
#endif
        SYS_fchown, SYS_fchownat, SYS_setuid, SYS_setgid, SYS_setresuid, SYS_setresgid, SYS_setgroups,
    };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static void read_name(uint32_t pid, char name[SHIM_DENIAL_NAME_MAX + 1])
{
    char path[32];
    (void)snprintf(path, sizeof(path), "%u/comm", (unsigned)pid);
    int fd = openat(SHIM_FD_PROC, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, name, SHIM_DENIAL_NAME_MAX);
    if (fd >= 0)
        close(fd);
    name[n < 0 ? 0 : n] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* The place of a call's line: its own, the first free one, or that of the others. */
static size_t find_line(const struct notice *x, int number)
{
    size_t i = 0;
    while (i < OTHERS && x->lines[i].count > 0 && x->lines[i].number != number)
        i++;
    return i;
}

static void count(struct notice *x, const struct seccomp_notif *n)
{
    char text[SHIM_DENIAL_LINE];
    size_t at = find_line(x, n->data.nr);
    struct line *l = &x->lines[at];
    if (l->count == 0 && at < OTHERS) {
        l->number = n->data.nr;
        read_name(n->pid, l->name);
        /* The process is the one that was read about if it still waits for its answer. */
        if (ioctl(SHIM_FD_NOTICE, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) < 0)
            l->name[0] = '\0';
    }
    l->count++;
    x->total++;
    denials_format(text, at < OTHERS ? "call" : "others", l->number, l->count, l->name[0] ? l->name : NULL);
    if (x->record < 0)
        x->record = denials_open();
    if (x->record >= 0)
        (void)!pwrite(x->record, text, sizeof(text), (off_t)((at + 1) * SHIM_DENIAL_LINE));
}

static void slow_down(const struct notice *x)
{
    const struct timespec pause = {.tv_nsec = SLOW_NS};
    if (x->total > QUICK_MAX)
        (void)nanosleep(&pause, NULL);
}

static void answer(struct notice *x)
{
    static union received r;
    memset(&r, 0, sizeof(r));
    if (ioctl(SHIM_FD_NOTICE, SECCOMP_IOCTL_NOTIF_RECV, &r) < 0)
        return; /* the process has been killed meanwhile */
    count(x, &r.notice);
    slow_down(x);
    struct seccomp_notif_resp reply = {.id = r.notice.id};
    if (kernel_answers(r.notice.data.nr))
        reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else
        reply.error = -EPERM;
    (void)ioctl(SHIM_FD_NOTICE, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/* What is left are the standard streams (/dev/null), the shim's directory, the listener and /proc. */
static int close_others(void)
{
    long r = syscall(SYS_close_range, 3U, (unsigned)SHIM_FD_DIR - 1, 0U);
    if (r == 0)
        r = syscall(SYS_close_range, (unsigned)SHIM_FD_DIR + 1, (unsigned)SHIM_FD_NOTICE - 1, 0U);
    if (r == 0)
        r = syscall(SYS_close_range, (unsigned)SHIM_FD_PROC + 1, ~0U, 0U);
    return r < 0 ? -errno : 0;
}

_Noreturn void notice_run(pid_t parent)
{
    static struct notice x = {.record = -1};
    (void)prctl(PR_SET_NAME, "casemate-notice");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || close_others() < 0 ||
        confine_notice() < 0)
        _exit(1);
    for (;;) {
        struct pollfd p = {.fd = SHIM_FD_NOTICE, .events = POLLIN};
        int n = poll(&p, 1, -1);
        if (n < 0 && errno != EINTR)
            _exit(1);
        if (n > 0 && p.revents & POLLIN)
            answer(&x);
        else if (n > 0)
            _exit(0); /* no process has the filter any more */
    }
}
