/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls reachable: each call of the table is made once, in a child, with arguments that cannot do anything. One child makes
 * many; when a call ends it, the next child goes on behind that call.
 *
 * Reachable means that the answer is neither EPERM nor ENOSYS and that the call did not end the child with SIGSYS. A filter may
 * also refuse with an errno that makes programs go on without the call; a rule names it where the kernel cannot give that answer to the
 * rule's arguments. A filter cannot be told from the kernel when both say EPERM: arguments are therefore chosen so that the kernel finds another fault
 * before it looks at privileges where its code allows that. Where the privilege comes first (setgroups, sethostname, reboot, pivot_root,
 * fsopen, kexec_load, init_module, acct, vhangup …) EPERM counts as not reachable, which it is.
 *
 * Harmless by construction, also for root on a bare host: every argument is -1 unless a rule below says otherwise. As a descriptor
 * that is EBADF, as a pointer EFAULT, as a size, a flag word or a command EINVAL; for reboot it is a wrong magic number, for
 * kexec_load, finit_module and swapon flags that do not exist, for init_module a file of no bytes.
 * Calls without arguments act on the child only (vhangup: it has no terminal). `sync` writes back what is dirty, which every user may ask for.
 */
#include "hello/try_syscalls.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/attempt.h"
#include "hello/raw_syscall.h"

/* Long enough for any call that returns; a call that waits has been let in. */
#define RETURN_MS 2000
#define WAIT_MS 10

#define EXIT_MARK 77

enum manner {
    CALL_PLAIN,
    CALL_FORKS,     /* returns 0 in a second process, which ends at once */
    CALL_WAITS,     /* does not return, or only after long */
    CALL_EXITS,     /* ends the child with the status EXIT_MARK */
    CALL_SESSION,   /* must not lead a session yet */
    CALL_SIGRETURN, /* made by the end of a signal handler; where it is denied, the child cannot go on */
};

struct call {
    long number;
    const char *name;
};

static const struct call calls[] = {
#define SYSCALL(number, name) {number, #name},
#if defined(__x86_64__)
#include "base/syscalls_x86_64.h"
#else
#include "base/syscalls_arm64.h"
#endif
#undef SYSCALL
};

struct rule {
    const char *name;
    enum manner manner;
    long arguments[RAW_ARGS];
    int refusal; /* an errno that only a filter gives; 0: none but the usual two */
};

#define ALL_WRONG              \
    {                          \
        -1, -1, -1, -1, -1, -1 \
    }

static const long all_wrong[RAW_ARGS] = ALL_WRONG;

/* Constants of calls that the headers of musl or of older kernels lack. */
#define CLONE_SIGHAND_ALONE 0x800 /* CLONE_SIGHAND without CLONE_VM: EINVAL */
#define FUTEX_WAKE_PRIVATE_OP 129
#define FANOTIFY_REPORT_FID 0x200 /* what a user may ask for; the wrong event flags give EINVAL */
#define SYSLOG_SIZE_BUFFER 10     /* only asks for a size */
#define AF_UNIX_FAMILY 1

#define XATTR_RULE(name)                        \
    {                                           \
        name, CALL_PLAIN, ALL_WRONG, EOPNOTSUPP \
    }

