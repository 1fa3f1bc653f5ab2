/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on the command line of run and create (run_setters.h). Which of them a container may have is for practice 4. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/num.h"
#include "cli/run_setters.h"

#define CPUSET_TEXT_MAX 1024

int run_set_limit(void *target, const char *value, struct err *e)
{
    uint64_t *limit = target;
    if (str_equal(value, "-1")) {
        *limit = PLAN_UNLIMITED;
        return 0;
    }
    int r = num_parse_u64(value, INT64_MAX, limit, e);
    if (r == 0 && *limit == 0) /* Docker's other word for it */
        *limit = PLAN_UNLIMITED;
    return r;
}

int run_set_swap(void *target, const char *value, struct err *e)
{
    uint64_t *limit = target;
    if (!str_equal(value, "-1"))
        return num_parse_size(value, limit, e);
    *limit = PLAN_UNLIMITED;
    return 0;
}

int run_set_cpus(void *target, const char *value, struct err *e)
{
    uint64_t nano;
    int r = num_parse_nano(value, &nano, e);
    if (r == 0 && nano == 0)
        return err_set(e, EINVAL, "it must be more than 0");
    if (r == 0)
        *(uint64_t *)target = nano;
    return r;
}

/* "0-3,7": numbers and ranges. */
int run_set_cpuset(void *target, const char *value, struct err *e)
{
    _cleanup_str_list_ struct str_list parts = {0};
    int r = str_list_split(value, ',', CPUSET_TEXT_MAX, &parts, e);
    for (size_t i = 0; i < parts.count && r == 0; i++) {
        char *first = parts.items[i];
        char *last = strchr(first, '-');
        uint64_t low = 0, high = 0;
        if (last)
            *last++ = '\0';
        r = num_parse_u64(first, INT_MAX, &low, e);
        if (r == 0)
            r = last ? num_parse_u64(last, INT_MAX, &high, e) : 0;
        if (r == 0 && last && high < low)
            r = err_set(e, EINVAL, "the range %s-%s runs backwards", first, last);
    }
    return r < 0 ? r : str_replace(target, value, e);
}

/* -1: wait for as long as it takes. */
int run_set_stop_timeout(void *target, const char *value, struct err *e)
{
    if (!str_equal(value, "-1"))
        return num_parse_u64(value, INT_MAX, target, e);
    *(uint64_t *)target = INT_MAX;
    return 0;
}

static int parse_ulimit_number(const char *text, uint64_t *ret, struct err *e)
{
    if (!str_equal(text, "-1"))
        return num_parse_u64(text, INT64_MAX, ret, e);
    *ret = PLAN_UNLIMITED;
    return 0;
}

static int parse_ulimit(const char *value, struct plan_ulimit *ret, struct err *e)
{
    static const char *const names[] = {"core",    "cpu",      "data",   "fsize",      "locks",
                                        "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                        "rss",     "rtprio",   "rttime", "sigpending", "stack"};
    _cleanup_str_list_ struct str_list sides = {0};
    const char *equals = strchr(value, '=');
    size_t n = equals ? (size_t)(equals - value) : 0;
    if (n == 0)
        return err_set(e, EINVAL, "it is not NAME=SOFT[:HARD]");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == n && strncmp(names[i], value, n) == 0)
            (void)str_put(ret->name, sizeof(ret->name), names[i], e);
    if (!ret->name[0])
        return err_set(e, EINVAL, "invalid ulimit type: %.*s", (int)(n < 64 ? n : 64), value);
    int r = str_list_split(equals + 1, ':', 2, &sides, e);
    if (r < 0)
        return err_set(e, EINVAL, "it is not NAME=SOFT[:HARD]");
    r = parse_ulimit_number(sides.items[0], &ret->soft, e);
    if (r == 0)
        r = parse_ulimit_number(sides.items[sides.count - 1], &ret->hard, e);
    if (r == 0 && ret->soft > ret->hard)
        r = err_set(e, EINVAL, "the soft limit must be at most the hard limit");
    return r;
}

/* The last use for a name counts. */
int run_set_ulimit(void *target, const char *value, struct err *e)
{
    struct plan *p = &((struct run_options *)target)->plan;
    struct plan_ulimit u = {0};
    int r = parse_ulimit(value, &u, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < p->ulimit_count; i++) {
        if (str_equal(p->ulimits[i].name, u.name)) {
            p->ulimits[i] = u;
            return 0;
        }
    }
    if (p->ulimit_count == PLAN_ULIMITS_MAX)
        return err_set(e, E2BIG, "more than %d limits", PLAN_ULIMITS_MAX);
    p->ulimits[p->ulimit_count++] = u;
    return 0;
}

int run_check_limits(struct run_options *o, struct err *e)
{
    struct plan *p = &o->plan;
    bool swap = p->memory_swap != PLAN_UNSET && p->memory_swap != PLAN_UNLIMITED;
    if (swap && p->memory == PLAN_UNSET)
        return err_set(e, EINVAL, "--memory-swap is memory and swap together: give --memory too");
    if (swap && p->memory_swap < p->memory)
        return err_set(e, EINVAL, "--memory-swap is memory and swap together: it cannot be below --memory");
    return run_check_cpus(o, e);
}
