/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a process (proc.h). The name in /proc/PID/stat is the process' own choice: it is skipped, not parsed. */
#include "base/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/num.h"
#include "base/syscalls.h"

#define STAT_MAX 4096
#define FDINFO_MAX 4096
#define STAT_FLAGS_FIELD 9
#define STAT_START_FIELD 22
#define STAT_FIRST_FIELD_AFTER_NAME 3
#define FORKED_NOT_EXECUTED 0x40 /* PF_FORKNOEXEC of the kernel, what acct(5) calls AFORK */

static int stat_number(pid_t pid, int wanted, uint64_t *ret, struct err *e)
{
    char path[32];
    _cleanup_buf_ struct buf text = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int r = io_read_path(path, STAT_MAX, &text, e);
    if (r < 0)
        return r == -ENOENT ? err_set(e, ESRCH, "process %d is gone", (int)pid) : r;
    char *rest = text.data ? strrchr(text.data, ')') : NULL;
    if (!rest || rest[1] != ' ')
        return err_set(e, EINVAL, "%s has an unknown form", path);
    rest += 2;
    for (int field = STAT_FIRST_FIELD_AFTER_NAME; rest; field++) {
        char *value = strsep(&rest, " ");
        if (field == wanted)
            return num_parse_u64(value, UINT64_MAX, ret, e);
    }
    return err_set(e, EINVAL, "%s has an unknown form", path);
}

int proc_start_time(pid_t pid, uint64_t *ret_ticks, struct err *e)
{
    return stat_number(pid, STAT_START_FIELD, ret_ticks, e);
}

int proc_has_executed(pid_t pid, struct err *e)
{
    uint64_t flags;
    int r = stat_number(pid, STAT_FLAGS_FIELD, &flags, e);
    return r < 0 ? r : !(flags & FORKED_NOT_EXECUTED);
}

int proc_open(pid_t pid, uint64_t start_ticks, struct err *e)
{
    uint64_t now;
    _cleanup_close_ int fd = pid > 0 ? sys_pidfd_open(pid) : -1;
    if (fd < 0)
        return err_set(e, ESRCH, "process %d is gone", (int)pid);
    int r = proc_start_time(pid, &now, e);
    if (r < 0)
        return r;
    return now == start_ticks ? steal_fd(&fd) : err_set(e, ESRCH, "process %d is gone", (int)pid);
}

int proc_of_pidfd(int pidfd, pid_t *ret_pid, struct err *e)
{
    char path[48];
    _cleanup_buf_ struct buf text = {0};
    int pid = -1;
    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    int r = io_read_path(path, FDINFO_MAX, &text, e);
    if (r < 0)
        return r;
    char *line = text.data ? strstr(text.data, "\nPid:") : NULL;
    if (!line || sscanf(line, "\nPid: %d", &pid) != 1 || pid <= 0)
        return err_set(e, ESRCH, "the process has ended");
    *ret_pid = pid;
    return 0;
}
