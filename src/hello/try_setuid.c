/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The setuid copy (try_setuid.h). The copy is owned by this process and executed as user OTHER_ID. Where this process may not take another
 * identity there is nothing to try: then no program in here can be another user's.
 */
#include "hello/try_setuid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hello/scratch.h"

#define OTHER_ID 65533
#define STATUS_SAME 41
#define STATUS_ESCALATED 42
#define STATUS_NO_IDENTITY 43
#define STATUS_NO_EXEC 44
#define COPY_MAX (64 * 1024 * 1024)

int setuid_report(void)
{
    return geteuid() != getuid() ? STATUS_ESCALATED : STATUS_SAME;
}

static bool copy_self(int out)
{
    _cleanup_close_ int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (in < 0)
        in = open("/hello", O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &st) < 0 || st.st_size > COPY_MAX)
        return false;
    off_t left = st.st_size;
    while (left > 0) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0)
            return false;
        left -= n;
    }
    return true;
}

/* Writes the copy and gives back a descriptor that can be executed but not written (ETXTBSY otherwise), or -1. */
static int copy_make(const char *directory)
{
    char path[SCRATCH_PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/copy", directory);
    _cleanup_close_ int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
    if (out < 0 || !copy_self(out) || fchmod(out, S_ISUID | 0755) < 0)
        return -1;
    return open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

static void copy_execute(int fd)
{
    static char *const words[] = {(char *)"hello", (char *)SETUID_REPORT_VERB, NULL};
    static char *const none[] = {NULL};
    if (setresuid(OTHER_ID, OTHER_ID, OTHER_ID) < 0)
        _exit(STATUS_NO_IDENTITY);
    /* Older musl has no execveat. */
    (void)syscall(SYS_execveat, fd, "", words, none, AT_EMPTY_PATH);
    _exit(STATUS_NO_EXEC);
}

static int copy_status(const char *directory)
{
    _cleanup_close_ int fd = copy_make(directory);
    int status;
    if (fd < 0)
        return STATUS_NO_EXEC;
    pid_t child = fork();
    if (child == 0)
        copy_execute(fd);
    if (child < 0)
        return STATUS_NO_EXEC;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return STATUS_NO_EXEC;
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_NO_EXEC;
}

struct setuid_result try_setuid_copy(void)
{
    char directory[SCRATCH_PATH_MAX];
    struct setuid_result result = {.why_not = "nothing is writable and executable"};
    /* The next place, while this one is mounted noexec or full. */
    for (int place = scratch_make(directory, 0); place >= 0; place = scratch_make(directory, place + 1)) {
        int status = copy_status(directory);
        scratch_remove(directory);
        if (status == STATUS_SAME || status == STATUS_ESCALATED)
            return (struct setuid_result){.tried = true, .escalates = status == STATUS_ESCALATED};
        if (status == STATUS_NO_IDENTITY)
            return (struct setuid_result){.why_not = "no second identity"};
    }
    return result;
}
