/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the files of a log (logs_files.h). */
#include "engine/logs_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shimproto.h"

void logs_files_close(struct logs_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        close_fd(&f->fds[i]);
    f->count = 0;
}

void logs_file_name(unsigned number, char name[LOGS_NAME_MAX])
{
    (void)snprintf(name, LOGS_NAME_MAX, number ? SHIM_LOG_FILE ".%u" : SHIM_LOG_FILE, number);
}

int logs_file_open(int log_dir, unsigned number, struct err *e)
{
    char name[LOGS_NAME_MAX];
    struct stat st;
    logs_file_name(number, name);
    _cleanup_close_ int fd = openat(log_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ENOENT : err_errno(e, "open the log");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "the log is not a regular file");
    return steal_fd(&fd);
}

bool logs_same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int logs_files_open(int log_dir, struct logs_files *ret, struct err *e)
{
    struct logs_files f = {.count = 0};
    for (unsigned number = 0; f.count < LOGS_FILES_MAX && number < LOGS_FILES_MAX; number++) {
        int fd = logs_file_open(log_dir, number, e);
        if (fd == -ENOENT && number > 0)
            break;
        if (fd == -ENOENT) /* between rename and the new file */
            continue;
        if (fd < 0) {
            logs_files_close(&f);
            return fd;
        }
        if (f.count > 0 && logs_same_file(fd, f.fds[f.count - 1]))
            close_fd(&fd);
        else
            f.fds[f.count++] = fd;
    }
    *ret = f;
    return 0;
}
