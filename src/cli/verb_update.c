/* SPDX-License-Identifier: Apache-2.0 */
/* casemate update: other limits, or another restart policy, for containers that exist. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/containers.h"
#include "cli/run_setters.h"
#include "engine/update.h"

struct update_options {
    struct plan plan; /* what is to change */
    int64_t cpu_quota_us;
};

#define AT(member) offsetof(struct update_options, member)

static int set_restart(void *target, const char *value, struct err *e)
{
    struct restart_policy policy;
    int r = restart_parse(value, &policy, e);
    return r < 0 ? r : str_replace(target, *value ? value : "no", e);
}

static const struct option_entry options[] = {
    {"blkio-weight", 0, OPTION_CUSTOM, "WEIGHT", "Weight of block I/O among containers, 10 to 1000",
     AT(plan.blkio_weight), run_set_blkio_weight},
    {"cpu-period", 0, OPTION_CUSTOM, "MICROSECONDS", "Period of --cpu-quota (100000)", AT(plan.cpu_period_us),
     run_set_cpu_period},
    {"cpu-quota", 0, OPTION_CUSTOM, "MICROSECONDS", "Processor time in each period; --cpus says it simpler",
     AT(cpu_quota_us), run_set_cpu_quota},
    {"cpu-rt-period", 0, OPTION_UNSUPPORTED, "N", ": real-time scheduling is not for containers"},
    {"cpu-rt-runtime", 0, OPTION_UNSUPPORTED, "N", ": real-time scheduling is not for containers"},
    {"cpu-shares", 'c', OPTION_CUSTOM, "WEIGHT", "Weight of processor time among containers (1024)",
     AT(plan.cpu_shares), run_set_cpu_shares},
    {"cpus", 0, OPTION_CUSTOM, "NUMBER", "Processors that may be used (1.5)", AT(plan.cpus_nano),
     run_set_cpus},
    {"cpuset-cpus", 0, OPTION_CUSTOM, "LIST", "Processors to run on (0-3, 0,1)", AT(plan.cpuset_cpus),
     run_set_cpuset},
    {"cpuset-mems", 0, OPTION_CUSTOM, "LIST", "Memory nodes to use (0-1, 0,1)", AT(plan.cpuset_mems),
     run_set_cpuset},
    {"kernel-memory", 0, OPTION_UNSUPPORTED, "SIZE", ": the kernel's memory counts in --memory"},
    {"memory", 'm', OPTION_SIZE, "SIZE", "Memory limit (512m, 2g)", AT(plan.memory)},
    {"memory-reservation", 0, OPTION_SIZE, "SIZE", "Memory that is kept for it when others need some",
     AT(plan.memory_reservation)},
    {"memory-swap", 0, OPTION_CUSTOM, "SIZE", "Limit of memory and swap together; -1: unlimited swap",
     AT(plan.memory_swap), run_set_swap},
    {"pids-limit", 0, OPTION_CUSTOM, "NUMBER", "Limit of processes and threads; -1: unlimited", AT(plan.pids),
     run_set_limit},
    {"restart", 0, OPTION_CUSTOM, "POLICY", "Restart policy: no, on-failure[:N], always, unless-stopped",
     AT(plan.restart), set_restart, "no on-failure always unless-stopped"},
    {"storage-opt", 0, OPTION_CUSTOM, "KEY=VALUE",
     "Limit what it may write to its root: size=10g, inodes=100000", AT(plan), run_set_storage_opt},
    {0},
};

static int update_one(const struct store *s, struct container *c, const char *word, void *context,
                      struct err *e)
{
    bool old;
    int r = update_container(s, c, context, &old, e);
    if (r < 0)
        return err_wrap(e, "Cannot update container %s", word);
    if (old)
        fprintf(
            stderr,
            "casemate: processes of %s that run keep their limit of processes by user until the next start\n",
            word);
    printf("%s\n", word);
    return 0;
}

static int check(const struct invocation *in, struct update_options *o, struct err *e)
{
    struct plan *p = &o->plan;
    if (in->setting_count == 0)
        return err_set(e, EINVAL, "You must provide one or more flags when using this command");
    if (p->cpus_nano != PLAN_UNSET && (o->cpu_quota_us || p->cpu_period_us != PLAN_UNSET))
        return err_set(e, EINVAL, "Conflicting options: --cpus and --cpu-%s cannot both be set",
                       o->cpu_quota_us ? "quota" : "period");
    return o->cpu_quota_us ? run_cpus_of_quota(o->cpu_quota_us, p->cpu_period_us, &p->cpus_nano, e) : 0;
}

static int run(const struct invocation *in, struct err *e)
{
    struct update_options o = {0};
    plan_init(&o.plan);
    int r = options_apply(in, &o, e);
    if (r == 0)
        r = check(in, &o, e);
    if (r == 0)
        r = containers_each(in, false, update_one, &o.plan, e);
    plan_clear(&o.plan);
    return r;
}

const struct verb verb_update = {
    .name = "update",
    .aliases = "container update",
    .group = VERB_CONTAINERS,
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Change limits or the restart policy of containers",
    .arguments_min = 1,
    .arguments_max = VERB_MANY,
    .complete = "containers",
    .options = {options},
    .run = run,
};
