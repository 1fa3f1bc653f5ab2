/* SPDX-License-Identifier: Apache-2.0 */
/* Running hooks (hooks.h). They are the caller's own programs: trusted, but not to be waited for without end. */
#include "oci/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"
#include "base/syscalls.h"

#define SAID_MAX 4096 /* of a hook's standard error */
#define MILLISECOND 1000000LL

static _Noreturn void become(const struct oci_hook *h, int input, int errors)
{
    sigset_t none;
    char *alone[] = {(char *)(uintptr_t)h->path, NULL};
    char *nothing[] = {NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(null >= 0 ? null : errors, STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(126);
    execve(h->path, h->args.count > 0 ? h->args.items : alone, h->env.count > 0 ? h->env.items : nothing);
    dprintf(STDERR_FILENO, "%s: %s", h->path, strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* What it says until it has ended, or the time is over. True when it has ended. */
static bool listen_to(int pidfd, int errors, int64_t end, char said[SAID_MAX])
{
    size_t length = 0;
    struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
    for (;;) {
        int64_t left = end == 0 ? -1 : (end - clock_monotonic()) / MILLISECOND;
        if (end != 0 && left <= 0)
            return false;
        int n = poll(p, 2, (int)(left > INT32_MAX ? INT32_MAX : left));
        if (n < 0 && errno != EINTR)
            return true;
        if (n > 0 && p[1].revents) {
            char more[512];
            ssize_t got = read(errors, more, sizeof(more));
            size_t room = SAID_MAX - 1 - length;
            size_t take = got > 0 ? ((size_t)got < room ? (size_t)got : room) : 0;
            memcpy(said + length, more, take);
            length += take;
            said[length] = '\0';
            p[1].fd = got > 0 ? errors : -1;
        }
        if (n > 0 && p[0].revents && !(p[1].fd >= 0 && p[1].revents & POLLIN))
            return true;
    }
}

static int judge(const struct oci_hook *h, int status, char *said, struct err *e)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    for (size_t n = strlen(said); n > 0 && said[n - 1] == '\n'; n--)
        said[n - 1] = '\0';
    if (WIFSIGNALED(status))
        return err_set(e, ECANCELED, "%s: ended by signal %d%s%s", h->path, WTERMSIG(status),
                       *said ? ": " : "", said);
    return err_set(e, ECANCELED, "%s: exit status %d%s%s", h->path, WEXITSTATUS(status), *said ? ": " : "",
                   said);
}

static int run(const struct oci_hook *h, const char *state, struct err *e)
{
    char said[SAID_MAX] = "";
    int input[2], errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) < 0)
        return err_errno(e, "socketpair");
    _cleanup_close_ int theirs = input[0];
    _cleanup_close_ int ours = input[1];
    if (pipe2(errors, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int hear = errors[0];
    _cleanup_close_ int speak = errors[1];
    pid_t pid = fork();
    if (pid == 0)
        become(h, theirs, speak);
    if (pid < 0)
        return err_errno(e, "fork");
    close_fd(&theirs);
    close_fd(&speak);
    /* A socket's buffer takes the whole state; a hook that does not read it holds nobody up. */
    (void)!send(ours, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
    close_fd(&ours);
    _cleanup_close_ int pidfd = sys_pidfd_open(pid);
    int64_t end = h->timeout.set ? clock_monotonic() + h->timeout.value * CLOCK_SECOND : 0;
    bool ended = pidfd < 0 || listen_to(pidfd, hear, end, said);
    int status = 0;
    if (!ended)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return err_set(e, ETIMEDOUT, "%s: has not ended within %lld seconds", h->path,
                       (long long)h->timeout.value);
    return judge(h, status, said, e);
}

static int run_at(const struct schema_list *hooks, size_t i, const char *name, const char *state,
                  struct err *e)
{
    int r = run(OCI_ITEM(hooks, struct oci_hook, i), state, e);
    return r < 0 ? err_wrap(e, "hooks.%s[%zu]", name, i) : 0;
}

int oci_hooks_run(const struct schema_list *hooks, const char *name, const char *state, struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < hooks->count && r == 0; i++)
        r = run_at(hooks, i, name, state, e);
    return r;
}

void oci_hooks_run_all(const struct schema_list *hooks, const char *name, const char *state,
                       struct str_list *warnings)
{
    for (size_t i = 0; i < hooks->count; i++) {
        struct err failed = {0}, ignored = {0};
        if (run_at(hooks, i, name, state, &failed) < 0 && warnings)
            (void)str_list_add(warnings, failed.text, &ignored);
    }
}
