/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small tools for tests of terminals and signals. Output is flushed after every line, so that a test can wait for it.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/hello.h"

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGUSR1, "USR1"},   {SIGUSR2, "USR2"},
    {SIGTERM, "TERM"}, {SIGCONT, "CONT"}, {SIGALRM, "ALRM"}, {SIGWINCH, "WINCH"},
};

static void line_print(const char *text)
{
    puts(text);
    (void)fflush(stdout);
}

/* Blocks the signals of the table, so that sigwaitinfo gets them; process 1 gets none otherwise. */
static void signals_block(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)sigaddset(ret_set, signals[i].number);
    (void)sigprocmask(SIG_BLOCK, ret_set, NULL);
}

static const char *signal_name(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (signals[i].number == number)
            return signals[i].name;
    return "?";
}

static int signal_next(const sigset_t *set)
{
    int number;
    do
        number = sigwaitinfo(set, NULL);
    while (number < 0 && errno == EINTR);
    return number;
}

int verb_signals(int argc, char **argv)
{
    bool ignore = argc == 2 && strcmp(argv[1], "--ignore") == 0;
    sigset_t set;
    if (argc > 1 && !ignore) {
        fputs("usage: hello signals [--ignore]\n", stderr);
        return 2;
    }
    signals_block(&set);
    line_print("ready");
    for (;;) {
        int number = signal_next(&set);
        if (number < 0)
            return verb_fail("signals", "wait");
        line_print(signal_name(number));
        if (number == SIGTERM && !ignore)
            return 0;
    }
}

static void size_print(void)
{
    struct winsize size = {0};
    char text[64];
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) {
        line_print("no terminal");
        return;
    }
    (void)snprintf(text, sizeof(text), "terminal %u rows %u columns", size.ws_row, size.ws_col);
    line_print(text);
}

int verb_tty(int argc, char **argv)
{
    bool watch = argc == 2 && strcmp(argv[1], "--watch") == 0;
    sigset_t set;
    if (argc > 1 && !watch) {
        fputs("usage: hello tty [--watch]\n", stderr);
        return 2;
    }
    signals_block(&set);
    size_print();
    while (watch) {
        int number = signal_next(&set);
        if (number == SIGWINCH)
            size_print();
        else
            return 0;
    }
    return isatty(STDIN_FILENO) ? 0 : 1;
}
