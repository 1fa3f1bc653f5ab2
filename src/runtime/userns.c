/* SPDX-License-Identifier: Apache-2.0 */
/* Id maps (userns.h). */
#include "runtime/userns.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/syscalls.h"

#define MAP_TEXT_MAX 4096 /* the kernel takes less than a page */

static int write_map(int proc, const char *name, const struct id_map *map, size_t count, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        int r = buf_printf(&text, MAP_TEXT_MAX, e, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
        if (r < 0)
            return r;
    }
    return io_write_existing_at(proc, name, text.data ? text.data : "", e);
}

int userns_write_maps(pid_t pid, const struct id_map *uids, size_t uid_count, const struct id_map *gids,
                      size_t gid_count, struct err *e)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "/proc/%d", (int)pid);
    _cleanup_close_ int proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return err_errno(e, "open %s", name);
    int r = write_map(proc, "uid_map", uids, uid_count, e);
    if (r == 0)
        r = write_map(proc, "gid_map", gids, gid_count, e);
    return r < 0 ? err_wrap(e, "map ids") : 0;
}

int userns_for_idmap(const struct id_map *uids, size_t uid_count, const struct id_map *gids, size_t gid_count,
                     struct err *e)
{
    /* CLONE_VM and CLONE_VFORK would share our stack; a plain fork of a small process is cheap enough. */
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    pid_t parent = getpid();
    pid_t pid = sys_clone3(&args);
    if (pid < 0)
        return err_errno(e, "make a user namespace (is user.max_user_namespaces 0?)");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent)
            pause();
        _exit(0);
    }
    int fd = -1;
    int r = userns_write_maps(pid, uids, uid_count, gids, gid_count, e);
    if (r == 0) {
        char name[40];
        (void)snprintf(name, sizeof(name), "/proc/%d/ns/user", (int)pid);
        fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            r = err_errno(e, "open %s", name);
    }
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return r < 0 ? r : fd;
}
