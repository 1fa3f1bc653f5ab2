/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that runs in the containers of the soak. It writes numbered lines and keeps account of them in a mapped file, the journal:
 * what stands there was written, even when the program is killed the next instant. So loss, repetition and disorder in its log can be
 * decided (journal.py reads it).
 *
 *   load run DIRECTORY TICK-MS LINES-PER-TICK LENGTH AFTER-MS CODE TERM   ends by itself after AFTER-MS (0: never) with CODE, unless
 *                                        DIRECTORY/calm exists; TERM: "exit" or "ignore", what it does about SIGTERM
 *   load health pass|fail|flap
 *   load say TEXT CODE
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LENGTH 2048 /* below PIPE_BUF: a line is in the pipe whole or not at all */
#define ERROR_EVERY 8        /* each so many lines one goes to stderr */
#define NS_PER_MS 1000000LL
#define FLAP_SECONDS 7
#define NOT_ENDED (-1)
#define TROUBLE 99 /* exit code when the journal cannot be kept: fails the soak */

/* As journal.py has it. Both ends of the file are page-aligned by nobody: a run maps the whole file. */
struct run {
    uint64_t token;
    uint64_t lines[2]; /* written to stdout, stderr */
    uint64_t bytes[2];
    int64_t started; /* ns since the epoch */
    int64_t exit;
    uint64_t reserved;
};

static volatile sig_atomic_t told_to_end;

static void on_term(int number)
{
    (void)number;
    told_to_end = 1;
}

static int64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static struct run *open_journal(void)
{
    struct stat info;
    int fd = open("runs", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, &info) < 0)
        exit(TROUBLE);
    size_t count = (size_t)info.st_size / sizeof(struct run);
    size_t size = (count + 1) * sizeof(struct run);
    if (ftruncate(fd, (off_t)size) < 0)
        exit(TROUBLE);
    struct run *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED)
        exit(TROUBLE);
    close(fd);
    struct run *run = &all[count];
    run->exit = NOT_ENDED;
    run->started = now(CLOCK_REALTIME);
    uint64_t token = 0;
    while (token == 0)
        if (getrandom(&token, sizeof(token), 0) != sizeof(token))
            exit(TROUBLE);
    run->token = token;
    return run;
}

static void write_line(struct run *run, uint64_t number, size_t length)
{
    static char line[LINE_MAX_LENGTH + 1];
    int stream = number % ERROR_EVERY == 0;
    uint64_t next = run->lines[stream] + 1;
    int n = snprintf(line, sizeof(line), "%016llx %c %llu ", (unsigned long long)run->token,
                     stream ? 'e' : 'o', (unsigned long long)next);
    size_t size = (size_t)n > length ? (size_t)n : length;
    memset(line + n, 'a' + (int)(next % 26), size - (size_t)n);
    line[size] = '\n';
    ssize_t written;
    do
        written = write(stream ? STDERR_FILENO : STDOUT_FILENO, line, size + 1);
    while (written < 0 && errno == EINTR && !told_to_end);
    if (written != (ssize_t)size + 1)
        return;
    run->bytes[stream] += size + 1;
    run->lines[stream] = next;
}

static void leave(struct run *run, int code)
{
    run->exit = code;
    _exit(code);
}

static int number(const char *word)
{
    return (int)strtol(word, NULL, 10);
}

static int do_run(char **words)
{
    if (chdir(words[0]) < 0)
        return TROUBLE;
    struct run *run = open_journal();
    struct sigaction action = {.sa_handler = strcmp(words[6], "ignore") == 0 ? SIG_IGN : on_term};
    sigaction(SIGTERM, &action, NULL);
    int64_t tick = number(words[1]) * NS_PER_MS, after = number(words[4]) * NS_PER_MS;
    size_t length = (size_t)number(words[3]);
    if (length > LINE_MAX_LENGTH - 1)
        length = LINE_MAX_LENGTH - 1;
    int64_t start = now(CLOCK_MONOTONIC);
    uint64_t count = 0;
    for (;;) {
        for (int i = 0; i < number(words[2]) && !told_to_end; i++)
            write_line(run, ++count, length);
        if (told_to_end)
            leave(run, 0);
        if (after && now(CLOCK_MONOTONIC) - start >= after && access("calm", F_OK) < 0)
            leave(run, number(words[5]));
        struct timespec pause = {tick / (1000 * NS_PER_MS), tick % (1000 * NS_PER_MS)};
        if (!told_to_end)
            nanosleep(&pause, NULL);
    }
}

static int health(const char *mode)
{
    if (strcmp(mode, "flap") == 0)
        return (int)(now(CLOCK_REALTIME) / (1000 * NS_PER_MS) / FLAP_SECONDS % 2);
    return strcmp(mode, "pass") != 0;
}

int main(int argc, char **argv)
{
    if (argc == 9 && strcmp(argv[1], "run") == 0)
        return do_run(argv + 2);
    if (argc == 3 && strcmp(argv[1], "health") == 0)
        return health(argv[2]);
    if (argc == 4 && strcmp(argv[1], "say") == 0)
        return puts(argv[2]) < 0 || fflush(stdout) < 0 ? TROUBLE : number(argv[3]);
    return TROUBLE;
}