static const struct rule rules[] = {
    {"fork", CALL_FORKS, {0}},
    {"vfork", CALL_FORKS, {0}},
    {"clone", CALL_PLAIN, {CLONE_SIGHAND_ALONE, 0, 0, 0, 0, 0}},
    {"exit", CALL_EXITS, {EXIT_MARK, 0, 0, 0, 0, 0}},
    {"exit_group", CALL_EXITS, {EXIT_MARK, 0, 0, 0, 0, 0}},
    {"pause", CALL_WAITS, {0}},
    {"sync", CALL_WAITS, {0}},
    {"rt_sigreturn", CALL_SIGRETURN, {0}},
    {"setsid", CALL_SESSION, {0}},
    /* pid -1 means everyone: a pid that cannot exist and no signal. */
    {"kill", CALL_PLAIN, {0x7fffffff, 0, 0, 0, 0, 0}},
    /* -1 would say ENOSYS for an unknown command. */
    {"futex", CALL_PLAIN, {-1, FUTEX_WAKE_PRIVATE_OP, 1, 0, 0, 0}},
    /* -1 has an old flag that the kernel writes a line about. */
    {"flock", CALL_PLAIN, {-1, 0, 0, 0, 0, 0}},
    {"modify_ldt", CALL_PLAIN, {0, -1, 0, 0, 0, 0}},
    /* -1 as flags would create a queue that stays: ask for keys that nobody has, without IPC_CREAT. */
    {"msgget", CALL_PLAIN, {0x0ca5e0ff, 0, 0, 0, 0, 0}},
    {"semget", CALL_PLAIN, {0x0ca5e0ff, 0, 0, 0, 0, 0}},
    {"shmget", CALL_PLAIN, {0x0ca5e0ff, 1, 0, 0, 0, 0}},
    /* A family that every profile allows, so that the call is judged and not the family; the type is wrong. */
    {"socket", CALL_PLAIN, {AF_UNIX_FAMILY, -1, 0, 0, 0, 0}},
    {"socketpair", CALL_PLAIN, {AF_UNIX_FAMILY, -1, 0, -1, 0, 0}},
    {"fanotify_init", CALL_PLAIN, {FANOTIFY_REPORT_FID, -1, 0, 0, 0, 0}},
    {"syslog", CALL_PLAIN, {SYSLOG_SIZE_BUFFER, 0, 0, 0, 0, 0}},
    /* Nothing to unshare; namespaces are judged among the powers. */
    {"unshare", CALL_PLAIN, {0, 0, 0, 0, 0, 0}},
    {"alarm", CALL_PLAIN, {0, 0, 0, 0, 0, 0}},
    {"umask", CALL_PLAIN, {022, 0, 0, 0, 0, 0}},
    {"personality", CALL_PLAIN, {0xffffffff, 0, 0, 0, 0, 0}},
    /* Nothing to load: ENOEXEC. */
    {"init_module", CALL_PLAIN, {-1, 0, -1, 0, 0, 0}},
    /* Levels are 0 to 3. */
    {"iopl", CALL_PLAIN, {4, 0, 0, 0, 0, 0}},
    /* Right but for the descriptors: the kernel says EBADF. */
    {"splice", CALL_PLAIN, {-1, 0, -1, 0, 1, 0}, EINVAL},
    {"tee", CALL_PLAIN, {-1, -1, 1, 0, 0, 0}, EINVAL},
    {"vmsplice", CALL_PLAIN, {-1, 0, 1, 0, 0, 0}, EINVAL},
    /* The kernel comes to no file system that could lack attributes: EBADF, EFAULT or EINVAL. */
    XATTR_RULE("setxattr"),
    XATTR_RULE("lsetxattr"),
    XATTR_RULE("fsetxattr"),
    XATTR_RULE("getxattr"),
    XATTR_RULE("lgetxattr"),
    XATTR_RULE("fgetxattr"),
    XATTR_RULE("listxattr"),
    XATTR_RULE("llistxattr"),
    XATTR_RULE("flistxattr"),
    XATTR_RULE("removexattr"),
    XATTR_RULE("lremovexattr"),
    XATTR_RULE("fremovexattr"),
};

static const struct rule *rule_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

/* Results of the calls that came back, in memory shared with the children. */
struct board {
    size_t at; /* the call being made, or the one after the last */
    long result[ARRAY_SIZE(calls)];
};

static volatile struct board *board;

static enum manner call_manner(size_t i)
{
    const struct rule *rule = rule_find(calls[i].name);
    return rule ? rule->manner : CALL_PLAIN;
}

