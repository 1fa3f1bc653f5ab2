/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 4, resource limits: memory without swap, processors, processes, block I/O, descriptors and the sizes of memory file systems are limited
 * for every container, as a share of the machine. A flag may ask for more and is recorded; no limit at all needs the policy.
 *
 * After it has run, PLAN_UNSET in the plan's limits means "not limited, by a grant".
 */
#include <errno.h>
#include <stdio.h>

#include "base/dirs.h"
#include "practices/refuse.h"
#include "practices/registry.h"
#include "runtime/cgroup.h"

#define MEMORY_LEAST (UINT64_C(6) << 20) /* Docker's: nothing starts with less */
#define NANO UINT64_C(1000000000)

static uint64_t memory_default(const struct policy *p)
{
    uint64_t share = policy_share_of(&p->memory, p->machine.memory);
    uint64_t total = policy_total_memory(p);
    share = share < p->memory_min ? p->memory_min : share;
    return share > total ? total : share;
}

/* Asked for "no limit" with a flag: only by the policy. */
static int take_unlimited(struct practice_run *run, const char *what, const char *flag, struct err *e)
{
    char line[64];
    const struct policy_right *right = run_right(run, POLICY_ALLOW_UNLIMITED, what);
    if (right)
        return run_grant(run, 4, right->source, e, "unlimited %s", what);
    (void)snprintf(line, sizeof(line), "allow-unlimited = %s", what);
    return refuse_by_policy(e, 4, line, "%s without a limit is refused: name one", flag);
}

static int apply_memory(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    char asked[SIZE_TEXT], most[SIZE_TEXT];
    uint64_t total = policy_total_memory(run->policy);
    uint64_t standard = memory_default(run->policy);
    if (p->memory == PLAN_UNSET) {
        p->memory = standard;
        return 0;
    }
    if (p->memory == 0 || p->memory == PLAN_UNLIMITED) {
        p->memory = PLAN_UNSET;
        return take_unlimited(run, "memory", "--memory", e);
    }
    size_text(p->memory, asked);
    size_text(total, most);
    if (p->memory < MEMORY_LEAST)
        return err_set(e, EINVAL, "--memory %s: the least is 6 MiB", asked);
    if (p->memory > total)
        return err_refuse(e, 4,
                          "--memory %s is refused: all containers together have %s, the rest is kept for the "
                          "host (keys reserve "
                          "and reserve-min under [practice \"limits\"] in %s)",
                          asked, most, dirs_conf());
    return p->memory > standard ? run_grant(run, 4, "--memory", e, "memory %s", asked) : 0;
}

/* memory_swap is memory and swap together, as Docker has it. */
static int apply_swap(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    char swap[SIZE_TEXT];
    if (p->memory_swap == PLAN_UNLIMITED)
        return take_unlimited(run, "swap", "--memory-swap", e);
    if (p->memory == PLAN_UNSET)
        return 0; /* memory itself is not limited, so neither is the sum */
    if (p->memory_swap == PLAN_UNSET || p->memory_swap == 0) {
        p->memory_swap = p->memory;
        return 0;
    }
    if (p->memory_swap < p->memory)
        return err_set(e, EINVAL, "--memory-swap is memory and swap together: it cannot be below --memory");
    size_text(p->memory_swap - p->memory, swap);
    return p->memory_swap > p->memory ? run_grant(run, 4, "--memory-swap", e, "swap %s", swap) : 0;
}

static int apply_cpus(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    uint64_t all = run->policy->machine.processors * NANO;
    uint64_t standard = policy_share_of(&run->policy->cpus, all);
    standard = standard > all ? all : standard;
    if (p->cpus_nano == PLAN_UNSET) {
        p->cpus_nano = standard;
        return 0;
    }
    if (p->cpus_nano > all)
        return err_set(e, EINVAL, "--cpus: this machine has %u processors", run->policy->machine.processors);
    return p->cpus_nano > standard ? run_grant(run, 4, "--cpus", e, "%llu.%02llu processors",
                                               (unsigned long long)(p->cpus_nano / NANO),
                                               (unsigned long long)(p->cpus_nano % NANO / (NANO / 100)))
                                   : 0;
}

static int apply_pids(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    if (p->pids == PLAN_UNSET) {
        p->pids = run->policy->pids;
        return 0;
    }
    if (p->pids == 0 || p->pids == PLAN_UNLIMITED) {
        p->pids = PLAN_UNSET;
        return take_unlimited(run, "pids", "--pids-limit", e);
    }
    if (p->pids > run->policy->machine.processes)
        return err_set(e, EINVAL, "--pids-limit %llu: the kernel has at most %llu processes",
                       (unsigned long long)p->pids, (unsigned long long)run->policy->machine.processes);
    return p->pids > run->policy->pids
               ? run_grant(run, 4, "--pids-limit", e, "%llu processes", (unsigned long long)p->pids)
               : 0;
}

