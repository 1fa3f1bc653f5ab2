/* SPDX-License-Identifier: Apache-2.0 */
/* The tender's lock (tend_lock.h). The flock is what counts; the text says whom to ask. */
#include "engine/tend_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/syscalls.h"
#include "config.h"

#define LOCK_FILE "tend"
#define LOCK_WORD "casemate-tend"
#define LOCK_FORMAT "1"
#define LOCK_KEEP "keep"
#define LOCK_TEXT_MAX 256

enum word { WORD_NAME, WORD_FORMAT, WORD_PID, WORD_START, WORD_VERSION, WORD_MODE, WORD_COUNT };

struct holder {
    pid_t pid;
    uint64_t start;
    bool same_version;
    bool keep;
};

static int open_lock(const struct store *s, struct err *e)
{
    int fd = openat(s->run, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? err_errno(e, "open run/" LOCK_FILE) : fd;
}

int tend_lock_take(const struct store *s, bool keep, struct err *e)
{
    char text[LOCK_TEXT_MAX];
    uint64_t start;
    _cleanup_close_ int fd = open_lock(s, e);
    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? err_set(e, EWOULDBLOCK, "another `casemate tend` is at work")
                                    : err_errno(e, "lock run/" LOCK_FILE);
    int r = proc_start_time(getpid(), &start, e);
    if (r < 0)
        return r;
    int n = snprintf(text, sizeof(text), LOCK_WORD " " LOCK_FORMAT " %d %llu " CASEMATE_VERSION " %s\n",
                     (int)getpid(), (unsigned long long)start, keep ? LOCK_KEEP : "-");
    if (ftruncate(fd, 0) < 0)
        return err_errno(e, "write run/" LOCK_FILE);
    r = io_write_all(fd, text, (size_t)n, e);
    return r < 0 ? r : steal_fd(&fd);
}

static int parse(const char *text, struct holder *ret, struct err *e)
{
    _cleanup_str_list_ struct str_list words = {0};
    uint64_t pid = 0;
    struct holder h = {0};
    int r = str_list_split(text, ' ', WORD_COUNT, &words, e);
    if (r < 0)
        return r;
    if (words.count != WORD_COUNT || !str_equal(words.items[WORD_NAME], LOCK_WORD) ||
        !str_equal(words.items[WORD_FORMAT], LOCK_FORMAT))
        return err_set(e, EINVAL, "run/" LOCK_FILE ": unknown form");
    r = num_parse_u64(words.items[WORD_PID], INT_MAX, &pid, e);
    if (r == 0)
        r = num_parse_u64(words.items[WORD_START], UINT64_MAX, &h.start, e);
    if (r < 0)
        return r;
    h.pid = (pid_t)pid;
    h.same_version = str_equal(words.items[WORD_VERSION], CASEMATE_VERSION);
    h.keep = str_equal(words.items[WORD_MODE], LOCK_KEEP);
    *ret = h;
    return 0;
}

static int read_holder(int fd, struct holder *ret, struct err *e)
{
    char text[LOCK_TEXT_MAX];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return err_set(e, EINVAL, "run/" LOCK_FILE " is empty");
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return parse(text, ret, e);
}

enum tend_lock_state tend_lock_look(const struct store *s)
{
    struct err ignored = {0};
    struct holder h = {0};
    _cleanup_close_ int fd = open_lock(s, &ignored);
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
        return TEND_LOCK_FREE;
    if (read_holder(fd, &h, &ignored) < 0 || !h.same_version)
        return TEND_LOCK_OTHER;
    return h.keep ? TEND_LOCK_KEPT : TEND_LOCK_OURS;
}

void tend_lock_ask_to_end(const struct store *s)
{
    struct err ignored = {0};
    struct holder h = {0};
    _cleanup_close_ int fd = open_lock(s, &ignored);
    if (fd < 0 || read_holder(fd, &h, &ignored) < 0)
        return;
    _cleanup_close_ int pidfd = proc_open(h.pid, h.start, &ignored);
    if (pidfd >= 0)
        (void)sys_pidfd_send_signal(pidfd, SIGTERM);
}
