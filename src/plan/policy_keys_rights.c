/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of casemate.conf: rights, for all containers or for the images of a [grant] (policy_reading.h). */
#include <errno.h>
#include <string.h>

#include "base/capname.h"
#include "base/path.h"
#include "plan/policy_reading.h"

static int allow_unlimited(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    static const char *const what[] = {"memory", "swap", "pids", "disk"};
    for (size_t i = 0; i < ARRAY_SIZE(what); i++)
        if (str_equal(entry->value, what[i]))
            return policy_reading_right(r, entry, POLICY_ALLOW_UNLIMITED, entry->value, e);
    return err_set(e, EINVAL, "'%s' is none of memory, swap, pids, disk", entry->value);
}

static int allow_host_path(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : policy_reading_right(r, entry, POLICY_ALLOW_HOST_PATH, entry->value, e);
}

static int allow_host_namespace(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    if (!str_equal(entry->value, "network"))
        return err_set(e, EINVAL, "'%s' is not network, the only one that can be shared", entry->value);
    return policy_reading_right(r, entry, POLICY_ALLOW_HOST_NAMESPACE, entry->value, e);
}

static int allow_device(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : policy_reading_right(r, entry, POLICY_ALLOW_DEVICE, entry->value, e);
}

static int allow_apparmor(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    if (!*entry->value)
        return err_set(e, EINVAL, "the name of a profile is missing");
    return policy_reading_right(r, entry, POLICY_ALLOW_APPARMOR, entry->value, e);
}

static int add_capability(struct policy_reading *r, const struct conf_entry *entry,
                          enum policy_right_kind kind, struct err *e)
{
    const char *value = entry->value;
    int number = cap_number(value, strlen(value));
    if (number >= 0)
        value = cap_name((unsigned)number);
    else if (!(kind == POLICY_GIVE_CAPABILITY ? str_equal(value, "@switch-user") : str_equal(value, "ALL")))
        return err_set(e, EINVAL, "'%s' is not a capability", value);
    return policy_reading_right(r, entry, kind, value, e);
}

static int allow_capability(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return add_capability(r, entry, POLICY_ALLOW_CAPABILITY, e);
}

static int give_capability(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return add_capability(r, entry, POLICY_GIVE_CAPABILITY, e);
}

const struct policy_key policy_keys_rights[] = {
    {"practice", "limits", "allow-unlimited", allow_unlimited},
    {"practice", "isolation", "allow-host-path", allow_host_path},
    {"practice", "isolation", "allow-host-namespace", allow_host_namespace},
    {"practice", "isolation", "allow-device", allow_device},
    {"practice", "capabilities", "allow-capability", allow_capability},
    {"practice", "syscalls", "allow-apparmor", allow_apparmor},
    {"grant", NULL, "capability", give_capability},
    {"grant", NULL, "allow-capability", allow_capability},
    {"grant", NULL, "allow-unlimited", allow_unlimited},
    {"grant", NULL, "allow-host-path", allow_host_path},
    {"grant", NULL, "allow-host-namespace", allow_host_namespace},
    {"grant", NULL, "allow-device", allow_device},
    {"grant", NULL, "allow-apparmor", allow_apparmor},
    {0},
};
