/* SPDX-License-Identifier: Apache-2.0 */
/* startContainer hooks: programs of the container, run in it before its own, with the container's state on their standard input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "enter/enter.h"

static _Noreturn void become_hook(const struct enter_hook *h, int state)
{
    char **args = job_strings(&h->args);
    char **env = job_strings(&h->env);
    char *alone[] = {(char *)(uintptr_t)job_text(h->path), NULL};
    if (dup2(state, STDIN_FILENO) < 0)
        _exit(126);
    execve(job_text(h->path), *args ? args : alone, env);
    _exit(errno == ENOENT ? 127 : 126);
}

/* The state fits into a socket's buffer or is cut there: a hook that does not read holds nobody up. */
static int state_for_hook(void)
{
    int pair[2];
    char id[16];
    int length = snprintf(id, sizeof(id), "%d", (int)getpid());
    const char *before = job_text(job->state);
    const char *after = job_text(job->state_end);
    struct iovec parts[] = {{(void *)(uintptr_t)before, strlen(before)},
                            {id, (size_t)length},
                            {(void *)(uintptr_t)after, strlen(after)}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        fail(1, "hooks.startContainer", NULL);
    (void)!sendmsg(pair[1], &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(pair[1]);
    return pair[0];
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False when the time is over. */
static bool await_hook(int pidfd, uint32_t timeout)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int64_t end = now_ms() + (int64_t)timeout * 1000;
    for (;;) {
        int64_t left = end - now_ms();
        int n = poll(&p, 1, timeout == 0 ? -1 : left > 0 ? (int)left : 0);
        if (n != 0 && !(n < 0 && errno == EINTR))
            return true;
        if (n == 0)
            return false;
    }
}

static void run_hook(const struct enter_hook *h)
{
    int status = 0;
    _cleanup_close_ int state = state_for_hook();
    pid_t pid = fork();
    if (pid < 0)
        fail(1, "hooks.startContainer", job_text(h->path));
    if (pid == 0)
        become_hook(h, state);
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
    bool ended = pidfd < 0 || await_hook(pidfd, h->timeout);
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended) {
        errno = ETIMEDOUT;
        fail(1, "hooks.startContainer", job_text(h->path));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        char text[64];
        (void)snprintf(text, sizeof(text), "hooks.startContainer: a hook ended with status %d",
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        errno = ECANCELED;
        fail(1, text, job_text(h->path));
    }
}

void run_hooks(void)
{
    const struct enter_hook *h = job_items(job->hook_offset, job->hook_count, sizeof(*h));
    for (uint32_t i = 0; i < job->hook_count; i++)
        run_hook(&h[i]);
}
