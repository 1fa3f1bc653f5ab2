/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's profile against the default (below.h). The profile is hostile text; both of ours are part of the program.
 */
#include "seccomp/below.h"

#include <errno.h>
#include <string.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "seccomp/texts.h"

int below_compile_default(const struct profile_target *t, struct seccomp_program *ret_program, struct err *e)
{
    return seccomp_compile(text_default, text_default_length, t, ret_program, e);
}

/* The lowest capability that opens call `nr` to a container which has it beside its others. */
static int cap_that_opens(const struct profile_target *t, uint64_t candidates, int nr, int *ret_cap,
                          struct err *e)
{
    *ret_cap = BELOW_CAP_NONE;
    for (int cap = 0; cap < CAP_NUMBERS; cap++) {
        _cleanup_free_ struct rules *with = NULL;
        struct profile_target more = *t;
        more.caps |= CAP_BIT(cap);
        if (!(candidates & CAP_BIT(cap)) || more.caps == t->caps)
            continue;
        int r = profile_parse(text_default, text_default_length, &more, &with, e);
        if (r < 0)
            return r;
        if (rules_let_through(with, nr)) {
            *ret_cap = cap;
            return 0;
        }
    }
    return 0;
}

static int judge(const struct rules *profile, const struct profile_target *t, struct below_excess *ret,
                 struct err *e)
{
    _cleanup_free_ struct rules *ceiling = NULL;
    _cleanup_free_ struct rules *common = NULL;
    int r = profile_parse(text_default, text_default_length, t, &ceiling, e);
    if (r == 0)
        r = profile_parse(text_common, text_common_length, t, &common, e);
    for (int nr = 0; r == 0 && nr <= profile->nr_highest; nr++) {
        if (!rules_let_through(profile, nr) || rules_let_through(ceiling, nr) ||
            rules_let_through(common, nr))
            continue;
        if (ret->count < BELOW_SHOWN) {
            seccomp_name(t->arch, nr, ret->shown[ret->count].name);
            r = cap_that_opens(t, ceiling->caps_named, nr, &ret->shown[ret->count].cap, e);
        }
        ret->count++;
    }
    return r;
}

/* The last steps before the program runs are taken under the profile already. */
static int check_start(const struct rules *profile, struct err *e)
{
    static const char *const needed[] = {"execve", "exit_group"};
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        int nr = seccomp_number(profile->arch, needed[i]);
        if (nr < 0 || rules_refuse(profile, nr))
            return err_set(e, EINVAL, "profile: refuses %s, without which no program can be started",
                           needed[i]);
    }
    return 0;
}

int below_compile_profile(const char *json, size_t len, const struct profile_target *t,
                          struct seccomp_program *ret_program, struct below_excess *ret_excess, struct err *e)
{
    _cleanup_free_ struct rules *rules = NULL;
    struct below_excess excess = {0};
    int r = profile_parse(json, len, t, &rules, e);
    if (r == 0)
        r = check_start(rules, e);
    if (r == 0)
        r = judge(rules, t, &excess, e);
    if (r < 0)
        return r;
    *ret_excess = excess;
    return excess.count > 0 ? 0 : seccomp_compile(json, len, t, ret_program, e);
}
