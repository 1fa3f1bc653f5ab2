/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-init -- COMMAND [ARGUMENT…]: process 1 of a container that was started with --init.
 *
 * It starts COMMAND as its child, passes on the signals that it gets, reaps every process that is left to it, and ends with
 * the child's status (128 + signal when it was killed); the kernel then kills what is left. It opens no file and needs
 * neither /proc nor anything else of the image; it is as trusted as the container that it runs in.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STATUS_USAGE 125
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127
#define STATUS_SIGNAL 128

/* They belong to what this program itself does wrong, so they are not passed on. */
static const int own_signals[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

/* The child leads a process group of its own and, on a terminal, the one in the foreground: Ctrl-C is for it alone. */
static void take_terminal(void)
{
    if (setpgid(0, 0) < 0 || !isatty(STDIN_FILENO))
        return;
    (void)tcsetpgrp(STDIN_FILENO, getpgrp());
}

static void run_child(char **command, const sigset_t *mask)
{
    take_terminal();
    (void)signal(SIGTTIN, SIG_DFL);
    (void)signal(SIGTTOU, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    (void)execvp(command[0], command);
    int code = errno;
    (void)dprintf(STDERR_FILENO, "casemate-init: %s: %s\n", command[0], strerror(code));
    _exit(code == ENOENT || code == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE);
}

/* Reaps all that has ended. True when the child was among them; its status is in *ret_status. */
static bool reap(pid_t child, int *ret_status)
{
    bool ended = false;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != child)
            continue;
        ended = true;
        *ret_status = WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return ended;
}

static int supervise(pid_t child, const sigset_t *signals)
{
    int status = 0;
    for (;;) {
        int sig = sigwaitinfo(signals, NULL);
        if (sig == SIGCHLD) {
            if (reap(child, &status))
                return status;
        } else if (sig > 0) {
            (void)kill(child, sig);
        }
    }
}

int main(int argc, char **argv)
{
    char **command = argv + 1;
    (void)prctl(PR_SET_NAME, "casemate-init"); /* it was executed by descriptor: the name would be a number */
    if (argc > 1 && strcmp(argv[1], "--") == 0)
        command++;
    if (argc < 2 || !*command) {
        (void)dprintf(STDERR_FILENO, "usage: casemate-init -- COMMAND [ARGUMENT...]\n");
        return STATUS_USAGE;
    }
    sigset_t signals;
    sigset_t before;
    (void)sigfillset(&signals);
    for (size_t i = 0; i < ARRAY_SIZE(own_signals); i++)
        (void)sigdelset(&signals, own_signals[i]);
    (void)sigprocmask(SIG_SETMASK, &signals, &before);
    /* Giving the terminal away must not stop us. */
    (void)signal(SIGTTIN, SIG_IGN);
    (void)signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child < 0) {
        (void)dprintf(STDERR_FILENO, "casemate-init: fork: %s\n", strerror(errno));
        return STATUS_CANNOT_EXECUTE;
    }
    if (child == 0)
        run_child(command, &before);
    return supervise(child, &signals);
}
