/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under one of Casemate's own system-call filters, without a container:
 *
 *     filter-exec NAME[,NAME...] COMMAND [ARGUMENT...]
 *
 * NAME as in seccomp/tables.h. For tests, and to find out with strace what a filter denies:
 *
 *     strace -f -e signal=none -o trace filter-exec default COMMAND; grep -E 'EPERM|ENOSYS' trace
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "seccomp/tables.h"

#define EXIT_CANNOT_RUN 125 /* apart from what commands return */

static void install(const char *name)
{
    const struct filter *f = filter_find(name);
    if (!f) {
        (void)fprintf(stderr, "filter-exec: no filter is called %s\n", name);
        exit(EXIT_CANNOT_RUN);
    }
    int r = filter_install(f);
    if (r < 0) {
        (void)fprintf(stderr, "filter-exec: %s: %s\n", name, strerror(-r));
        exit(EXIT_CANNOT_RUN);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: filter-exec NAME[,NAME...] COMMAND [ARGUMENT...]\n");
        return EXIT_CANNOT_RUN;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        perror("filter-exec: no_new_privs");
        return EXIT_CANNOT_RUN;
    }
    for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
        install(name);
    execvp(argv[2], argv + 2);
    (void)fprintf(stderr, "filter-exec: %s: %s\n", argv[2], strerror(errno));
    return EXIT_CANNOT_RUN;
}