static int apply_memory_hints(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    enum cgroup_mode mode;
    struct err absent = {0};
    if (p->memory_reservation == 0)
        p->memory_reservation = PLAN_UNSET;
    if (p->memory_reservation != PLAN_UNSET && p->memory != PLAN_UNSET && p->memory_reservation > p->memory)
        return err_set(e, EINVAL, "--memory-reservation cannot be above --memory");
    if (p->memory_swappiness != PLAN_UNSET && cgroup_detect_mode(&mode, &absent) == 0 && mode == CGROUP_V2)
        return run_note(run, e, "--memory-swappiness has no effect: cgroup v2 has no such setting");
    return 0;
}

/* May be raised, not lowered: when the machine is out of memory, containers go first. */
static int apply_oom_score(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    int64_t least = (int64_t)run->policy->oom_score_adj;
    if (p->oom_score_adj == PLAN_SCORE_UNSET)
        p->oom_score_adj = least;
    if (p->oom_score_adj >= least)
        return 0;
    return err_refuse(
        e, 4,
        "--oom-score-adj %lld is refused: containers go before the programs of the host, which %lld "
        "keeps up (key oom-score-adj under [practice \"limits\"] in %s)",
        (long long)p->oom_score_adj, (long long)least, dirs_conf());
}

static int apply_memory_filesystems(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    char size[SIZE_TEXT];
    uint64_t memory = p->memory == PLAN_UNSET ? policy_total_memory(run->policy) : p->memory;
    uint64_t tmpfs = policy_share_of(&run->policy->tmpfs_size, memory);
    for (size_t i = 0; i < p->mount_count; i++)
        if (p->mounts[i].type == PLAN_MOUNT_TMPFS &&
            (p->mounts[i].size == PLAN_UNSET || p->mounts[i].size == 0))
            p->mounts[i].size = tmpfs;
    if (p->shm_size == PLAN_UNSET || p->shm_size == 0) {
        p->shm_size = run->policy->shm_size;
        return 0;
    }
    size_text(p->shm_size, size);
    return p->shm_size > run->policy->shm_size ? run_grant(run, 4, "--shm-size", e, "/dev/shm %s", size) : 0;
}

static struct plan_ulimit *find_ulimit(struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->ulimit_count; i++)
        if (str_equal(p->ulimits[i].name, name))
            return &p->ulimits[i];
    return NULL;
}

static int apply_ulimit(struct practice_run *run, const struct plan_ulimit *standard, struct err *e)
{
    struct plan *p = run->plan;
    const struct plan_ulimit *asked = find_ulimit(p, standard->name);
    if (asked && (asked->soft > standard->soft || asked->hard > standard->hard)) {
        _cleanup_free_ char *source = NULL;
        int r = str_format(&source, e, "--ulimit %s", asked->name);
        return r < 0 ? r
                     : run_grant(run, 4, source, e, "limit %s above %llu:%llu", asked->name,
                                 (unsigned long long)standard->soft, (unsigned long long)standard->hard);
    }
    if (asked)
        return 0;
    if (p->ulimit_count == PLAN_ULIMITS_MAX)
        return err_set(e, E2BIG, "more than %d limits", PLAN_ULIMITS_MAX);
    p->ulimits[p->ulimit_count++] = *standard;
    return 0;
}

static int apply_ulimits(struct practice_run *run, struct err *e)
{
    const struct policy *policy = run->policy;
    int r = 0;
    for (size_t i = 0; i < policy->ulimit_count && r == 0; i++)
        r = apply_ulimit(run, &policy->ulimits[i], e);
    /* The same number as the control group's, for what counts by user. */
    struct plan_ulimit processes = {"nproc", run->plan->pids, run->plan->pids};
    if (r == 0 && run->plan->pids != PLAN_UNSET)
        r = apply_ulimit(run, &processes, e);
    return r;
}

static int apply(struct practice_run *run, struct err *e)
{
    int r = apply_memory(run, e);
    if (r == 0)
        r = apply_swap(run, e);
    if (r == 0)
        r = apply_cpus(run, e);
    if (r == 0)
        r = apply_pids(run, e);
    if (r == 0)
        r = apply_memory_hints(run, e);
    if (r == 0)
        r = apply_oom_score(run, e);
    if (r == 0)
        r = limits_apply_io(run, e);
    if (r == 0)
        r = limits_apply_disk(run, e);
    if (r == 0)
        r = apply_memory_filesystems(run, e);
    return r < 0 ? r : apply_ulimits(run, e);
}

const struct practice practice_limits = {
    .number = 4,
    .id = "limits",
    .title = "resource limits",
    .what = "limits memory, processors, processes, block I/O and disk space of every container to a share of "
            "the machine",
    .missing = "network bandwidth is not limited",
    .apply = apply,
    .explain = limits_explain,
};
