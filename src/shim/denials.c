/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of what the container was refused (base/shimproto.h). Refused calls are noted by a process of its own, notice.c: it alone
 * holds the filter's listener, and nothing of what the container writes ever reaches it. The shim, which reads that, gives the listener up
 * before it reads anything, so whoever subverts the shim cannot answer for the filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/shim.h"

#define NUMBER_TEXT_MAX 64
#define FINISH_LIMIT_MS 500 /* the notice process ends by itself when the container's last process has */

void denials_format(char *ret_line, const char *kind, int number, uint64_t count, const char *name)
{
    char hex[2 * SHIM_DENIAL_NAME_MAX + 1] = "-";
    for (size_t i = 0; name && name[i] && i < SHIM_DENIAL_NAME_MAX; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)name[i]);
    char text[SHIM_DENIAL_LINE];
    (void)snprintf(text, sizeof(text), "%s %d %llu %s", kind, number, (unsigned long long)count, hex);
    memset(ret_line, ' ', SHIM_DENIAL_LINE);
    memcpy(ret_line, text, strlen(text));
    ret_line[SHIM_DENIAL_LINE - 1] = '\n';
}

int denials_open(void)
{
    char line[SHIM_DENIAL_LINE];
    struct stat st;
    int fd = openat(SHIM_FD_DIR, SHIM_DENIALS_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > 0)
        return fd;
    memset(line, ' ', sizeof(line));
    memcpy(line, SHIM_DENIALS_HEAD, sizeof(SHIM_DENIALS_HEAD) - 1);
    line[sizeof(line) - 1] = '\n';
    if (pwrite(fd, line, sizeof(line), 0) == (ssize_t)sizeof(line))
        return fd;
    close(fd);
    return -1;
}

/* The number behind `key`, 0 when there is none ("max" as a limit). */
static uint64_t read_number(int fd, const char *key)
{
    char text[NUMBER_TEXT_MAX];
    size_t skip = strlen(key);
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return strncmp(text, key, skip) == 0 ? strtoull(text + skip, NULL, 10) : 0;
}

static void open_pids(struct denials *d)
{
    d->pids_max = openat(SHIM_FD_PIDS, "pids.max", O_RDONLY | O_CLOEXEC);
    d->pids_peak = openat(SHIM_FD_PIDS, "pids.peak", O_RDONLY | O_CLOEXEC);
    d->pids_events = openat(SHIM_FD_PIDS, "pids.events", O_RDONLY | O_CLOEXEC);
    d->refused_before = read_number(d->pids_events, "max ");
    close(SHIM_FD_PIDS);
}

/* /dev/null stands for "no listener"; a listener has no name in any file system. */
static bool has_listener(void)
{
    struct stat st;
    return fstat(SHIM_FD_NOTICE, &st) == 0 && !S_ISCHR(st.st_mode);
}

void denials_start(struct denials *d)
{
    d->process = -1;
    open_pids(d);
    if (has_listener()) {
        pid_t self = getpid();
        pid_t pid = fork();
        if (pid == 0)
            notice_run(self);
        if (pid > 0)
            d->process = (int)syscall(SYS_pidfd_open, pid, 0U);
    }
    close(SHIM_FD_NOTICE);
    close(SHIM_FD_PROC);
}

/* Behind the lines that are there. */
static void note_processes(uint64_t count)
{
    char line[SHIM_DENIAL_LINE];
    struct stat st;
    int fd = denials_open();
    if (fd < 0)
        return;
    denials_format(line, "pids", 0, count, NULL);
    if (fstat(fd, &st) == 0 && st.st_size % SHIM_DENIAL_LINE == 0)
        (void)!pwrite(fd, line, sizeof(line), st.st_size);
    close(fd);
}

void denials_finish(struct denials *d)
{
    if (d->process >= 0) {
        struct pollfd p = {.fd = d->process, .events = POLLIN};
        siginfo_t info;
        (void)poll(&p, 1, FINISH_LIMIT_MS);
        (void)waitid((idtype_t)P_PIDFD, (id_t)d->process, &info, WEXITED | WNOHANG);
        close_fd(&d->process);
    }
    /* Where the limit of a user's processes is the lower one, it refuses before the group counts anything. */
    uint64_t refused = read_number(d->pids_events, "max ");
    uint64_t limit = read_number(d->pids_max, "");
    if (refused > d->refused_before)
        note_processes(refused - d->refused_before);
    else if (limit > 0 && read_number(d->pids_peak, "") >= limit)
        note_processes(0);
}
