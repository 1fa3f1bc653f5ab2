/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the log (log.h): opening the newest, and rotation, of which each step may fail and is tried again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shimproto.h"
#include "shim/log.h"

void log_file_name(unsigned number, char name[LOG_NAME_MAX])
{
    (void)snprintf(name, LOG_NAME_MAX, number ? SHIM_LOG_FILE ".%u" : SHIM_LOG_FILE, number);
}

/* Half a line is no record, and the chain does not have it: it goes. */
static int end_at_newline(int fd, uint64_t *size)
{
    char text[4096];
    uint64_t end = *size;
    while (end > 0) {
        size_t want = end < sizeof(text) ? (size_t)end : sizeof(text);
        ssize_t n = pread(fd, text, want, (off_t)(end - want));
        if (n != (ssize_t)want)
            return n < 0 ? -errno : -EIO;
        while (want > 0 && text[want - 1] != '\n')
            want--;
        end -= (size_t)n - want;
        if (want > 0)
            break;
    }
    if (end < *size && ftruncate(fd, (off_t)end) < 0)
        return -errno;
    *size = end;
    return 0;
}

int log_open_newest(struct log *l)
{
    _cleanup_close_ int fd = openat(l->dir, SHIM_LOG_FILE,
                                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    uint64_t size = (uint64_t)st.st_size;
    int r = end_at_newline(fd, &size);
    if (r < 0)
        return r;
    l->fd = steal_fd(&fd);
    l->size = size + (l->end - l->start);
    return 0;
}

static bool file_exists(const struct log *l, unsigned number)
{
    char name[LOG_NAME_MAX];
    struct stat st;
    log_file_name(number, name);
    return fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0; /* faccessat(2) is not in the filter */
}

/* The head says first what will be gone: the chain of what is kept begins where that file ends. */
static bool announce_drop(struct log *l, unsigned number)
{
    char name[LOG_NAME_MAX];
    struct stat st;
    struct logchain end;
    log_file_name(number, name);
    _cleanup_close_ int fd = openat(l->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fd < 0 && errno == ENOENT;
    if (!S_ISREG(st.st_mode) || log_last_chain(fd, (uint64_t)st.st_size, &end) == 0)
        return true; /* not written by this version: nothing to begin from */
    if (end.number <= l->state.before.number)
        return true;
    l->state.before = end;
    return log_head_write(l);
}

/* Makes log.1 free: shifts the older files up to the first gap, so that a second try after a failure moves nothing twice. */
static bool shift_older(struct log *l)
{
    char from[LOG_NAME_MAX];
    char to[LOG_NAME_MAX];
    unsigned gap = 1;
    while (gap < l->files - 1 && file_exists(l, gap))
        gap++;
    /* Removed, not replaced: a file that is replaced by a rename makes ext4 write out the new one at once. */
    log_file_name(gap, to);
    if (!announce_drop(l, gap) || (unlinkat(l->dir, to, 0) < 0 && errno != ENOENT))
        return false;
    for (unsigned i = gap; i > 1; i--) {
        log_file_name(i - 1, from);
        log_file_name(i, to);
        if (renameat(l->dir, from, l->dir, to) < 0)
            return false;
    }
    return true;
}

bool log_rotate(struct log *l)
{
    if (l->fd >= 0) {
        if (l->files == 1) {
            if (!announce_drop(l, 0) || (unlinkat(l->dir, SHIM_LOG_FILE, 0) < 0 && errno != ENOENT))
                return false;
        } else {
            char to[LOG_NAME_MAX];
            log_file_name(1, to);
            if (!shift_older(l) || (renameat(l->dir, SHIM_LOG_FILE, l->dir, to) < 0 && errno != ENOENT))
                return false;
        }
        close_fd(&l->fd);
    }
    return log_open_newest(l) == 0;
}
