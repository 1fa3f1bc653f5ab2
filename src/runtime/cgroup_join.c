/* SPDX-License-Identifier: Apache-2.0 */
/* Joining control groups from inside (cgroup_join.h). */
#include "runtime/cgroup_join.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

void cgroup_join_close(struct cgroup_join *j)
{
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        close_fd(&j->tasks[c]);
}

int cgroup_join_open(const struct cgroup *g, struct cgroup_join *ret, struct err *e)
{
    _cleanup_cgroup_join_ struct cgroup_join j = CGROUP_JOIN_INIT;
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        if (g->dirs[c] < 0)
            continue;
        j.tasks[c] = openat(g->dirs[c], "tasks", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (j.tasks[c] < 0)
            return err_errno(e, "control group %s", cgroup_controller_name((enum cgroup_controller)c));
    }
    *ret = j;
    j = (struct cgroup_join)CGROUP_JOIN_INIT;
    return 0;
}

int cgroup_join_self(struct cgroup_join *j, struct err *e)
{
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        if (j->tasks[c] >= 0 && write(j->tasks[c], "0", 1) != 1)
            return err_errno(e, "join control group %s", cgroup_controller_name((enum cgroup_controller)c));
    cgroup_join_close(j);
    return 0;
}
