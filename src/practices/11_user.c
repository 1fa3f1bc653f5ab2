/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 11, least-privileged user: uid 0 in a container is nobody on the host and no_new_privs is always set. The strict profile
 * refuses uid 0 inside as well; a name cannot be judged before the image's own files are read, so it asks for a number then.
 */
#include <errno.h>

#include "base/num.h"
#include "practices/refuse.h"
#include "practices/registry.h"

static int check_new_privileges(const struct plan *plan, struct err *e)
{
    for (size_t i = 0; i < plan->security_opt.count; i++) {
        const char *rest = str_after(plan->security_opt.items[i], "no-new-privileges");
        if (!rest || !*rest || str_equal(rest, "=true") || str_equal(rest, ":true"))
            continue;
        if (str_equal(rest, "=false") || str_equal(rest, ":false"))
            return err_refuse(e, 11,
                              "--security-opt no-new-privileges%s is refused: set-id programs never gain "
                              "anything in a container; "
                              "start as the right user with --user",
                              rest);
        return err_set(e, EINVAL, "--security-opt %s: the value is true", plan->security_opt.items[i]);
    }
    return 0;
}

/* Why uid 0 is not wanted, or NULL when it may be. */
static const char *root_refused_by(const struct practice_run *run)
{
    if (run->plan->profile == PLAN_STRICT)
        return "profile strict";
    if (run->policy->allow_root)
        return NULL;
    return run->policy->allow_root_source ? run->policy->allow_root_source : "policy";
}

static int check_root(const struct practice_run *run, struct err *e)
{
    const char *why = root_refused_by(run);
    const char *user = run->plan->user ? run->plan->user : "";
    char name[256];
    uint64_t uid = 0;
    struct err ignored = {0};
    if (!why)
        return 0;
    size_t n = strcspn(user, ":");
    if (n >= sizeof(name))
        return err_set(e, EINVAL, "the user's name is too long");
    memcpy(name, user, n);
    name[n] = '\0';
    if (!*name || str_equal(name, "root"))
        return err_refuse(
            e, 11, "uid 0 in the container is refused (%s): give another user, such as --user 1000", why);
    if (num_parse_u64(name, UINT32_MAX, &uid, &ignored) < 0)
        return err_refuse(e, 11,
                          "user '%s' is refused (%s): the image decides which uid a name has, and it could "
                          "be 0: give the number "
                          "with --user",
                          name, why);
    if (uid == 0)
        return err_refuse(
            e, 11, "uid 0 in the container is refused (%s): give another user, such as --user 1000", why);
    return 0;
}

static int apply(struct practice_run *run, struct err *e)
{
    int r = check_new_privileges(run->plan, e);
    return r < 0 ? r : check_root(run, e);
}

const struct practice practice_user = {
    .number = 11,
    .id = "user",
    .title = "least-privileged user",
    .what = "makes uid 0 in a container nobody on the host, without a way to gain privileges",
    .missing = "rootless mode is not there",
    .apply = apply,
};
