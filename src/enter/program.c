/* SPDX-License-Identifier: Apache-2.0 */
/* Which file args[0] names, in the container as the user sees it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enter/enter.h"

#define PATH_ABSENT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *search_path(void)
{
    char **env = job_strings(&job->env);
    for (char **entry = env; *entry; entry++)
        if (strncmp(*entry, "PATH=", 5) == 0)
            return *entry + 5;
    return PATH_ABSENT;
}

/* As the user whose ids these are by now. The filter may be on, and one that was written before faccessat2(2) answers it with an error of its own,
 * none of which the kernel gives about a file: the older call has the same ids here. Where even that is refused, execve will tell. */
static bool may_execute(const char *file)
{
    if (syscall(SYS_faccessat2, AT_FDCWD, file, X_OK, AT_EACCESS) == 0)
        return true;
    if (errno != EPERM && errno != ENOSYS)
        return false;
    return syscall(SYS_faccessat, AT_FDCWD, file, X_OK) == 0 || errno == EPERM || errno == ENOSYS;
}

static bool executable(const char *file)
{
    struct stat st;
    if (stat(file, &st) < 0)
        return false;
    if (S_ISREG(st.st_mode))
        return may_execute(file);
    errno = EACCES;
    return false;
}

const char *find_program(const char *name)
{
    static char file[PATH_MAX];
    int denied = 0;
    if (strchr(name, '/')) {
        if (executable(name))
            return name;
        fail(errno == ENOENT || errno == ENOTDIR ? 127 : 126, "exec", name);
    }
    for (const char *at = search_path(), *end; *name && at; at = *end ? end + 1 : NULL) {
        end = strchr(at, ':');
        end = end ? end : at + strlen(at);
        int n = snprintf(file, sizeof(file), "%.*s%s%s", (int)(end - at), at, end > at ? "/" : "./", name);
        if (n > 0 && (size_t)n < sizeof(file) && executable(file))
            return file;
        denied = errno == EACCES ? EACCES : denied;
    }
    errno = denied ? denied : ENOENT;
    fail(denied ? 126 : 127, denied ? "exec" : "executable file not found in $PATH", name);
}
