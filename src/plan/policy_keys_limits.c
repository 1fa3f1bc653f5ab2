/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of casemate.conf: the numbers of practice 4 (policy_reading.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "plan/policy_reading.h"

#define OOM_SCORE_ADJ_MAX 1000

static int set_memory(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, num_parse_size, &r->policy->memory, e);
}

static int set_memory_min(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_size(entry->value, &r->policy->memory_min, e);
}

static int set_cpus(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, num_parse_nano, &r->policy->cpus, e);
}

static int set_pids(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t pids = 0;
    int result = num_parse_u64(entry->value, UINT32_MAX, &pids, e);
    if (result == 0 && pids == 0)
        result = err_set(e, EINVAL, "'%s' must be more than 0", entry->value);
    if (result == 0)
        r->policy->pids = pids;
    return result;
}

static int parse_limit(const char *text, uint64_t *ret, struct err *e)
{
    if (str_equal(text, "unlimited") || str_equal(text, "-1")) {
        *ret = PLAN_UNLIMITED;
        return 0;
    }
    return num_parse_u64(text, PLAN_UNLIMITED - 1, ret, e);
}

static int parse_bps(const char *value, uint64_t *ret, struct err *e)
{
    if (!str_equal(value, "unlimited"))
        return policy_value_size(value, ret, e);
    *ret = PLAN_UNLIMITED;
    return 0;
}

static int set_read_bps(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bps(entry->value, &r->policy->read_bps, e);
}

static int set_write_bps(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bps(entry->value, &r->policy->write_bps, e);
}

static int parse_iops(const char *value, uint64_t *ret, struct err *e)
{
    uint64_t number = 0;
    int r = str_equal(value, "unlimited") ? (number = PLAN_UNLIMITED, 0)
                                          : num_parse_u64(value, UINT32_MAX, &number, e);
    if (r == 0 && number == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = number;
    return r;
}

static int set_read_iops(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_iops(entry->value, &r->policy->read_iops, e);
}

static int set_write_iops(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_iops(entry->value, &r->policy->write_iops, e);
}

static int set_oom_score_adj(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t score = 0;
    int result = num_parse_u64(entry->value, OOM_SCORE_ADJ_MAX, &score, e);
    if (result == 0 && score == 0)
        result = err_set(e, EINVAL, "it must be more than 0: containers go before the programs of the host");
    if (result == 0)
        r->policy->oom_score_adj = score;
    return result;
}

static int set_shm_size(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_size(entry->value, &r->policy->shm_size, e);
}

static int set_tmpfs_size(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, num_parse_size, &r->policy->tmpfs_size, e);
}

static int parse_count(const char *value, uint64_t *ret, struct err *e)
{
    return num_parse_u64(value, INT64_MAX, ret, e);
}

static int set_disk(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_size(entry->value, &r->policy->disk, e);
}

static int set_disk_inodes(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t inodes = 0;
    int result = parse_count(entry->value, &inodes, e);
    if (result == 0 && inodes == 0)
        result = err_set(e, EINVAL, "'%s' must be more than 0", entry->value);
    if (result == 0)
        r->policy->disk_inodes = inodes;
    return result;
}

static int set_volume_disk(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, num_parse_size, &r->policy->volume_disk, e);
}

static int set_volume_inodes(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, parse_count, &r->policy->volume_inodes, e);
}

static int set_reserve(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_share(entry->value, num_parse_size, &r->policy->reserve, e);
}

static int set_reserve_min(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_size(entry->value, &r->policy->reserve_min, e);
}

/* NAME=SOFT[:HARD], as --ulimit. */
static int set_ulimit(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    struct plan_ulimit limit = {0};
    char numbers[64];
    const char *equals = strchr(entry->value, '=');
    if (!equals || equals == entry->value || (size_t)(equals - entry->value) >= sizeof(limit.name))
        return err_set(e, EINVAL, "'%s' is not NAME=SOFT[:HARD]", entry->value);
    memcpy(limit.name, entry->value, (size_t)(equals - entry->value));
    if (strspn(limit.name, "abcdefghijklmnopqrstuvwxyz") != strlen(limit.name))
        return err_set(e, EINVAL, "'%s' is not the name of a limit", limit.name);
    int result = str_put(numbers, sizeof(numbers), equals + 1, e);
    if (result < 0)
        return result;
    char *colon = strchr(numbers, ':');
    if (colon)
        *colon++ = '\0';
    result = parse_limit(numbers, &limit.soft, e);
    if (result == 0)
        result = parse_limit(colon ? colon : numbers, &limit.hard, e);
    if (result == 0 && limit.soft > limit.hard)
        result = err_set(e, EINVAL, "'%s': the soft limit is above the hard one", entry->value);
    if (result < 0)
        return result;
    struct policy *p = r->policy;
    size_t at = 0;
    while (at < p->ulimit_count && !str_equal(p->ulimits[at].name, limit.name))
        at++;
    if (at == PLAN_ULIMITS_MAX)
        return err_set(e, E2BIG, "more than %d limits", PLAN_ULIMITS_MAX);
    p->ulimits[at] = limit;
    p->ulimit_count = at == p->ulimit_count ? at + 1 : p->ulimit_count;
    return 0;
}

const struct policy_key policy_keys_limits[] = {
    {"practice", "limits", "memory", set_memory},
    {"practice", "limits", "memory-min", set_memory_min},
    {"practice", "limits", "cpus", set_cpus},
    {"practice", "limits", "pids", set_pids},
    {"practice", "limits", "read-bps", set_read_bps},
    {"practice", "limits", "write-bps", set_write_bps},
    {"practice", "limits", "read-iops", set_read_iops},
    {"practice", "limits", "write-iops", set_write_iops},
    {"practice", "limits", "oom-score-adj", set_oom_score_adj},
    {"practice", "limits", "shm-size", set_shm_size},
    {"practice", "limits", "tmpfs-size", set_tmpfs_size},
    {"practice", "limits", "ulimit", set_ulimit},
    {"practice", "limits", "disk", set_disk},
    {"practice", "limits", "disk-inodes", set_disk_inodes},
    {"practice", "limits", "volume-disk", set_volume_disk},
    {"practice", "limits", "volume-inodes", set_volume_inodes},
    {"practice", "limits", "reserve", set_reserve},
    {"practice", "limits", "reserve-min", set_reserve_min},
    {0},
};
