/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small reads of /proc, /sys and cgroup files (read_file.h).
 */
#include "hello/read_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

ssize_t read_file(const char *path, char *ret_text, size_t room)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t length = 0;
    if (fd < 0)
        return -1;
    while (length < room - 1) {
        ssize_t n = read(fd, ret_text + length, room - 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && length == 0)
            return -1;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    ret_text[length] = '\0';
    return (ssize_t)length;
}

bool directory_has_entries(const char *path)
{
    _cleanup_closedir_ DIR *d = opendir(path);
    const struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return true;
    return false;
}
