/* SPDX-License-Identifier: Apache-2.0 */
/* A plan and a policy for the units of the practices (practices_fixture.h). */
#include "practices_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int practices_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    if (!f || setenv("CASEMATE_CONF", "/test/casemate.conf", 1) < 0 ||
        setenv("CASEMATE_DATADIR", POLICY_DATA, 1) < 0)
        return -1;
    plan_init(&f->plan);
    return 0;
}

int practices_teardown(void **state)
{
    struct fixture *f = *state;
    plan_clear(&f->plan);
    policy_clear(&f->policy);
    free(f);
    return 0;
}

void use_policy(struct fixture *f, const char *text)
{
    OK(policy_parse("casemate.conf", text, strlen(text), &f->policy, &f->e));
    f->policy.machine = (struct policy_machine){.memory = 16 * GIB, .processors = 4, .processes = 4194304};
}

int apply(struct fixture *f)
{
    return practices_apply_all(&f->plan, NULL, &f->policy, &f->e);
}

void applies(struct fixture *f)
{
    if (apply(f) < 0)
        fail_msg("%s", f->e.text);
}

void refuses(struct fixture *f, int practice, const char *message)
{
    assert_int_equal(apply(f), -EPERM);
    assert_string_equal(f->e.text, message);
    assert_int_equal(f->e.practice, practice);
}

void granted(const struct fixture *f, int practice, const char *what, const char *source)
{
    for (size_t i = 0; i < f->plan.grant_count; i++) {
        const struct plan_grant *g = &f->plan.grants[i];
        if (g->practice == practice && str_equal(g->what, what)) {
            assert_string_equal(g->source, source);
            return;
        }
    }
    fail_msg("no grant '%s' of practice %d", what, practice);
}
