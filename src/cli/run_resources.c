/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create for processors, memory, block I/O and devices (run_options.h). What a container may have is for practices 4 and 5. */
#include <errno.h>
#include <stddef.h>

#include "base/num.h"
#include "cli/run_setters.h"
#include "plan/device.h"
#include "plan/io.h"

#define AT(member) offsetof(struct run_options, member)

/* Ranges of the kernel (cgroup v1 cpu.txt, v2 cgroup-v2.rst) and of Docker. */
#define PERIOD_LEAST_US 1000
#define PERIOD_MOST_US 1000000
#define PERIOD_DEFAULT_US 100000
#define QUOTA_LEAST_US 1000
#define NANO_PER_PROCESSOR UINT64_C(1000000000)
#define SHARES_LEAST 2
#define SHARES_MOST 262144
#define WEIGHT_LEAST 10
#define WEIGHT_MOST 1000
#define SWAPPINESS_MOST 100
#define SCORE_MOST 1000

/* A number in a range; 0 stands for Docker's "as if it were not given" where the range does not have it. */
static int parse_range(const char *value, uint64_t least, uint64_t most, uint64_t *ret, struct err *e)
{
    uint64_t number = 0;
    int r = num_parse_u64(value, INT64_MAX, &number, e);
    if (r < 0)
        return r;
    if (number == 0 && least > 0) {
        *ret = PLAN_UNSET;
        return 0;
    }
    if (number < least || number > most)
        return err_set(e, ERANGE, "it is not between %llu and %llu", (unsigned long long)least,
                       (unsigned long long)most);
    *ret = number;
    return 0;
}

int run_set_cpu_period(void *target, const char *value, struct err *e)
{
    return parse_range(value, PERIOD_LEAST_US, PERIOD_MOST_US, target, e);
}

int run_set_cpu_quota(void *target, const char *value, struct err *e)
{
    uint64_t quota = PLAN_UNSET;
    if (str_equal(value, "-1"))
        return err_set(e, EINVAL,
                       "no container is without a limit of processors; name one, such as --cpus 2");
    int r = parse_range(value, QUOTA_LEAST_US, INT64_MAX / NANO_PER_PROCESSOR, &quota, e);
    if (r == 0)
        *(int64_t *)target = quota == PLAN_UNSET ? 0 : (int64_t)quota;
    return r;
}

int run_set_cpu_shares(void *target, const char *value, struct err *e)
{
    return parse_range(value, SHARES_LEAST, SHARES_MOST, target, e);
}

int run_set_blkio_weight(void *target, const char *value, struct err *e)
{
    return parse_range(value, WEIGHT_LEAST, WEIGHT_MOST, target, e);
}

/* -1: as if it were not given. */
static int set_swappiness(void *target, const char *value, struct err *e)
{
    if (!str_equal(value, "-1"))
        return parse_range(value, 0, SWAPPINESS_MOST, target, e);
    *(uint64_t *)target = PLAN_UNSET;
    return 0;
}

static int set_score(void *target, const char *value, struct err *e)
{
    uint64_t number = 0;
    const char *digits = str_after(value, "-") ?: value;
    int r = num_parse_u64(digits, SCORE_MOST, &number, e);
    if (r == 0)
        *(int64_t *)target = digits == value ? (int64_t)number : -(int64_t)number;
    return r;
}

static int set_oom_kill_disable(void *target, const char *value, struct err *e)
{
    (void)target;
    if (str_equal(value, "false"))
        return 0;
    return err_refuse(
        e, 4, "refused: a container that is out of memory ends before the host stands still; raise --memory");
}

static int set_device(void *target, const char *value, struct err *e)
{
    return plan_device_add(target, value, e);
}

static int set_read_bps(void *target, const char *value, struct err *e)
{
    return plan_io_add(target, PLAN_IO_READ_BPS, value, e);
}

static int set_write_bps(void *target, const char *value, struct err *e)
{
    return plan_io_add(target, PLAN_IO_WRITE_BPS, value, e);
}

static int set_read_iops(void *target, const char *value, struct err *e)
{
    return plan_io_add(target, PLAN_IO_READ_IOPS, value, e);
}

