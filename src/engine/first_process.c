/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting until a container is its own (first_process.h). No lock is taken: `stop` holds that of the container for as long as it waits. */
#include "engine/first_process.h"

#include <errno.h>
#include <poll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/proc.h"

#define LOOK_EVERY_MS 2

static int not_running(const struct container *c, struct err *e)
{
    return err_set(e, ESRCH, "Container %.12s is not running", c->id);
}

int first_process_open(const struct container *c, struct err *e)
{
    int64_t end = clock_monotonic() + FIRST_PROCESS_WAIT_MS * (CLOCK_SECOND / 1000);
    struct err gone = {0};
    _cleanup_close_ int pidfd =
        c->status == CONTAINER_RUNNING ? proc_open(c->start.pid, c->start.pid_start, &gone) : -ESRCH;
    for (;;) {
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        int r = pidfd < 0 ? -ESRCH : proc_has_executed(c->start.pid, &gone);
        if (r < 0 || poll(&ended, 1, 0) > 0)
            return not_running(c, e);
        if (r == 1)
            return steal_fd(&pidfd);
        if (clock_monotonic() > end)
            return err_set(e, EAGAIN, "Container %.12s is still being started", c->id);
        (void)poll(&ended, 1, LOOK_EVERY_MS);
    }
}
