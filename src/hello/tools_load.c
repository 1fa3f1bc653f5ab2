/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small tools for tests of limits: memory, processes, processor time. Each is bounded by its argument.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hello/hello.h"

#define MIB (1024L * 1024)
#define HOG_MAX_MIB (1024L * 1024)
#define FORKS_MAX 20000
#define FILES_MAX 10000000L
#define SPIN_MAX 3600
#define PERCENT 100
#define NANOSECONDS 1000000000LL

int verb_hog_memory(int argc, char **argv)
{
    long wanted = argc == 2 ? argument_number("hog-memory", argv[1], 1, HOG_MAX_MIB) : -1;
    if (wanted < 0)
        return 2;
    for (long taken = 0; taken < wanted; taken++) {
        void *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            printf("took %ld MiB\n", taken);
            return verb_fail("hog-memory", "more");
        }
        memset(p, 1, MIB);
    }
    printf("took %ld MiB\n", wanted);
    return 0;
}

/* As many as the hard limit lets it, which is what a program may raise its own limit to. */
int verb_hog_files(int argc, char **argv)
{
    struct rlimit limit;
    bool hold = argc == 3 && strcmp(argv[2], "hold") == 0;
    long wanted = argc == 2 || hold ? argument_number("hog-files", argv[1], 1, FILES_MAX) : -1, opened = 0;
    if (wanted < 0)
        return 2;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    while (opened < wanted && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        opened++;
    int why = opened < wanted ? errno : 0;
    printf("opened %ld of %ld%s%s\n", opened, wanted, why ? ": " : "", why ? strerror(why) : "");
    (void)fflush(stdout);
    if (hold)
        (void)pause();
    return 0;
}

/* The children wait; they end with their parent, which ends at once or, with `hold`, when it is told to. */
int verb_forkbomb(int argc, char **argv)
{
    static pid_t children[FORKS_MAX];
    bool hold = argc == 3 && strcmp(argv[2], "hold") == 0;
    long wanted = argc == 2 || hold ? argument_number("forkbomb", argv[1], 1, FORKS_MAX) : -1, started = 0;
    int why = 0;
    if (wanted < 0)
        return 2;
    while (started < wanted) {
        pid_t child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)pause();
            _exit(0);
        }
        if (child < 0) {
            why = errno;
            break;
        }
        children[started++] = child;
    }
    printf("started %ld of %ld%s%s\n", started, wanted, why ? ": " : "", why ? strerror(why) : "");
    (void)fflush(stdout);
    if (hold)
        (void)pause();
    for (long i = 0; i < started; i++)
        (void)kill(children[i], SIGKILL);
    for (long i = 0; i < started; i++)
        (void)waitpid(children[i], NULL, 0);
    return 0;
}

static long long clock_now(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (long long)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

int verb_spin(int argc, char **argv)
{
    long seconds = argc == 2 ? argument_number("spin", argv[1], 1, SPIN_MAX) : -1;
    if (seconds < 0)
        return 2;
    long long start = clock_now(CLOCK_MONOTONIC), now;
    do
        now = clock_now(CLOCK_MONOTONIC);
    while (now - start < seconds * NANOSECONDS);
    printf("got %lld%% of one processor\n", clock_now(CLOCK_PROCESS_CPUTIME_ID) * PERCENT / (now - start));
    return 0;
}
