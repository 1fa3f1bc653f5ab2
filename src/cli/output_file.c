/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear when they are complete (output_file.h). Paths are the caller's own. */
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/str.h"
#include "cli/copy_path.h"

#define FILE_MODE 0600 /* as Docker: it may hold what only root could read */

void output_file_close(struct output_file *o)
{
    close_fd(&o->fd);
    close_fd(&o->dir);
}

static int open_in_place(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, FILE_MODE);
    return fd < 0 ? err_errno(e, "open %s", path) : fd;
}

int output_file_open(const char *path, struct output_file *ret, struct err *e)
{
    struct stat st;
    char parent[MESSAGE_PATH_MAX];
    _cleanup_output_file_ struct output_file o = {.path = path, .fd = -1, .dir = -1};
    if (!path) {
        if (isatty(STDOUT_FILENO))
            return err_set(e, EINVAL, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
        o.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    } else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            return err_set(e, EISDIR, "invalid output path: \"%s\" is a directory", path);
        o.fd = open_in_place(path, e);
    } else {
        copy_path_parent(path, parent);
        o.dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (o.dir < 0)
            return err_set(e, errno, "invalid output path: directory \"%s\" does not exist", parent);
        o.fd = openat(o.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
        if (o.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR ||
                         errno == EINVAL)) { /* not every file system has nameless files */
            close_fd(&o.dir);
            o.fd = open_in_place(path, e);
        }
    }
    if (o.fd < 0)
        return e->code ? -e->code : err_errno(e, "open %s", path ? path : "standard output");
    *ret = o;
    o = (struct output_file)OUTPUT_FILE_INIT;
    return 0;
}

int output_file_finish(struct output_file *o, struct err *e)
{
    char self[32];
    char base[MESSAGE_PATH_MAX];
    char random[ID_LENGTH + 1];
    char name[sizeof(".casemate-") + ID_LENGTH];
    if (o->dir < 0)
        return 0;
    int r = id_random(random, e);
    if (r < 0)
        return r;
    copy_path_base(o->path, base);
    (void)snprintf(name, sizeof(name), ".casemate-%s", random);
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
    if (linkat(AT_FDCWD, self, o->dir, name, AT_SYMLINK_FOLLOW) < 0)
        return err_errno(e, "create %s", o->path);
    if (renameat(o->dir, name, o->dir, base) < 0) {
        err_errno(e, "create %s", o->path);
        (void)unlinkat(o->dir, name, 0);
    }
    return -e->code;
}
