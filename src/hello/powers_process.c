/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers over other processes and wide kernel interfaces (contract: try_powers.h). The "other process" is always one of the
 * probe's own: its parent, or a helper that waits to be ended.
 */
#include "hello/try_powers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <asm/ldt.h>
#endif

#include "base/cleanup.h"
#include "hello/raw_syscall.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define USERFAULT_USER_MODE_ONLY 1
#define KEYRING_OF_PROCESS (-2)
#define POLICY_FIFO 1
#define PERSONALITY_ASK 0xffffffff

static long address_of(const void *p)
{
    return (long)(intptr_t)p;
}

/* Closes what a call gave; 1 when it gave something. */
static long descriptor_given(long fd)
{
    if (fd >= 0)
        close((int)fd);
    return fd >= 0;
}

/* A key in the keyring of this process, which ends with it. */
static long try_keyring(const void *unused)
{
    (void)unused;
    return raw(SYS_add_key, address_of("user"), address_of("casemate-probe"), address_of("x"), 1,
               KEYRING_OF_PROCESS) > 0;
}

static long try_perf(const void *unused)
{
    (void)unused;
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(event),
                                    .config = PERF_COUNT_SW_TASK_CLOCK,
                                    .disabled = 1,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
    return descriptor_given(raw(SYS_perf_event_open, address_of(&event), 0, -1, -1, 0));
}

static long try_io_uring(const void *unused)
{
    (void)unused;
    struct io_uring_params parameters = {0};
    return descriptor_given(raw(SYS_io_uring_setup, 1, address_of(&parameters)));
}

static long try_userfaultfd(const void *unused)
{
    (void)unused;
    return descriptor_given(raw(SYS_userfaultfd, USERFAULT_USER_MODE_ONLY));
}

static long try_process_vm_readv(const void *unused)
{
    (void)unused;
    static const char there = 'x'; /* at the same address in the parent, of which this is a fork */
    char here = 0;
    struct iovec local = {&here, 1};
    struct iovec remote = {(void *)(uintptr_t)&there, 1};
    return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) == 1;
}

static long try_ptrace(const void *unused)
{
    (void)unused;
    pid_t helper = fork();
    if (helper == 0) {
        (void)pause();
        _exit(0);
    }
    if (helper < 0)
        return 0;
    long seized = ptrace(PTRACE_SEIZE, helper, NULL, NULL);
    (void)kill(helper, SIGKILL);
    (void)waitpid(helper, NULL, 0);
    return seized == 0;
}

/* EBADF comes after the privilege check, when the parent has no standard input. */
static long try_pidfd_getfd(const void *unused)
{
    (void)unused;
    long parent = raw(SYS_pidfd_open, getppid(), 0);
    if (parent < 0)
        return 0;
    long fd = raw(SYS_pidfd_getfd, parent, STDIN_FILENO, 0);
    close((int)parent);
    return descriptor_given(fd) || fd == -EBADF;
}

/* No address space randomisation for what this child would execute. */
static long try_personality(const void *unused)
{
    (void)unused;
    if (raw(SYS_personality, ADDR_NO_RANDOMIZE) < 0)
        return 0;
    long now = raw(SYS_personality, PERSONALITY_ASK);
    return now > 0 && (now & ADDR_NO_RANDOMIZE);
}

static long try_priority(const void *unused)
{
    (void)unused;
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 0);
    return errno == 0 && setpriority(PRIO_PROCESS, 0, now - 1) == 0;
}

static long try_realtime(const void *unused)
{
    (void)unused;
    static const int priority = 1;
    return raw(SYS_sched_setscheduler, 0, POLICY_FIFO, address_of(&priority)) == 0;
}

/* Needs CAP_SYS_RESOURCE: a hard limit above the one that it has. */
static long try_rlimit(const void *unused)
{
    (void)unused;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NICE, &limit) < 0 || limit.rlim_max == RLIM_INFINITY)
        return 0;
    limit.rlim_max++;
    return setrlimit(RLIMIT_NICE, &limit) == 0;
}

/* Types into a terminal. It is a new one of this child, not the user's. */
static long try_tiocsti(const void *unused)
{
    (void)unused;
    _cleanup_close_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || unlockpt(master) < 0)
        return 0;
    const char *name = ptsname(master);
    _cleanup_close_ int terminal = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    return terminal >= 0 && ioctl(terminal, TIOCSTI, "x") == 0;
}

static long try_modify_ldt(const void *unused)
{
    (void)unused;
#if defined(__x86_64__)
    struct user_desc segment = {.entry_number = 0, .limit = 1, .seg_32bit = 1, .useable = 1};
    return raw(SYS_modify_ldt, 1, address_of(&segment), sizeof(segment)) == 0;
#else
    return 0;
#endif
}

struct powers powers_process(void)
{
    static const struct power list[] = {
        {"keyring", try_keyring},
        {"perf_events", try_perf},
        {"io_uring", try_io_uring},
        {"userfaultfd", try_userfaultfd},
        {"process_vm_readv", try_process_vm_readv},
        {"ptrace", try_ptrace},
        {"pidfd_getfd", try_pidfd_getfd},
        {"personality", try_personality},
        {"raise_priority", try_priority},
        {"realtime", try_realtime},
        {"raise_limit", try_rlimit},
        {"type_into_terminal", try_tiocsti},
        {"modify_ldt", try_modify_ldt},
    };
    return (struct powers){list, ARRAY_SIZE(list)};
}
