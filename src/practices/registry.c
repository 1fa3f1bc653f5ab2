/* SPDX-License-Identifier: Apache-2.0 */
/* The only list of the fourteen practices, and the two walks over it (practice.h). */
#include "practices/registry.h"

#include <errno.h>

#include "image/reference.h"
#include "practices/refuse.h"

static const struct practice *const all[PLAN_PRACTICES] = {
    &practice_updates,      &practice_lean,     &practice_network, &practice_limits,     &practice_isolation,
    &practice_capabilities, &practice_syscalls, &practice_trust,   &practice_scanning,   &practice_minimal,
    &practice_user,         &practice_secrets,  &practice_files,   &practice_encryption,
};

const struct practice *practice_find(int number)
{
    return number >= 1 && number <= PLAN_PRACTICES ? all[number - 1] : NULL;
}

/* How strict: compat < standard < strict. */
static int strictness(enum plan_profile profile)
{
    return profile == PLAN_COMPAT ? 0 : profile == PLAN_STANDARD ? 1 : 2;
}

static int settle_profile(struct plan *plan, const struct policy *policy, struct err *e)
{
    if (!plan->profile_given)
        plan->profile =
            strictness(policy->profile) < strictness(policy->least) ? policy->least : policy->profile;
    if (strictness(plan->profile) < strictness(policy->least))
        return err_set(e, EPERM, "--profile %s is refused: the least is %s (%s)",
                       plan_profile_name(plan->profile), plan_profile_name(policy->least),
                       policy->least_source ? policy->least_source : "policy");
    return 0;
}

static int add_reference(const char *text, struct str_list *names, struct err *e)
{
    char full[REFERENCE_TEXT_MAX + 1];
    struct reference reference;
    struct err ignored = {0};
    if (!text || reference_parse(text, &reference, &ignored) < 0) /* an id, or a prefix of one */
        return 0;
    reference_format(&reference, full);
    return str_list_add(names, full, e);
}

/* What the image is called, for the patterns of [grant] sections. Only names that the store has for this very image count, and
 * of these only what a registry served it under or a user has called it: an archive may call itself anything. */
static int image_names(const struct image *image, struct str_list *names, struct err *e)
{
    char manifest[DIGEST_TEXT_LENGTH + 1];
    int r = str_list_addf(names, e, "sha256:%s", image->id);
    digest_format(&image->manifest, manifest);
    if (r == 0)
        r = str_list_add(names, manifest, e);
    for (size_t i = 0; i < image->vouched.count && r == 0; i++)
        r = add_reference(image->vouched.items[i], names, e);
    return r;
}

static int collect_rights(struct practice_run *run, struct err *e)
{
    _cleanup_str_list_ struct str_list names = {0};
    int r = run->image ? image_names(run->image, &names, e) : 0;
    if (r == 0)
        r = policy_collect_rights(run->policy, &names, &run->rights, e);
    if (r == 0 && run->policy->known_images && names.count > 0)
        r = policy_collect_known_images(&names, &run->rights, e);
    return r;
}

int practices_apply_all(struct plan *plan, const struct image *image, const struct policy *policy,
                        struct err *e)
{
    struct practice_run run = {.plan = plan, .image = image, .policy = policy};
    int r = settle_profile(plan, policy, e);
    if (r == 0)
        r = collect_rights(&run, e);
    for (size_t i = 0; i < PLAN_PRACTICES && r == 0; i++)
        if (all[i]->apply)
            r = all[i]->apply(&run, e);
    policy_rights_clear(&run.rights);
    return r;
}

int practices_apply_limits(struct plan *plan, const struct image *image, const struct policy *policy,
                           struct err *e)
{
    struct practice_run run = {.plan = plan, .image = image, .policy = policy};
    int r = collect_rights(&run, e);
    if (r == 0)
        r = practice_limits.apply(&run, e);
    policy_rights_clear(&run.rights);
    return r;
}
