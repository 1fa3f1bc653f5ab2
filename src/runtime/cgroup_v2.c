/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on cgroup v2 (cgroup_limits.h). On a hybrid host the unified tree has no controllers and only groups processes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/io.h"
#include "runtime/cgroup_limits.h"

#define CONTROLLERS_TEXT_MAX 1024

/* Enables for the children of dir every controller of ours that dir has. */
static int hand_down(int dir, struct err *e)
{
    static const char *const wanted[] = {"memory", "cpu", "pids", "cpuset", "io"};
    _cleanup_buf_ struct buf have = {0};
    int r = io_read_file_at(dir, "cgroup.controllers", CONTROLLERS_TEXT_MAX, &have, e);
    if (r < 0)
        return r;
    for (char *rest = have.data, *word; rest && (word = strsep(&rest, " \n"));) {
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
            if (strcmp(word, wanted[i]) != 0)
                continue;
            r = io_write_existingf_at(dir, "cgroup.subtree_control", e, "+%s", word);
            if (r < 0 &&
                !identity_rootless()) /* what an ordinary user does not get is not limited, and explain says so */
                return r;
            err_clear(e);
        }
    }
    return 0;
}

int cgroup_v2_prepare(int root, int parent, uint64_t total_memory, struct err *e)
{
    _cleanup_buf_ struct buf handed = {0};
    int r = io_read_file_at(parent, "cgroup.subtree_control", CONTROLLERS_TEXT_MAX, &handed, e);
    if (r == 0 && handed.length <= 1) {
        r = hand_down(root, e);
        if (r == 0)
            r = hand_down(parent, e);
    }
    if (r == 0 && total_memory != SPEC_UNSET && faccessat(parent, "memory.max", F_OK, 0) == 0)
        r = io_write_existingf_at(parent, "memory.max", e, "%llu", (unsigned long long)total_memory);
    return r;
}

int cgroup_set_maximum(int dir, const char *file, uint64_t value, struct err *e)
{
    return value == SPEC_UNLIMITED ? io_write_existing_at(dir, file, "max", e)
                                   : io_write_existingf_at(dir, file, e, "%llu", (unsigned long long)value);
}

static int set_number(int dir, const char *file, uint64_t value, struct err *e)
{
    if (value == SPEC_UNSET)
        return 0;
    if (faccessat(dir, file, F_OK, 0) < 0)
        return err_set(e, ENOSYS,
                       "control group file %s is missing, so this limit cannot be enforced (is the "
                       "controller delegated?)",
                       file);
    return cgroup_set_maximum(dir, file, value, e);
}

/* Weights of v1 (2..262144) in those of v2 (1..10000), as every runtime converts them. */
static uint64_t weight_of_shares(uint64_t shares)
{
    return 1 + (shares - 2) * 9999 / 262142;
}

/* v1 counts memory and swap together, v2 swap alone. */
static uint64_t swap_limit(const struct spec_resources *r)
{
    if (r->memory_swap == SPEC_UNLIMITED || r->memory == SPEC_UNLIMITED)
        return SPEC_UNLIMITED;
    return r->memory_swap > r->memory ? r->memory_swap - r->memory : 0;
}

int cgroup_v2_set(const struct cgroup *g, const struct spec_resources *r, struct err *e)
{
    int dir = g->unified;
    int result = set_number(dir, "memory.max", r->memory, e);
    if (result == 0 && r->memory_swap != SPEC_UNSET && r->memory != SPEC_UNSET &&
        faccessat(dir, "memory.swap.max", F_OK, 0) == 0)
        result = set_number(dir, "memory.swap.max", swap_limit(r), e);
    if (result == 0)
        result = set_number(dir, "memory.low",
                            r->memory_reservation == SPEC_UNLIMITED ? 0 : r->memory_reservation, e);
    if (result == 0 && r->cpu_shares != SPEC_UNSET)
        result = set_number(dir, "cpu.weight", weight_of_shares(r->cpu_shares), e);
    if (result == 0)
        result = set_number(dir, "pids.max", r->pids, e);
    if (result == 0 && r->cpu_quota_us != SPEC_UNSET)
        result = io_write_existingf_at(dir, "cpu.max", e, "%llu %llu", (unsigned long long)r->cpu_quota_us,
                                       (unsigned long long)r->cpu_period_us);
    if (result == 0 && r->cpuset_cpus)
        result = io_write_existing_at(dir, "cpuset.cpus", r->cpuset_cpus, e);
    if (result == 0 && r->cpuset_mems)
        result = io_write_existing_at(dir, "cpuset.mems", r->cpuset_mems, e);
    return result;
}
