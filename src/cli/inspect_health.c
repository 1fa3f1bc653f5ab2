/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks in `inspect` (inspect_health.h). The output of checks comes from containers: JSON escapes it. */
#include "cli/inspect_health.h"

#include "engine/health.h"

static void add_number(struct members *m, const char *key, uint64_t value)
{
    if (value != PLAN_UNSET && value != 0)
        members_number(m, key, (int64_t)value);
}

void inspect_health_config(struct members *config, const struct plan *p)
{
    if (p->health_test.count == 0)
        return;
    struct members m = members_object(config, "Healthcheck");
    members_list(&m, "Test", &p->health_test, false);
    add_number(&m, "Interval", p->health_interval);
    add_number(&m, "Timeout", p->health_timeout);
    add_number(&m, "StartPeriod", p->health_start_period);
    add_number(&m, "StartInterval", p->health_start_interval);
    add_number(&m, "Retries", p->health_retries);
    members_join(config, &m);
}

void inspect_health(struct members *state, const struct container *c)
{
    _cleanup_health_ struct health h = {0};
    health_read(c, &h);
    struct members m = members_object(state, "Health");
    members_text(&m, "Status", health_status_name(h.status));
    members_number(&m, "FailingStreak", (int64_t)h.streak);
    struct members log = members_array(&m, "Log");
    for (size_t i = 0; i < h.count; i++) {
        struct members x = members_item(&log);
        members_time(&x, "Start", h.results[i].start);
        members_time(&x, "End", h.results[i].end);
        members_number(&x, "ExitCode", h.results[i].exit_code);
        members_text(&x, "Output", h.results[i].output);
        members_join(&log, &x);
    }
    members_join(&m, &log);
    members_join(state, &m);
}
