/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log on disk (log.h). Every step can fail and is tried again later, so none may depend on an earlier one having
 * happened only once.
 */
#include "shim/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shimproto.h"

#define LOG_NAME_MAX 24

static void file_name(unsigned number, char name[LOG_NAME_MAX])
{
    if (number == 0)
        (void)snprintf(name, LOG_NAME_MAX, "%s", SHIM_LOG_FILE);
    else
        (void)snprintf(name, LOG_NAME_MAX, "%s.%u", SHIM_LOG_FILE, number);
}

/* A shim that was killed may have left half a line. */
static int end_last_line(int fd, uint64_t *size)
{
    char last = '\n';
    if (*size > 0 && pread(fd, &last, 1, (off_t)*size - 1) != 1)
        return -errno;
    if (last == '\n')
        return 0;
    if (write(fd, "\n", 1) != 1)
        return -errno;
    (*size)++;
    return 0;
}

static int open_newest(struct log *l)
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
    int r = end_last_line(fd, &size);
    if (r < 0)
        return r;
    l->fd = steal_fd(&fd);
    l->size = size + (l->end - l->start);
    return 0;
}

int log_open(struct log *l, int shim_dir, uint64_t size_max, unsigned files)
{
    l->fd = -1;
    l->size_max = size_max;
    l->files = files > 0 ? files : 1;
    if (mkdirat(shim_dir, SHIM_LOG_DIR, 0700) < 0 && errno != EEXIST)
        return -errno;
    l->dir = openat(shim_dir, SHIM_LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l->dir < 0)
        return -errno;
    /* A full disk is no reason to fail: the first line will wait for it. */
    int r = open_newest(l);
    return r == -ENOSPC || r == -EDQUOT ? 0 : r;
}

/* Makes log.1 free: shifts the older files up to the first gap, so that a second try after a failure moves nothing twice. */
static bool shift_older(const struct log *l)
{
    char from[LOG_NAME_MAX];
    char to[LOG_NAME_MAX];
    unsigned gap = 1;
    for (; gap < l->files - 1; gap++) {
        struct stat st;
        file_name(gap, from);
        if (fstatat(l->dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0) /* faccessat(2) is not in the filter */
            break;
    }
    for (unsigned i = gap; i > 1; i--) {
        file_name(i - 1, from);
        file_name(i, to);
        if (renameat(l->dir, from, l->dir, to) < 0)
            return false;
    }
    return true;
}

/* Called with nothing pending. */
static bool rotate(struct log *l)
{
    if (l->fd >= 0) {
        if (l->files == 1) {
            if (unlinkat(l->dir, SHIM_LOG_FILE, 0) < 0 && errno != ENOENT)
                return false;
        } else {
            char to[LOG_NAME_MAX];
            file_name(1, to);
            if (!shift_older(l) || (renameat(l->dir, SHIM_LOG_FILE, l->dir, to) < 0 && errno != ENOENT))
                return false;
        }
        close_fd(&l->fd);
    }
    return open_newest(l) == 0;
}

bool log_flush(struct log *l)
{
    while (l->start < l->end) {
        if (l->fd < 0 && open_newest(l) < 0)
            break;
        ssize_t n = write(l->fd, l->buffer + l->start, l->end - l->start);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        l->start += (size_t)n;
    }
    l->failing = l->start < l->end;
    if (!l->failing)
        l->start = l->end = 0;
    return !l->failing;
}

bool log_add(struct log *l, const unsigned char *data, size_t length, const char *stream, int64_t now)
{
    if (l->given_up) {
        l->lost += length;
        return true;
    }
    if (LOG_BUFFER - l->end < ENCODE_LINE_MAX && !log_flush(l))
        return false;
    char time[ENCODE_TIME_MAX];
    size_t time_length = encode_time(now, time);
    size_t n = encode_line(data, length, stream, time, time_length, l->buffer + l->end);
    if (l->size_max > 0 && l->size > 0 && l->size + n > l->size_max) {
        if (!log_flush(l))
            return false;
        if (!rotate(l)) {
            l->failing = true;
            return false;
        }
        n = encode_line(data, length, stream, time, time_length, l->buffer);
    }
    l->end += n;
    l->size += n;
    return true;
}

void log_give_up(struct log *l)
{
    l->given_up = true;
    l->failing = false;
    l->lost += l->end - l->start;
    l->start = l->end = 0;
}
