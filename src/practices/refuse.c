/* SPDX-License-Identifier: Apache-2.0 */
/* Rights, grants and refusals (refuse.h). Trusted; pure functions of plan and policy. */
#include "practices/refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/dirs.h"

int refuse_by_policy(struct err *e, int practice, const char *line, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_refuse(e, practice, "%s; to allow it, put '%s' under [practice \"%s\"] in %s", text, line,
                      practice_find(practice)->id, dirs_own_conf());
}

const struct policy_right *run_right(const struct practice_run *run, enum policy_right_kind kind,
                                     const char *value)
{
    return policy_rights_find(&run->rights, kind, value);
}

int run_grant(struct practice_run *run, int practice, const char *source, struct err *e, const char *what,
              ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, what);
    int n = vsnprintf(text, sizeof(text), what, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text))
        return err_set(e, ENAMETOOLONG, "what is granted is longer than %zu bytes", sizeof(text) - 1);
    for (size_t i = 0; i < run->plan->grant_count; i++) {
        const struct plan_grant *g = &run->plan->grants[i];
        if (g->practice == practice && str_equal(g->what, text))
            return 0;
    }
    return plan_add_grant(run->plan, practice, text, source, e);
}

int run_note(struct practice_run *run, struct err *e, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return str_list_add(&run->plan->notes, text, e);
}

void size_text(uint64_t bytes, char *ret_text)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    uint64_t whole = bytes;
    while (unit + 1 < ARRAY_SIZE(units) && whole >= 1024) {
        whole /= 1024;
        unit++;
    }
    uint64_t scale = UINT64_C(1) << (10 * unit);
    uint64_t tenth = unit ? (bytes % scale) * 10 / scale : 0;
    if (bytes % scale == 0)
        (void)snprintf(ret_text, SIZE_TEXT, "%llu %s", (unsigned long long)whole, units[unit]);
    else
        (void)snprintf(ret_text, SIZE_TEXT, "%llu.%llu %s", (unsigned long long)whole,
                       (unsigned long long)tenth, units[unit]);
}
