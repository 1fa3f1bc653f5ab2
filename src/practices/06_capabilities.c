/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 6, capabilities: none. --cap-add names each one back. Those that Docker gives by default act on the container's own ids and
 * namespaces only and need the flag; all others need a line of the policy too, because a flaw in the kernel code
 * that they open is a way out.
 */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/capname.h"
#include "practices/common.h"
#include "practices/refuse.h"
#include "practices/registry.h"

#define SWITCH_USER "@switch-user"

/* linux/capability.h */
enum {
    CHOWN = 0,
    SETGID = 6,
    SETUID = 7,
};

/* What an official entrypoint needs that starts as root, owns its data directory and becomes another user. */
#define SWITCH_USER_SET (CAP_BIT(CHOWN) | CAP_BIT(SETUID) | CAP_BIT(SETGID))

static int number_of(const char *name, const char *flag, unsigned *ret, struct err *e)
{
    int n = cap_number(name, strlen(name));
    if (n < 0)
        return err_set(e, EINVAL, "%s %s: there is no such capability", flag, name);
    *ret = (unsigned)n;
    return 0;
}

static int grant_set(struct practice_run *run, uint64_t set, const char *source, struct err *e)
{
    int r = 0;
    for (unsigned n = 0; n < CAP_NUMBERS && r == 0; n++)
        if (set & CAP_BIT(n))
            r = run_grant(run, 6, source, e, "capability %s", cap_name(n));
    if (r == 0)
        run->plan->capabilities |= set;
    return r;
}

/* One capability of --cap-add. */
static int add_one(struct practice_run *run, unsigned n, const char *flag, struct err *e)
{
    char line[64];
    char source[128];
    (void)snprintf(source, sizeof(source), "--cap-add %s", flag);
    if (PRACTICE_COMMON_CAPABILITIES & CAP_BIT(n))
        return grant_set(run, CAP_BIT(n), source, e);
    const struct policy_right *right = run_right(run, POLICY_ALLOW_CAPABILITY, cap_name(n));
    if (!right)
        right = run_right(run, POLICY_ALLOW_CAPABILITY, "ALL");
    if (right)
        return grant_set(run, CAP_BIT(n), right->source, e);
    (void)snprintf(line, sizeof(line), "allow-capability = %s", cap_name(n));
    return refuse_by_policy(
        e, 6, line, "--cap-add %s is refused: %s opens kernel code that containers have escaped through",
        flag, cap_name(n));
}

static int add_all(struct practice_run *run, struct err *e)
{
    const struct policy_right *right = run_right(run, POLICY_ALLOW_CAPABILITY, "ALL");
    if (right)
        return grant_set(run, CAP_MASK_ALL, right->source, e);
    return refuse_by_policy(e, 6, "allow-capability = ALL",
                            "--cap-add ALL is refused: name the capabilities that are needed");
}

static int add(struct practice_run *run, const char *name, struct err *e)
{
    unsigned n = 0;
    if (strcasecmp(name, "ALL") == 0)
        return add_all(run, e);
    if (str_equal(name, SWITCH_USER))
        return grant_set(run, SWITCH_USER_SET, "--cap-add " SWITCH_USER, e);
    int r = number_of(name, "--cap-add", &n, e);
    return r < 0 ? r : add_one(run, n, name, e);
}

/* --cap-drop takes away what would be given without a flag; -1: no such capability. */
static int dropped_set(const struct plan *plan, uint64_t *ret_set, struct err *e)
{
    uint64_t set = 0;
    for (size_t i = 0; i < plan->cap_drop.count; i++) {
        const char *name = plan->cap_drop.items[i];
        unsigned n = 0;
        int r = 0;
        if (strcasecmp(name, "ALL") == 0)
            set = CAP_MASK_ALL;
        else if (str_equal(name, SWITCH_USER))
            set |= SWITCH_USER_SET;
        else if ((r = number_of(name, "--cap-drop", &n, e)) < 0)
            return r;
        else
            set |= CAP_BIT(n);
    }
    *ret_set = set;
    return 0;
}

/* [grant] sections, known images and the compat profile give without a flag. */
static int give(struct practice_run *run, uint64_t dropped, struct err *e)
{
    int r = 0;
    if (run->plan->profile == PLAN_COMPAT)
        r = grant_set(run, PRACTICE_COMMON_CAPABILITIES & ~dropped, "profile compat", e);
    for (size_t i = 0; i < run->rights.count && r == 0; i++) {
        const struct policy_right *right = &run->rights.items[i];
        if (right->kind != POLICY_GIVE_CAPABILITY)
            continue;
        int n = cap_number(right->value, strlen(right->value));
        uint64_t set = n < 0 ? SWITCH_USER_SET : CAP_BIT((unsigned)n);
        r = grant_set(run, set & ~dropped, right->source, e);
    }
    return r;
}

static int apply(struct practice_run *run, struct err *e)
{
    uint64_t dropped = 0;
    run->plan->capabilities = 0;
    int r = dropped_set(run->plan, &dropped, e);
    if (r == 0)
        r = give(run, dropped, e);
    for (size_t i = 0; i < run->plan->cap_add.count && r == 0; i++)
        r = add(run, run->plan->cap_add.items[i], e);
    return r;
}

#define SETS_TEXT 1024

/* "none of 41", or the names. */
static void set_text(uint64_t set, char ret[SETS_TEXT])
{
    size_t used = 0;
    (void)snprintf(ret, SETS_TEXT, "none of %d", CAP_NUMBERS);
    for (unsigned n = 0; n < 64; n++) {
        if (!(set & CAP_BIT(n)) || used >= SETS_TEXT)
            continue;
        const char *name = cap_name(n);
        int k = name ? snprintf(ret + used, SETS_TEXT - used, "%s%s", used ? " " : "", name)
                     : snprintf(ret + used, SETS_TEXT - used, "%scapability %u", used ? " " : "", n);
        used += k < 0 ? 0 : (size_t)k;
    }
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    static const struct {
        const char *field;
        const char *what;
    } sets[] = {
        {"CapEff", "effective capabilities"},    {"CapPrm", "permitted capabilities"},
        {"CapBnd", "capabilities within reach"}, {"CapInh", "inheritable capabilities"},
        {"CapAmb", "ambient capabilities"},
    };
    char source[SUBJECT_SOURCE];
    char text[SETS_TEXT];
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(sets) && r == 0; i++) {
        uint64_t set = 0;
        r = subject_status_mask(s, sets[i].field, &set, e);
        if (r < 0)
            return r;
        set_text(set, text);
        enum evidence_state state = set & ~s->plan->capabilities ? EVIDENCE_BROKEN
                                    : set                        ? EVIDENCE_GRANTED
                                                                 : EVIDENCE_HOLDS;
        r = evidence_add(ret, 6, state, sets[i].what, subject_source(s, "status", source), e, "%s", text);
    }
    return r;
}

const struct practice practice_capabilities = {
    .number = 6,
    .id = "capabilities",
    .title = "capabilities",
    .what = "gives a container no capability that was not named",
    .apply = apply,
    .explain = explain,
};
