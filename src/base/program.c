/* SPDX-License-Identifier: Apache-2.0 */
/* Helper programs (program.h). Judged on what is opened, so what is executed is what was judged. */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/str.h"

int program_check(int fd, const char *path, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat %s", path);
    bool own = st.st_uid == geteuid();
    bool trusted = own || identity_is_administrator(st.st_uid);
    /* A developer who is not root runs what he has built, with his umask. */
    mode_t others = own && geteuid() != 0 && st.st_gid == getegid() ? S_IWOTH : S_IWGRP | S_IWOTH;
    if (trusted && !(st.st_mode & others))
        return 0;
    return err_set(e, EPERM, "%s %s: find out why, then mend it (chown root:root %s; chmod go-w %s)", path,
                   trusted ? "can be written by others" : "belongs to another user", path, path);
}

int program_open(const char *name, int lowest, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int dir = open(dirs_libexec(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r = str_format(&path, e, "%s/%s", dirs_libexec(), name);
    if (r < 0)
        return r;
    _cleanup_close_ int low = dir < 0 ? -1 : openat(dir, name, O_PATH | O_CLOEXEC);
    _cleanup_close_ int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, lowest);
    if (fd < 0)
        return err_errno(e, "helper program %s (is Casemate installed completely?)", path);
    r = program_check(dir, dirs_libexec(), e);
    if (r == 0)
        r = program_check(fd, path, e);
    return r < 0 ? r : steal_fd(&fd);
}
