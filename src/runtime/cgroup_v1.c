/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on cgroup v1 (cgroup_limits.h). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "runtime/cgroup_limits.h"

#define CPUSET_TEXT_MAX 4096

static bool has_file(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, 0) == 0;
}

static int copy_file(int from, int to, const char *name, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    int r = io_read_file_at(from, name, CPUSET_TEXT_MAX, &text, e);
    if (r < 0)
        return r;
    return text.length > 1 ? io_write_existing_at(to, name, text.data, e) : 0;
}

static bool is_empty(int dir, const char *name)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    return io_read_file_at(dir, name, CPUSET_TEXT_MAX, &text, &ignored) == 0 && text.length <= 1;
}

int cgroup_v1_inherit_cpuset(int parent, int dir, struct err *e)
{
    int r = copy_file(parent, dir, "cpuset.mems", e);
    return r < 0 ? r : copy_file(parent, dir, "cpuset.cpus", e);
}

int cgroup_v1_prepare(enum cgroup_controller c, int root, int parent, uint64_t total_memory, struct err *e)
{
    if (c == CGROUP_CPUSET)
        return is_empty(parent, "cpuset.mems") || is_empty(parent, "cpuset.cpus")
                   ? cgroup_v1_inherit_cpuset(root, parent, e)
                   : 0;
    if (c == CGROUP_MEMORY && total_memory != SPEC_UNSET)
        return io_write_existingf_at(parent, "memory.limit_in_bytes", e, "%llu",
                                     (unsigned long long)total_memory);
    return 0;
}

/* A limit in a file of v1, where -1 takes it away. */
static int set_limit(int dir, const char *file, uint64_t value, struct err *e)
{
    return value == SPEC_UNLIMITED ? io_write_existing_at(dir, file, "-1", e)
                                   : io_write_existingf_at(dir, file, e, "%llu", (unsigned long long)value);
}

/* memory + swap must never be below memory while the two are changed: the order depends on the direction. */
static int set_memory(int dir, const struct spec_resources *r, struct err *e)
{
    bool swap = r->memory_swap != SPEC_UNSET && has_file(dir, "memory.memsw.limit_in_bytes");
    if (r->memory == SPEC_UNSET)
        return 0;
    struct err first = {0};
    int result = set_limit(dir, "memory.limit_in_bytes", r->memory, &first);
    if (result == -EBUSY)
        return err_set(e, EBUSY, "more than %llu bytes of its memory are in use",
                       (unsigned long long)r->memory);
    if (swap) {
        int swap_result = set_limit(dir, "memory.memsw.limit_in_bytes", r->memory_swap, e);
        if (swap_result < 0)
            return swap_result;
        if (result < 0)
            result = set_limit(dir, "memory.limit_in_bytes", r->memory, &first);
    } else if (has_file(dir, "memory.swappiness")) {
        struct err ignored = {0};
        (void)io_write_existing_at(dir, "memory.swappiness", "0", &ignored);
    }
    if (result < 0)
        *e = first;
    return result;
}

static int missing(const char *controller, struct err *e)
{
    return err_set(e, ENOSYS, "the kernel has no %s controller, so this limit cannot be enforced",
                   controller);
}

/* How memory and processors are shared out, beyond the limits. */
static int set_shares(const struct cgroup *g, const struct spec_resources *r, struct err *e)
{
    const struct {
        enum cgroup_controller controller;
        const char *file;
        uint64_t value;
    } shares[] = {{CGROUP_MEMORY, "memory.soft_limit_in_bytes", r->memory_reservation},
                  {CGROUP_MEMORY, "memory.swappiness", r->memory_swappiness},
                  {CGROUP_CPU, "cpu.shares", r->cpu_shares}};
    int result = 0;
    for (size_t i = 0; i < ARRAY_SIZE(shares) && result == 0; i++) {
        int dir = g->dirs[shares[i].controller];
        if (shares[i].value == SPEC_UNSET)
            continue;
        result = dir < 0 ? missing(cgroup_controller_name(shares[i].controller), e)
                         : set_limit(dir, shares[i].file, shares[i].value, e);
    }
    return result;
}

static int set_cpu(int dir, const struct spec_resources *r, struct err *e)
{
    if (r->cpu_quota_us == SPEC_UNSET)
        return 0;
    int result =
        io_write_existingf_at(dir, "cpu.cfs_period_us", e, "%llu", (unsigned long long)r->cpu_period_us);
    if (result < 0)
        return result;
    return io_write_existingf_at(dir, "cpu.cfs_quota_us", e, "%llu", (unsigned long long)r->cpu_quota_us);
}

int cgroup_v1_set(const struct cgroup *g, const struct spec_resources *r, struct err *e)
{
    int result = 0;
    if (r->memory != SPEC_UNSET)
        result = g->dirs[CGROUP_MEMORY] < 0 ? missing("memory", e) : set_memory(g->dirs[CGROUP_MEMORY], r, e);
    if (result == 0 && r->cpu_quota_us != SPEC_UNSET)
        result = g->dirs[CGROUP_CPU] < 0 ? missing("cpu", e) : set_cpu(g->dirs[CGROUP_CPU], r, e);
    if (result == 0 && r->pids != SPEC_UNSET)
        result = g->dirs[CGROUP_PIDS] < 0 ? missing("pids", e)
                                          : cgroup_set_maximum(g->dirs[CGROUP_PIDS], "pids.max", r->pids, e);
    if (result == 0 && r->cpuset_cpus)
        result = g->dirs[CGROUP_CPUSET] < 0
                     ? missing("cpuset", e)
                     : io_write_existing_at(g->dirs[CGROUP_CPUSET], "cpuset.cpus", r->cpuset_cpus, e);
    if (result == 0 && r->cpuset_mems)
        result = g->dirs[CGROUP_CPUSET] < 0
                     ? missing("cpuset", e)
                     : io_write_existing_at(g->dirs[CGROUP_CPUSET], "cpuset.mems", r->cpuset_mems, e);
    return result < 0 ? result : set_shares(g, r, e);
}
