/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, small files (io.h). */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/id.h"

#define IO_CHUNK 65536

int io_write_all(int fd, const void *data, size_t length, struct err *e)
{
    const char *at = data;
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "write");
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

int io_write_all_at(int fd, const void *data, size_t length, off_t offset, struct err *e)
{
    const char *at = data;
    while (length > 0) {
        ssize_t n = pwrite(fd, at, length, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "write");
        at += n;
        offset += n;
        length -= (size_t)n;
    }
    return 0;
}

ssize_t io_read_full(int fd, void *data, size_t length, struct err *e)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = read(fd, (char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int io_read_to_end(int fd, size_t max, struct buf *b, struct err *e)
{
    for (;;) {
        size_t room = max - b->length;
        size_t want =
            room < IO_CHUNK ? room + 1 : IO_CHUNK; /* one more than allowed shows that there is too much */
        int r = buf_reserve(b, want, max + 1, e);
        if (r < 0)
            return r;
        ssize_t n = read(fd, b->data + b->length, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read");
        if (n == 0)
            break;
        b->length += (size_t)n;
        if (b->length > max)
            return err_set(e, EFBIG, "larger than the limit of %zu bytes", max);
    }
    if (b->data)
        b->data[b->length] = '\0';
    return buf_reserve(b, 0, max + 1, e);
}

int io_read_file_at(int dirfd, const char *name, size_t max, struct buf *b, struct err *e)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_errno(e, "open %s", name);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "%s is not a regular file", name);
    int r = io_read_to_end(fd, max, b, e);
    return r < 0 ? err_wrap(e, "read %s", name) : 0;
}

int io_read_path(const char *path, size_t max, struct buf *b, struct err *e)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open %s", path);
    int r = io_read_to_end(fd, max, b, e);
    return r < 0 ? err_wrap(e, "read %s", path) : 0;
}

static int fill_file(int fd, const void *data, size_t length, bool sync, struct err *e)
{
    int r = io_write_all(fd, data, length, e);
    if (r < 0)
        return r;
    if (sync && fsync(fd) < 0)
        return err_errno(e, "fsync");
    return 0;
}

int io_replace_file_at(int dirfd, const char *name, const void *data, size_t length, mode_t mode, bool sync,
                       struct err *e)
{
    char temporary[ID_SHORT_LENGTH + 8];
    char random[ID_LENGTH + 1];
    int r = id_random(random, e);
    if (r < 0)
        return r;
    (void)snprintf(temporary, sizeof(temporary), ".tmp-%.*s", ID_SHORT_LENGTH, random);
    _cleanup_close_ int fd =
        openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_errno(e, "create %s", name);
    r = fill_file(fd, data, length, sync, e);
    if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
        r = err_errno(e, "rename to %s", name);
    if (r < 0) {
        (void)unlinkat(dirfd, temporary, 0);
        return err_wrap(e, "write %s", name);
    }
    if (sync && fsync(dirfd) < 0)
        return err_errno(e, "fsync directory of %s", name);
    return 0;
}

int io_write_existing_at(int dirfd, const char *name, const char *text, struct err *e)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open %s", name);
    size_t length = strlen(text);
    ssize_t n = write(fd, text, length);
    if (n < 0)
        return err_errno(e, "write '%s' to %s", text, name);
    if ((size_t)n != length)
        return err_set(e, EIO, "write '%s' to %s: short write", text, name);
    return 0;
}

int io_write_existingf_at(int dirfd, const char *name, struct err *e, const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return err_oom(e);
    }
    return io_write_existing_at(dirfd, name, text, e);
}

int io_set_cloexec(int fd, bool on, struct err *e)
{
    if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0)
        return err_errno(e, "fcntl descriptor %d", fd);
    return 0;
}

int io_close_from(int first, struct err *e)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) < 0)
        return err_errno(e, "close_range");
    return 0;
}
