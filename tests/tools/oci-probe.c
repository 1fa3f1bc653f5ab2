/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program in a container sees, as lines of text that are the same under every OCI runtime (tests/oci). Static: the bundles of the tests have
 * busybox and this.
 *
 *   oci-probe process            ids, capabilities, scheduling, descriptors, signals of this very process
 *   oci-probe limits             resource limits
 *   oci-probe mounts [PATH...]   mount points with options, propagation and source; of all or of those
 *   oci-probe devices DIR        names, kinds, numbers, modes and owners below DIR
 *   oci-probe open MODE PATH...  whether each can be opened: MODE is r, w or rw
 *   oci-probe call NUMBER [ARGUMENT...]   what a system call answers
 *   oci-probe clocks             seconds of the clocks that a time namespace has
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_PROBE 8192
#define FDS_MAX 64
#define CALL_ARGUMENTS 6

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void print_status(void)
{
    static const char *const wanted[] = {"Umask:",   "Uid:",    "Gid:",    "Groups:", "CapInh:",
                                         "CapPrm:",  "CapEff:", "CapBnd:", "CapAmb:", "NoNewPr",
                                         "Seccomp:", "SigBlk:", "SigIgn:", "Threads:"};
    char line[LINE_MAX_PROBE];
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof(line), f))
        for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
                fputs(line, stdout);
    if (f)
        fclose(f);
}

static void print_file(const char *name, const char *path)
{
    char text[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n < 0)
        printf("%s: %s\n", name, strerror(errno));
    else
        printf("%s: %s%s", name, text, n > 0 && text[n - 1] == '\n' ? "" : "\n");
    if (fd >= 0)
        close(fd);
}

static void print_scheduling(void)
{
    struct attributes a = {.size = sizeof(a)};
    cpu_set_t cpus;
    if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) == 0)
        printf("scheduler: policy %u flags %llu nice %d priority %u times %llu %llu %llu\n", a.policy,
               (unsigned long long)a.flags, a.nice, a.priority, (unsigned long long)a.runtime,
               (unsigned long long)a.deadline, (unsigned long long)a.period);
    printf("io priority: %ld\n", syscall(SYS_ioprio_get, 1, 0));
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
        printf("processors: %d first %d\n", CPU_COUNT(&cpus), CPU_ISSET(0, &cpus) != 0);
    printf("personality: %x\n", (unsigned)personality(0xffffffff));
}

