/* SPDX-License-Identifier: Apache-2.0 */
/* casemate-enter: reads its job, becomes the user, waits for the start, becomes the program (enter.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enter/enter.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

/* Whoever connects is the runtime: the socket is in a directory of root's. */
static void await_start(void)
{
    int connection;
    while ((connection = accept4(job->start, NULL, NULL, SOCK_CLOEXEC)) < 0 && errno == EINTR)
        ;
    if (connection < 0)
        fail(1, "wait for the start", NULL);
    fail_to(connection);
    close(job->start);
}

static void close_on_exec(void)
{
    unsigned first = 3 + job->keep_fds;
    if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail(1, "close descriptors", NULL);
}

static void default_signals(void)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv)
{
    job_open(argc == 2 ? argv[1] : "");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        fail(1, "prctl", NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* whoever made this process may be gone */
    close_on_exec();
    become_user();
    char **args = job_strings(&job->args);
    char **env = environment_with_home(job_strings(&job->env));
    const char *program = find_program(args[0]);
    bool late = (job->flags & ENTER_SECCOMP) && (job->flags & ENTER_NO_NEW_PRIVS);
    if (late && (job->flags & ENTER_LISTENER)) {
        install_filter(); /* whoever takes the listener waits for the creation, not for the start */
        late = false;
    }
    tell(ENTER_READY, 0);
    if (job->start >= 0) {
        close(job->sync);
        await_start();
    }
    default_signals();
    if (late)
        install_filter(); /* the hooks run under it, as they do with runc */
    run_hooks();
    execve(program, args, env);
    fail(errno == ENOENT ? 127 : 126, "exec", args[0]);
}
