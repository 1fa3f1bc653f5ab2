/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children for single tries (attempt.h). The result comes back in one shared page; a pipe whose end nobody but the child
 * holds tells when it is over.
 */
#include "hello/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MS 2000

struct answer {
    int given;
    long value;
};

/* One page for the life of the program; attempts run one after the other. */
static volatile struct answer *answer_page(void)
{
    static volatile struct answer *page;
    if (!page) {
        void *p =
            mmap(NULL, sizeof(struct answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        page = p == MAP_FAILED ? NULL : p;
    }
    return page;
}

static void child_run(long (*what)(const void *), const void *argument, volatile struct answer *answer)
{
    static const struct rlimit no_core = {0, 0};
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    answer->value = what(argument);
    answer->given = 1;
    _exit(0);
}

/* Waits for the other end of the pipe to close. False when the time was over first. */
static bool pipe_closes(int fd, int milliseconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int r;
    do
        r = poll(&p, 1, milliseconds);
    while (r < 0 && errno == EINTR);
    return r != 0;
}

static struct attempt judge(int status, bool in_time, const volatile struct answer *answer)
{
    if (answer->given)
        return (struct attempt){ATTEMPT_RETURNED, answer->value};
    if (!in_time)
        return (struct attempt){ATTEMPT_WAITING, 0};
    if (WIFSIGNALED(status))
        return (struct attempt){ATTEMPT_KILLED, WTERMSIG(status)};
    return (struct attempt){ATTEMPT_EXITED, WEXITSTATUS(status)};
}

struct attempt attempt_run(long (*what)(const void *argument), const void *argument, int milliseconds)
{
    static const struct attempt unknown = {ATTEMPT_UNKNOWN, 0};
    volatile struct answer *answer = answer_page();
    _cleanup_close_ int reader = -1, writer = -1;
    int ends[2], status = 0;

    if (!answer || pipe2(ends, O_CLOEXEC) < 0)
        return unknown;
    reader = ends[0];
    writer = ends[1];
    answer->given = 0;
    answer->value = 0;

    pid_t child = fork();
    if (child < 0)
        return unknown;
    if (child == 0)
        child_run(what, argument, answer);
    close_fd(&writer);

    bool in_time = pipe_closes(reader, milliseconds);
    if (!in_time)
        (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return unknown;
    return judge(status, in_time, answer);
}

bool attempt_succeeds(long (*what)(const void *argument), const void *argument)
{
    struct attempt a = attempt_run(what, argument, ANSWER_MS);
    return a.end == ATTEMPT_RETURNED && a.value != 0;
}
