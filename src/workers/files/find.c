/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at one path (find.h). */
#include "workers/files/find.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

int find_path(int root_fd, const struct message_files_path *request, struct message_files_found *ret_found,
              struct err *e)
{
    struct stat st;
    struct message_files_found found = {0};
    int flags = O_PATH | (request->follow ? 0 : O_NOFOLLOW);
    _cleanup_close_ int fd = path_open_in_root(root_fd, request->path, flags, 0, e);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat %s", request->path);
    found.mode = st.st_mode;
    found.size = (uint64_t)st.st_size;
    found.mtime = st.st_mtim.tv_sec;
    if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlinkat(fd, "", found.target, sizeof(found.target) - 1);
        if (n < 0)
            return err_errno(e, "read link %s", request->path);
        found.target[n] = '\0';
    }
    *ret_found = found;
    return 0;
}
