/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small tools for tests in an image that has nothing else: the process and its identity.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/hello.h"

#define SLEEP_MAX (366L * 24 * 3600)

long argument_number(const char *verb, const char *text, long min, long max)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && n >= min && n <= max)
        return n;
    fprintf(stderr, "hello: %s: %s is no number from %ld to %ld\n", verb, text, min, max);
    return -1;
}

int verb_fail(const char *verb, const char *what)
{
    fprintf(stderr, "hello: %s: %s: %s\n", verb, what, strerror(errno));
    return 1;
}

int verb_true(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int verb_exit(int argc, char **argv)
{
    long status = argc == 2 ? argument_number("exit", argv[1], 0, 255) : -1;
    return status < 0 ? 2 : (int)status;
}

int verb_sleep(int argc, char **argv)
{
    long seconds = argc == 2 ? argument_number("sleep", argv[1], 0, SLEEP_MAX) : -1;
    if (seconds < 0)
        return 2;
    struct timespec left = {.tv_sec = seconds};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
    return 0;
}

int verb_echo(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    putchar('\n');
    return 0;
}

int verb_id(int argc, char **argv)
{
    static gid_t groups[NGROUPS_MAX];
    (void)argc;
    (void)argv;
    int count = getgroups(NGROUPS_MAX, groups);
    if (count < 0)
        return verb_fail("id", "groups");
    printf("uid=%u euid=%u gid=%u egid=%u groups=", getuid(), geteuid(), getgid(), getegid());
    for (int i = 0; i < count; i++)
        printf("%s%u", i > 0 ? "," : "", groups[i]);
    putchar('\n');
    return 0;
}

int verb_env(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (char **variable = environ; *variable; variable++)
        puts(*variable);
    return 0;
}