/* Numbers of open descriptors: those beyond the standard streams must be the ones that were asked for. */
static void print_descriptors(void)
{
    printf("descriptors:");
    for (int fd = 0; fd < FDS_MAX; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    printf("\n");
}

static void print_signals(void)
{
    printf("handled signals:");
    for (int s = 1; s < NSIG; s++) {
        struct sigaction a;
        if (sigaction(s, NULL, &a) == 0 && a.sa_handler != SIG_DFL)
            printf(" %d", s);
    }
    printf("\n");
}

static int process(void)
{
    char cwd[LINE_MAX_PROBE];
    print_status();
    print_scheduling();
    print_descriptors();
    print_signals();
    print_file("oom score", "/proc/self/oom_score_adj");
    printf("session leader: %d group leader: %d\n", getsid(0) == getpid(), getpgrp() == getpid());
    printf("securebits: %d keepcaps: %d dumpable: %d death signal: ", prctl(PR_GET_SECUREBITS),
           prctl(PR_GET_KEEPCAPS), prctl(PR_GET_DUMPABLE));
    int death = 0;
    (void)prctl(PR_GET_PDEATHSIG, &death);
    printf("%d\n", death);
    printf("directory: %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
    return 0;
}

static int limits(void)
{
    for (int r = 0; r < RLIM_NLIMITS; r++) {
        struct rlimit l;
        if (getrlimit(r, &l) == 0)
            printf("%d: %lld %lld\n", r, (long long)l.rlim_cur, (long long)l.rlim_max);
    }
    return 0;
}

/* shared or slave, and of what, differs from run to run: only that it is. */
static void print_mount(char *line)
{
    char *field[10] = {NULL}, *rest = strstr(line, " - ");
    int n = 0;
    const char *propagation = "private";
    if (!rest)
        return;
    *rest = '\0';
    for (char *word = strtok(line, " "); word && n < 10; word = strtok(NULL, " "))
        field[n++] = word;
    for (int i = 6; i < n; i++)
        propagation = strncmp(field[i], "shared:", 7) == 0 ? (i == 6 ? "shared" : "slave and shared")
                      : strncmp(field[i], "master:", 7) == 0
                          ? (strcmp(propagation, "shared") == 0 ? "slave and shared" : "slave")
                      : strcmp(field[i], "unbindable") == 0 ? "unbindable"
                                                            : propagation;
    printf("%s %s %s %s", field[4], field[5], propagation, rest + 3);
}

static int mounts(char **paths)
{
    char line[LINE_MAX_PROBE], copy[LINE_MAX_PROBE];
    FILE *f = fopen("/proc/self/mountinfo", "re");
    while (f && fgets(line, sizeof(line), f)) {
        (void)snprintf(copy, sizeof(copy), "%s", line);
        char *save = NULL, *word = strtok_r(copy, " ", &save);
        for (int i = 0; i < 4 && word; i++)
            word = strtok_r(NULL, " ", &save);
        int wanted = !*paths;
        for (char **p = paths; *p && word; p++)
            wanted = wanted || strcmp(*p, word) == 0;
        if (wanted)
            print_mount(line);
    }
    if (f)
        fclose(f);
    return 0;
}

static int devices(const char *dir)
{
    struct dirent **entries;
    char path[LINE_MAX_PROBE], link[256];
    int n = scandir(dir, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct stat st;
        if (entries[i]->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
        if (lstat(path, &st) < 0)
            continue;
        ssize_t length = S_ISLNK(st.st_mode) ? readlink(path, link, sizeof(link) - 1) : 0;
        link[length > 0 ? length : 0] = '\0';
        printf("%s %o %u:%u %u:%u %s\n", entries[i]->d_name, st.st_mode, major(st.st_rdev), minor(st.st_rdev),
               st.st_uid, st.st_gid, link);
    }
    return n < 0 ? 1 : 0;
}

static int open_all(const char *mode, char **paths)
{
    int flags = strcmp(mode, "r") == 0 ? O_RDONLY : strcmp(mode, "w") == 0 ? O_WRONLY : O_RDWR;
    for (; *paths; paths++) {
        int fd = open(*paths, flags | O_CLOEXEC | O_NONBLOCK);
        printf("%s: %s\n", *paths, fd < 0 ? strerror(errno) : "open");
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

static int call(char **words)
{
    long number = strtol(words[0], NULL, 0), a[CALL_ARGUMENTS] = {0};
    for (int i = 0; i < CALL_ARGUMENTS && words[1 + i]; i++)
        a[i] = (long)strtoull(words[1 + i], NULL, 0);
    errno = 0;
    long r = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    printf("%ld: %s\n", number, r < 0 ? strerror(errno) : "allowed");
    return 0;
}

static int clocks(void)
{
    struct timespec monotonic, boot;
    (void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    printf("%lld %lld\n", (long long)monotonic.tv_sec, (long long)boot.tv_sec);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "process") == 0)
        return process();
    if (strcmp(what, "limits") == 0)
        return limits();
    if (strcmp(what, "mounts") == 0)
        return mounts(argv + 2);
    if (strcmp(what, "devices") == 0 && argc > 2)
        return devices(argv[2]);
    if (strcmp(what, "open") == 0 && argc > 3)
        return open_all(argv[2], argv + 3);
    if (strcmp(what, "call") == 0 && argc > 2)
        return call(argv + 2);
    if (strcmp(what, "clocks") == 0)
        return clocks();
    fprintf(stderr, "oci-probe: see its source for what it prints\n");
    return 2;
}
