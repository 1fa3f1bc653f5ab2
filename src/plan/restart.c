/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies (restart.h). */
#include "plan/restart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

static const char *const names[] = {[RESTART_NO] = "no",
                                    [RESTART_ON_FAILURE] = "on-failure",
                                    [RESTART_ALWAYS] = "always",
                                    [RESTART_UNLESS_STOPPED] = "unless-stopped"};

const char *restart_kind_name(enum restart_kind kind)
{
    return names[kind];
}

void restart_format(const struct restart_policy *policy, char *ret_text)
{
    if (policy->max)
        (void)snprintf(ret_text, RESTART_TEXT_MAX, "%s:%llu", names[policy->kind],
                       (unsigned long long)policy->max);
    else
        (void)snprintf(ret_text, RESTART_TEXT_MAX, "%s", names[policy->kind]);
}

int restart_parse(const char *text, struct restart_policy *ret_policy, struct err *e)
{
    struct restart_policy p = {0};
    size_t length = strcspn(text, ":");
    size_t kind = 0;
    while (kind < ARRAY_SIZE(names) &&
           (strlen(names[kind]) != length || strncmp(names[kind], text, length) != 0))
        kind++;
    if (kind == ARRAY_SIZE(names) && *text)
        return err_set(e, EINVAL,
                       "invalid restart policy '%s': no, on-failure[:N], always or unless-stopped is meant",
                       text);
    p.kind = *text ? (enum restart_kind)kind : RESTART_NO;
    if (text[length] == ':') {
        struct err bad = {0};
        if (num_parse_u64(text + length + 1, INT_MAX, &p.max, &bad) < 0)
            return err_set(e, EINVAL,
                           "invalid restart policy format: maximum retry count must be an integer");
        if (p.kind != RESTART_ON_FAILURE)
            return err_set(e, EINVAL, "maximum retry count cannot be used with restart policy '%s'",
                           names[p.kind]);
    }
    *ret_policy = p;
    return 0;
}
