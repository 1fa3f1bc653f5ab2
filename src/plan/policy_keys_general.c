/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of casemate.conf: profiles, images, files, users and registries (policy_reading.h). */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/path.h"
#include "image/reference.h"
#include "plan/log_options.h"
#include "plan/policy_reading.h"

#define EXPIRE_DAYS_MAX 36500U
#define REMOVED_LOGS_DAYS_MAX 36500U
#define NS_PER_DAY 86400000000000ULL

static int set_profile(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_profile_parse(entry->value, &r->policy->profile, e);
}

static int set_least_profile(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = policy_profile_parse(entry->value, &r->policy->least, e);
    char source[300];
    if (result == 0)
        result = policy_value_source(entry, source, sizeof(source), e);
    return result < 0 ? result : str_replace(&r->policy->least_source, source, e);
}

static int set_known_images(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->known_images, e);
}

/* "never", "30d", or a time as of health checks ("72h"). */
static int set_expire_containers(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t value = 0;
    int result = 0;
    if (str_ends_with(entry->value, "d")) {
        _cleanup_free_ char *days = NULL;
        result = str_copy_n(entry->value, strlen(entry->value) - 1, &days, e);
        if (result == 0)
            result = num_parse_u64(days, EXPIRE_DAYS_MAX, &value, e);
        value *= NS_PER_DAY;
    } else if (!str_equal(entry->value, "never")) {
        result = num_parse_duration(entry->value, &value, e);
    }
    if (result == 0 && value == 0 && !str_equal(entry->value, "never"))
        result = err_set(e, EINVAL, "'%s' must be more than 0, or never", entry->value);
    if (result == 0)
        r->policy->expire_containers = value;
    return result;
}

static int set_copy_in(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->copy_in, e);
}

static int set_copy_out(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->copy_out, e);
}

static int set_read_only(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->read_only, e);
}

static int set_log_driver(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    enum log_driver driver;
    int result = log_driver_parse(entry->value, &driver, e);
    return result < 0 ? result : str_replace(&r->policy->log_driver, entry->value, e);
}

static int set_log_size(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = policy_value_size(entry->value, &r->policy->log_size, e);
    if (result == 0 && r->policy->log_size < LOG_SIZE_LEAST)
        return err_set(e, EINVAL, "'%s' is less than 4k", entry->value);
    return result;
}

static int set_log_files(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = num_parse_u64(entry->value, LOG_FILES_MAX, &r->policy->log_files, e);
    return result == 0 && r->policy->log_files == 0 ? err_set(e, EINVAL, "'0' must be more than 0") : result;
}

static int set_removed_logs(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_value_bool(entry->value, &r->policy->removed_logs, e);
}

static int set_removed_logs_days(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return num_parse_u64(entry->value, REMOVED_LOGS_DAYS_MAX, &r->policy->removed_logs_days, e);
}

static int set_removed_logs_size(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    return num_parse_size(entry->value, &r->policy->removed_logs_size, e);
}

static int set_allow_root(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    char source[300];
    int result = policy_value_bool(entry->value, &r->policy->allow_root, e);
    if (result == 0)
        result = policy_value_source(entry, source, sizeof(source), e);
    return result < 0 ? result : str_replace(&r->policy->allow_root_source, source, e);
}

static int set_plain_http(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    bool yes = false;
    int result = policy_value_bool(entry->value, &yes, e);
    if (result == 0 && yes && !reference_host_is_loopback(r->registry->host))
        result = err_set(
            e, EPERM,
            "plain HTTP is for registries on the loopback interface only; use ca-file for your own CA");
    if (result == 0)
        r->registry->plain_http = yes;
    return result;
}

static int set_ca_file(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : str_replace(&r->registry->ca_file, entry->value, e);
}

const struct policy_key policy_keys_general[] = {
    {"casemate", NULL, "profile", set_profile},
    {"casemate", NULL, "least-profile", set_least_profile},
    {"practice", "lean", "expire-containers", set_expire_containers},
    {"practice", "capabilities", "known-images", set_known_images},
    {"practice", "user", "allow-root", set_allow_root},
    {"practice", "files", "read-only", set_read_only},
    {"practice", "files", "copy-in", set_copy_in},
    {"practice", "files", "copy-out", set_copy_out},
    {"practice", "files", "log-driver", set_log_driver},
    {"practice", "files", "log-size", set_log_size},
    {"practice", "files", "log-files", set_log_files},
    {"practice", "files", "removed-logs", set_removed_logs},
    {"practice", "files", "removed-logs-days", set_removed_logs_days},
    {"practice", "files", "removed-logs-size", set_removed_logs_size},
    {"registry", NULL, "plain-http", set_plain_http},
    {"registry", NULL, "ca-file", set_ca_file},
    {0},
};
