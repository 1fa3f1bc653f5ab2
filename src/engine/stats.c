/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a container uses (stats.h). All texts are the kernel's. */
#include "engine/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/observe.h"
#include "engine/processes.h"

#define NET_MAX (256U << 10)
#define HUNDREDTHS 10000 /* of a percent in the whole */

/* Lines "NAME: bytes packets … (8 columns received) bytes … (sent)", proc(5). A container with the host's network shows the host's, as in Docker. */
static void read_network(pid_t pid, struct stats_sample *ret)
{
    char path[48];
    struct err ignored = {0};
    _cleanup_buf_ struct buf text = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
    if (io_read_path(path, NET_MAX, &text, &ignored) < 0)
        return;
    for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n"));) {
        unsigned long long received, sent;
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        if (strcmp(line + strspn(line, " "), "lo") != 0 &&
            sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent) == 2) {
            ret->received += received;
            ret->sent += sent;
        }
    }
}

/* Of those that run now: what ended processes have used is not in it, and shared pages count more than once. */
static int read_processes(const struct container *c, struct cgroup_use *ret, struct err *e)
{
    _cleanup_process_list_ struct process_list list = {0};
    struct cgroup_use use = {.memory_limit = SPEC_UNSET};
    uint64_t tick_ns = (uint64_t)CLOCK_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
    int r = processes_read(c, &list, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < list.count; i++) {
        use.cpu_ns += list.items[i].cpu_ticks * tick_ns;
        use.memory += list.items[i].resident;
        use.processes += list.items[i].threads;
    }
    *ret = use;
    return 0;
}

int stats_read(const struct container *c, struct stats_sample *ret, struct err *e)
{
    struct stats_sample sample = {0};
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    int r = cgroup_open(observe_cgroup_parent(), c->id, &g, e);
    if (r < 0)
        return r;
    if (g.mode != CGROUP_NONE)
        cgroup_read_use(&g, &sample.use);
    else if ((r = read_processes(c, &sample.use, e)) < 0)
        return r;
    sample.time = clock_monotonic();
    if (!plan_shares_network(&c->plan) && (!c->plan.network || !str_equal(c->plan.network, "none")))
        read_network(c->start.pid, &sample);
    *ret = sample;
    return 0;
}

uint64_t stats_cpu(const struct stats_sample *before, const struct stats_sample *now)
{
    if (now->time <= before->time || now->use.cpu_ns < before->use.cpu_ns)
        return 0;
    return (uint64_t)((unsigned __int128)(now->use.cpu_ns - before->use.cpu_ns) * HUNDREDTHS /
                      (uint64_t)(now->time - before->time));
}
