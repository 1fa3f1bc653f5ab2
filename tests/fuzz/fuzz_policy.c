/* SPDX-License-Identifier: Apache-2.0 */
/* plan/policy: no text of a policy file crashes the reader; what it accepts is within bounds and names its lines. */
#include "plan/policy.h"

#include "fuzz.h"

static void check_rights(const struct policy_rights *rights)
{
    MUST(rights->count <= POLICY_RIGHTS_MAX);
    for (size_t i = 0; i < rights->count; i++) {
        MUST(rights->items[i].value && rights->items[i].value[0]);
        MUST(str_after(rights->items[i].source, "policy: fuzz.conf:"));
        if (rights->items[i].kind == POLICY_ALLOW_HOST_PATH)
            MUST(rights->items[i].value[0] == '/');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    _cleanup_policy_ struct policy p = {0};
    if (policy_parse("fuzz.conf", (const char *)data, size, &p, &e) < 0) {
        MUST(e.code > 0 && str_after(e.text, "fuzz.conf:"));
        return 0;
    }
    MUST(p.pids > 0 && p.memory.value > 0 && p.cpus.value > 0 && p.shm_size > 0 &&
         p.ulimit_count <= PLAN_ULIMITS_MAX);
    MUST(!p.memory.percent || p.memory.value <= 100);
    MUST(policy_total_memory(&p) <= p.machine.memory);
    check_rights(&p.rights);
    for (size_t i = 0; i < p.grant_count; i++) {
        check_rights(&p.grants[i].rights);
        (void)policy_pattern_matches(p.grants[i].pattern, "docker.io/library/postgres:15");
    }
    for (size_t i = 0; i < p.registry_count; i++)
        MUST(policy_registry_find(&p, p.registries[i].host) == &p.registries[i]);
    return 0;
}