static const long *call_arguments(size_t i)
{
    const struct rule *rule = rule_find(calls[i].name);
    return rule ? rule->arguments : all_wrong;
}

static long call_make(size_t i)
{
    return raw_syscall(calls[i].number, call_arguments(i));
}

static void handler_empty(int number)
{
    (void)number;
}

static long handler_returns(void)
{
    if (signal(SIGUSR1, handler_empty) == SIG_ERR)
        return -EPERM;
    return raise(SIGUSR1);
}

/* Makes the call in a second child and gives back what it got there. */
static long session_call(size_t i)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(call_make(i) < 0 ? EXIT_MARK : 0);
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == EXIT_MARK)
        return -EPERM;
    return 0;
}

static void child_prepare(void)
{
    /* No core of a child that uretprobe ends, and the privilege-free way into seccomp and landlock. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* One call that needs a child of its own. */
static long run_alone(const void *argument)
{
    size_t i = *(const size_t *)argument;
    enum manner manner = call_manner(i);
    child_prepare();
    board->at = i;
    if (manner == CALL_SIGRETURN)
        return handler_returns();
    if (manner == CALL_SESSION)
        return session_call(i);
    long result = call_make(i);
    if (manner == CALL_FORKS && result == 0)
        raw(SYS_exit_group, 0);
    if (manner == CALL_FORKS && result > 0)
        (void)waitpid((pid_t)result, NULL, 0);
    return result;
}

/* Plain calls one after the other, from the given one on. They change nothing, so they do not disturb each other either. */
static long run_row(const void *argument)
{
    size_t i = *(const size_t *)argument;
    child_prepare();
    for (; i < ARRAY_SIZE(calls) && call_manner(i) == CALL_PLAIN; i++) {
        board->at = i;
        board->result[i] = call_make(i);
    }
    board->at = i;
    return 0;
}

static bool result_reaches(size_t i, long result)
{
    const struct rule *rule = rule_find(calls[i].name);
    if (rule && rule->refusal && result == -rule->refusal)
        return false;
    return result != -EPERM && result != -ENOSYS;
}

/* How the call ended in which the child was. */
static bool end_reaches(const struct attempt *a, size_t i)
{
    enum manner manner = call_manner(i);
    switch (a->end) {
    case ATTEMPT_RETURNED:
        return result_reaches(i, a->value);
    case ATTEMPT_EXITED:
        return a->value == EXIT_MARK;
    case ATTEMPT_KILLED:
        return a->value != SIGSYS && manner != CALL_SIGRETURN;
    case ATTEMPT_WAITING:
        return true;
    case ATTEMPT_UNKNOWN:
        return false;
    }
    return false;
}

/* Makes the plain calls from `start` on until one ends the child. Returns the first that was not made. */
static size_t try_row(size_t start, struct names *reachable)
{
    board->at = start;
    struct attempt a = attempt_run(run_row, &start, RETURN_MS);
    size_t end = board->at;
    for (size_t i = start; i < end; i++)
        if (result_reaches(i, board->result[i]))
            names_add(reachable, calls[i].name);
    if (a.end == ATTEMPT_RETURNED)
        return end;
    if (end_reaches(&a, end))
        names_add(reachable, calls[end].name);
    return end + 1;
}

size_t try_syscalls(struct names *reachable)
{
    void *shared = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 0;
    board = shared;
    for (size_t i = 0; i < ARRAY_SIZE(calls);) {
        enum manner manner = call_manner(i);
        if (manner == CALL_PLAIN) {
            i = try_row(i, reachable);
            continue;
        }
        struct attempt a = attempt_run(run_alone, &i, manner == CALL_WAITS ? WAIT_MS : RETURN_MS);
        if (end_reaches(&a, i))
            names_add(reachable, calls[i].name);
        i++;
    }
    (void)munmap(shared, sizeof(*board));
    board = NULL;
    return ARRAY_SIZE(calls);
}