static int set_write_iops(void *target, const char *value, struct err *e)
{
    return plan_io_add(target, PLAN_IO_WRITE_IOPS, value, e);
}

static int set_weight(void *target, const char *value, struct err *e)
{
    return plan_io_add(target, PLAN_IO_WEIGHT, value, e);
}

int run_cpus_of_quota(int64_t quota_us, uint64_t period_us, uint64_t *ret_nano, struct err *e)
{
    uint64_t nano = 0;
    uint64_t period = period_us == PLAN_UNSET ? PERIOD_DEFAULT_US : period_us;
    if (num_mul_overflows((uint64_t)quota_us, NANO_PER_PROCESSOR, &nano))
        return err_set(e, ERANGE, "--cpu-quota is too large");
    *ret_nano = nano / period;
    return 0;
}

int run_check_cpus(struct run_options *o, struct err *e)
{
    struct plan *p = &o->plan;
    bool cpus = p->cpus_nano != PLAN_UNSET;
    if (cpus && (o->cpu_quota_us || p->cpu_period_us != PLAN_UNSET))
        return err_set(e, EINVAL, "Conflicting options: --cpus and --cpu-%s cannot both be set",
                       o->cpu_quota_us ? "quota" : "period");
    if (o->cpu_quota_us == 0)
        return 0;
    return run_cpus_of_quota(o->cpu_quota_us, p->cpu_period_us, &p->cpus_nano, e);
}

const struct option_entry run_resource_options[] = {
    {"blkio-weight", 0, OPTION_CUSTOM, "WEIGHT", "Weight of block I/O among containers, 10 to 1000",
     AT(plan.blkio_weight), run_set_blkio_weight},
    {"blkio-weight-device", 0, OPTION_CUSTOM, "DISK:WEIGHT", "The same for one disk", AT(plan.io),
     set_weight},
    {"cpu-period", 0, OPTION_CUSTOM, "MICROSECONDS", "Period of --cpu-quota (100000)", AT(plan.cpu_period_us),
     run_set_cpu_period},
    {"cpu-quota", 0, OPTION_CUSTOM, "MICROSECONDS", "Processor time in each period; --cpus says it simpler",
     AT(cpu_quota_us), run_set_cpu_quota},
    {"cpu-shares", 'c', OPTION_CUSTOM, "WEIGHT", "Weight of processor time among containers (1024)",
     AT(plan.cpu_shares), run_set_cpu_shares},
    {"cpuset-mems", 0, OPTION_CUSTOM, "LIST", "Memory nodes to use (0-1, 0,1)", AT(plan.cpuset_mems),
     run_set_cpuset},
    {"device", 0, OPTION_CUSTOM, "DEVICE[:TARGET][:RIGHTS]", "Give the container a device of the host",
     AT(plan.devices), set_device, "files"},
    {"device-read-bps", 0, OPTION_CUSTOM, "DISK:RATE", "Bytes in a second that may be read from a disk (1mb)",
     AT(plan.io), set_read_bps},
    {"device-read-iops", 0, OPTION_CUSTOM, "DISK:RATE", "Requests in a second to read from a disk",
     AT(plan.io), set_read_iops},
    {"device-write-bps", 0, OPTION_CUSTOM, "DISK:RATE",
     "Bytes in a second that may be written to a disk (1mb)", AT(plan.io), set_write_bps},
    {"device-write-iops", 0, OPTION_CUSTOM, "DISK:RATE", "Requests in a second to write to a disk",
     AT(plan.io), set_write_iops},
    {"memory-reservation", 0, OPTION_SIZE, "SIZE", "Memory that is kept for it when others need some",
     AT(plan.memory_reservation)},
    {"memory-swappiness", 0, OPTION_CUSTOM, "N",
     "How readily its memory is swapped, 0 to 100; cgroup v1 only", AT(plan.memory_swappiness),
     set_swappiness},
    {"oom-kill-disable", 0, OPTION_CUSTOM, NULL, "Refused: a container must end before the host does", 0,
     set_oom_kill_disable},
    {"oom-score-adj", 0, OPTION_CUSTOM, "N",
     "End it even earlier when the machine is out of memory (500 to 1000)", AT(plan.oom_score_adj),
     set_score},
    {0},
};
