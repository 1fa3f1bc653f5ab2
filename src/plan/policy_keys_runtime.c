/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of casemate.conf: what the OCI runtime does with the practices (policy_reading.h). */
#include <errno.h>
#include <string.h>

#include "plan/policy_reading.h"

#define ANNOTATION_BEGIN "casemate.grant."

static int set_practices(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    static const char *const names[] = {
        [POLICY_RUNTIME_WARN] = "warn", [POLICY_RUNTIME_OFF] = "off", [POLICY_RUNTIME_ENFORCE] = "enforce"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_equal(entry->value, names[i])) {
            r->policy->runtime.practices = (enum policy_runtime_mode)i;
            return 0;
        }
    return err_set(e, EINVAL, "'%s' is none of off, warn, enforce", entry->value);
}

static int set_drop_capabilities(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->runtime.drop_capabilities, e);
}

/* casemate.grant.WHAT or casemate.grant.WHAT=VALUE */
static int allow_annotation(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    const char *what = str_after(entry->value, ANNOTATION_BEGIN);
    size_t n = what ? strcspn(what, "=") : 0;
    for (size_t i = 0; policy_runtime_grants[i]; i++)
        if (n > 0 && strlen(policy_runtime_grants[i]) == n && strncmp(policy_runtime_grants[i], what, n) == 0)
            return policy_reading_right(r, entry, POLICY_ALLOW_ANNOTATION, entry->value, e);
    return err_set(e, EINVAL,
                   "'%s' is no annotation that grants: " ANNOTATION_BEGIN
                   "capability, host-namespace, host-path, device, new-privileges, paths, seccomp or limits",
                   entry->value);
}

const char *const policy_runtime_grants[] = {"capability", "host-namespace", "host-path",
                                             "device",     "new-privileges", "paths",
                                             "seccomp",    "limits",         NULL};

const struct policy_key policy_keys_runtime[] = {
    {"runtime", NULL, "practices", set_practices},
    {"runtime", NULL, "drop-capabilities", set_drop_capabilities},
    {"runtime", NULL, "allow-annotation", allow_annotation},
    {0},
};
