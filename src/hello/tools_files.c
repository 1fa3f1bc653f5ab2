/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small tools for tests: files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/hello.h"
#include "hello/names.h"

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

static int cat_descriptor(int fd, const char *name)
{
    char room[65536];
    for (;;) {
        ssize_t n = read(fd, room, sizeof(room));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return verb_fail("cat", name);
        if (n == 0)
            return 0;
        if (write_all(STDOUT_FILENO, room, (size_t)n) < 0)
            return verb_fail("cat", "standard output");
    }
}

int verb_cat(int argc, char **argv)
{
    int status = 0;
    if (argc < 2)
        return cat_descriptor(STDIN_FILENO, "standard input");
    for (int i = 1; i < argc; i++) {
        _cleanup_close_ int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        status |= fd < 0 ? verb_fail("cat", argv[i]) : cat_descriptor(fd, argv[i]);
    }
    return status;
}

int verb_write(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: hello write FILE TEXT\n", stderr);
        return 2;
    }
    _cleanup_close_ int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write_all(fd, argv[2], strlen(argv[2])) < 0 || write_all(fd, "\n", 1) < 0)
        return verb_fail("write", argv[1]);
    return 0;
}

static const char *type_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFCHR:
        return "char";
    case S_IFBLK:
        return "block";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return "unknown";
    }
}

int verb_stat(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (lstat(argv[i], &st) < 0) {
            status = verb_fail("stat", argv[i]);
            continue;
        }
        printf("%s %s %04o %u:%u %lld\n", argv[i], type_name(st.st_mode), (unsigned)(st.st_mode & 07777),
               st.st_uid, st.st_gid, (long long)st.st_size);
    }
    return status;
}

int verb_ls(int argc, char **argv)
{
    static struct names list;
    const char *path = argc > 1 ? argv[1] : ".";
    _cleanup_closedir_ DIR *d = opendir(path);
    const struct dirent *entry;
    if (!d)
        return verb_fail("ls", path);
    while ((entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            names_add(&list, entry->d_name);
    names_sort(&list);
    for (size_t i = 0; i < names_kept(&list); i++)
        puts(list.name[i] ? list.name[i] : "");
    return 0;
}
