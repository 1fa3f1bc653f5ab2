/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is kept alive, on the command line of run and create (run_setters.h): restart policy and health check. */
#include <errno.h>

#include "cli/run_setters.h"
#include "plan/restart.h"

#define HEALTH_TIME_MIN 1000000U /* ns; Docker's: a millisecond */

int run_set_restart(void *target, const char *value, struct err *e)
{
    struct restart_policy policy;
    int r = restart_parse(value, &policy, e);
    if (r < 0)
        return r;
    return str_replace(target, policy.kind == RESTART_NO ? NULL : value, e);
}

int run_set_health_retries(void *target, const char *value, struct err *e)
{
    uint64_t retries;
    int r = run_set_limit(&retries, value, e);
    if (r == 0 && retries == PLAN_UNLIMITED && !str_equal(value, "0"))
        return err_set(e, EINVAL, "it cannot be negative");
    if (r == 0)
        *(uint64_t *)target = retries == PLAN_UNLIMITED ? 0 : retries;
    return r;
}

static int check_times(const struct plan *p, struct err *e)
{
    const struct {
        const char *option;
        uint64_t value;
    } times[] = {
        {"interval", p->health_interval},
        {"timeout", p->health_timeout},
        {"start-period", p->health_start_period},
        {"start-interval", p->health_start_interval},
    };
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        if (times[i].value > 0 && times[i].value < HEALTH_TIME_MIN)
            return err_set(e, EINVAL, "--health-%s cannot be less than 1ms", times[i].option);
    return 0;
}

static bool any_health_option(const struct run_options *o)
{
    const struct plan *p = &o->plan;
    return str_set(o->health_cmd) || p->health_interval != PLAN_UNSET || p->health_timeout != PLAN_UNSET ||
           p->health_start_period != PLAN_UNSET || p->health_start_interval != PLAN_UNSET ||
           p->health_retries != PLAN_UNSET;
}

int run_check_living(struct run_options *o, struct err *e)
{
    struct plan *p = &o->plan;
    if (p->restart && p->auto_remove)
        return err_set(e, EINVAL, "Conflicting options: --restart and --rm");
    if (o->no_healthcheck && any_health_option(o))
        return err_set(e, EINVAL, "--no-healthcheck conflicts with --health-* options");
    if (o->no_healthcheck)
        return str_list_add(&p->health_test, "NONE", e);
    int r = check_times(p, e);
    if (r < 0 || !str_set(o->health_cmd))
        return r;
    r = str_list_add(&p->health_test, "CMD-SHELL", e);
    return r < 0 ? r : str_list_add(&p->health_test, o->health_cmd, e);
}
