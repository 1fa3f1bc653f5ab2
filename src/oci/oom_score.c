/* SPDX-License-Identifier: Apache-2.0 */
/* process.oomScoreAdj of a process (child.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "oci/child.h"
#include "oci/rootless.h"

int oci_oom_score_set(pid_t pid, const struct schema_number *score, struct err *e)
{
    char name[32];
    if (!score->set)
        return 0;
    (void)snprintf(name, sizeof(name), "/proc/%d", (int)pid);
    _cleanup_close_ int proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r = proc < 0 ? err_errno(e, "open %s", name)
                     : io_write_existingf_at(proc, "oom_score_adj", e, "%d", (int)score->value);
    if ((r == -EACCES || r == -EPERM) && oci_is_rootless()) {
        err_clear(e); /* an ordinary user may not lower it, and everybody's is 0 */
        return 0;
    }
    return r;
}
