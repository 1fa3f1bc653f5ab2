/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules per system call (rules.h).
 */
#include "seccomp/rules.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct rules *rules_new(enum seccomp_arch arch)
{
    struct rules *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->arch = arch;
    r->nr_highest = -1;
    for (size_t i = 0; i < ARRAY_SIZE(r->first); i++)
        r->first[i] = RULE_USE_NONE;
    return r;
}

struct rule *rules_add(struct rules *r)
{
    return r->n_rules < RULES_MAX ? &r->rules[r->n_rules++] : NULL;
}

int32_t rules_precedence(uint32_t ret)
{
    return (int32_t)(ret & SECCOMP_RET_ACTION_FULL);
}

bool rules_action_lets_through(uint32_t ret)
{
    return rules_precedence(ret) > rules_precedence(SECCOMP_RET_ERRNO);
}

bool rules_let_through(const struct rules *r, int nr)
{
    for (uint16_t use = r->first[nr]; use != RULE_USE_NONE; use = r->uses[use].next) {
        const struct rule *rule = &r->rules[r->uses[use].rule];
        if (rules_action_lets_through(rule->ret))
            return true;
        if (rule->n_args == 0) /* a refusal of every call: what follows is never reached */
            return false;
    }
    return false;
}

bool rules_refuse(const struct rules *r, int nr)
{
    if (rules_let_through(r, nr))
        return false;
    for (uint16_t use = r->first[nr]; use != RULE_USE_NONE; use = r->uses[use].next)
        if (r->rules[r->uses[use].rule].n_args == 0)
            return true;
    return !rules_action_lets_through(r->default_ret);
}

/* Whether rule a must stand before rule b: more restrictive, or equally so and unconditional (it ends the list). */
static bool rule_goes_before(const struct rule *a, const struct rule *b)
{
    int32_t pa = rules_precedence(a->ret), pb = rules_precedence(b->ret);
    return pa < pb || (pa == pb && a->n_args == 0 && b->n_args > 0);
}

int rules_attach(struct rules *r, unsigned index, int nr, struct err *e)
{
    uint16_t rule = (uint16_t)index;
    if (r->newest[nr] == rule + 1)
        return 0;
    if (r->n_uses == RULE_USES_MAX)
        return err_set(e, E2BIG, "more than %d names in all", RULE_USES_MAX);
    uint16_t use = (uint16_t)r->n_uses++;
    uint16_t *at = &r->first[nr];
    while (*at != RULE_USE_NONE && !rule_goes_before(&r->rules[rule], &r->rules[r->uses[*at].rule]))
        at = &r->uses[*at].next;
    r->uses[use] = (struct rule_use){.rule = rule, .next = *at};
    *at = use;
    r->newest[nr] = (uint16_t)(rule + 1);
    if (nr > r->nr_highest && nr < SECCOMP_ARM_PRIVATE_SLOT)
        r->nr_highest = nr;
    return 0;
}
