/* SPDX-License-Identifier: Apache-2.0 */
/* How the container ended: the status of its first process, whether memory was the reason, and the record of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/shim.h"

#define EXIT_UNKNOWN 255
#define OOM_TEXT_MAX 4096 /* memory.events has seven short lines */

int exit_prepare(struct shim *s)
{
    (void)unlinkat(SHIM_FD_DIR, SHIM_EXIT_FILE, 0);
    s->exit_file = openat(SHIM_FD_DIR, SHIM_EXIT_NEW_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return s->exit_file < 0 ? -errno : 0;
}

/* The value of the line "oom_kill N", 0 when there is none. */
static unsigned long oom_kills(void)
{
    char text[OOM_TEXT_MAX];
    ssize_t n = pread(SHIM_FD_OOM, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    static const char key[] = "oom_kill ";
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, sizeof(key) - 1) == 0)
            return strtoul(line + sizeof(key) - 1, NULL, 10);
    }
    return 0;
}

bool exit_collect(struct shim *s)
{
    siginfo_t info = {0};
    if (waitid((idtype_t)P_PIDFD, SHIM_FD_PIDFD, &info, WEXITED | WNOHANG) < 0) {
        if (errno != ECHILD)
            return false;
        /* Somebody else has reaped it: that it has ended is all that is known. */
        info.si_code = CLD_EXITED;
        info.si_status = EXIT_UNKNOWN;
    } else if (info.si_pid == 0) {
        return false;
    }
    bool killed = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    s->status = (struct shim_exit){
        .code = killed ? 128 + info.si_status : info.si_status & 255,
        .signal = killed ? info.si_status : 0,
        .oom = oom_kills() > s->config.oom_baseline,
        .time = shim_now(),
    };
    s->exited = true;
    s->exited_at = shim_monotonic();
    return true;
}

static void leave_mark(const struct shim *s)
{
    int fd =
        openat(SHIM_FD_EXITED, s->config.id, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd >= 0)
        close(fd);
}

void exit_record(struct shim *s)
{
    char text[SHIM_EXIT_TEXT_MAX];
    denials_finish(&s->denials);
    int n = snprintf(text, sizeof(text), "casemate-exit 1 %d %d %d %lld %llu\n", (int)s->status.code,
                     (int)s->status.signal, (int)s->status.oom, (long long)s->status.time,
                     (unsigned long long)s->log.lost);
    if (pwrite(s->exit_file, text, (size_t)n, 0) == n)
        (void)renameat(SHIM_FD_DIR, SHIM_EXIT_NEW_FILE, SHIM_FD_DIR, SHIM_EXIT_FILE);
    leave_mark(s);
}
