/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PARENT/shims of the unified hierarchy (cgroup.h). Without it a shim would stay in the group of whoever typed the command: a service
 * manager kills what is left there when that session or unit ends, and the container would be lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "runtime/cgroup.h"

#define SHIMS "shims" /* no container's id */

static int open_shims(const struct cgroup *g)
{
    _cleanup_close_ int parent =
        g->unified < 0 ? -1 : openat(g->unified, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parent < 0 || (mkdirat(parent, SHIMS, 0755) < 0 && errno != EEXIST))
        return -1;
    return openat(parent, SHIMS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Born there: a move would wait for an RCU grace period. */
pid_t cgroup_fork_shim(const struct cgroup *g)
{
    _cleanup_close_ int group = open_shims(g);
    if (group >= 0) {
        struct clone_args args = {
            .flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)group, .exit_signal = SIGCHLD};
        pid_t pid = sys_clone3(&args);
        if (pid >= 0)
            return pid;
    }
    return fork();
}
