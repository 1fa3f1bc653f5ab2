/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of casemate.conf (policy.h): one table of sections and keys drives the reading. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/capname.h"
#include "base/dirs.h"
#include "base/identity.h"
#include "base/num.h"
#include "base/path.h"
#include "image/reference.h"
#include "plan/conf.h"
#include "plan/log_options.h"
#include "plan/policy_keys.h"

#define PERCENT_MAX 100
#define OOM_SCORE_ADJ_MAX 1000
#define DROP_IN_DIR "conf.d"
#define DROP_INS_MAX 256
#define EXPIRE_DAYS_MAX 36500U
#define REMOVED_LOGS_DAYS_MAX 36500U
#define NS_PER_DAY 86400000000000ULL

struct reading {
    struct policy *policy;
    struct policy_grant *grant;       /* of the section we are in, or NULL */
    struct policy_registry *registry; /* likewise */
};

typedef int (*key_setter)(struct reading *r, const struct conf_entry *entry, struct err *e);

struct key {
    const char *section;
    const char *argument; /* NULL: the section takes any argument, or none when `section` is "casemate" */
    const char *name;
    key_setter set;
};

static int parse_bool(const char *value, bool *ret, struct err *e)
{
    if (!str_equal(value, "yes") && !str_equal(value, "no"))
        return err_set(e, EINVAL, "'%s' is neither yes nor no", value);
    *ret = str_equal(value, "yes");
    return 0;
}

static int make_source(const struct conf_entry *entry, char *text, size_t size, struct err *e)
{
    int n = snprintf(text, size, "policy: %s:%u", entry->file, entry->line);
    return n < 0 || (size_t)n >= size ? err_set(e, ENAMETOOLONG, "the file's name is too long") : 0;
}

static int add_right(struct reading *r, const struct conf_entry *entry, enum policy_right_kind kind,
                     const char *value, struct err *e)
{
    char source[300];
    int result = make_source(entry, source, sizeof(source), e);
    struct policy_rights *rights = r->grant ? &r->grant->rights : &r->policy->rights;
    return result < 0 ? result : policy_rights_add(rights, kind, value, source, e);
}

/* N% or what `plain` reads. */
static int parse_share(const char *value, int (*plain)(const char *, uint64_t *, struct err *),
                       struct policy_share *ret, struct err *e)
{
    char digits[8];
    uint64_t number = 0;
    size_t n = strlen(value);
    bool percent = n > 1 && value[n - 1] == '%';
    if (percent && n >= sizeof(digits))
        return err_set(e, EINVAL, "'%s' is not 1%% to 100%%", value);
    if (percent)
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)(n - 1), value);
    int r = percent ? num_parse_u64(digits, PERCENT_MAX, &number, e) : plain(value, &number, e);
    if (r == 0 && number == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = (struct policy_share){number, percent};
    return r;
}

static int parse_positive_size(const char *value, uint64_t *ret, struct err *e)
{
    uint64_t size = 0;
    int r = num_parse_size(value, &size, e);
    if (r == 0 && size == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = size;
    return r;
}

static int set_profile(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return policy_profile_parse(entry->value, &r->policy->profile, e);
}

static int set_least_profile(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = policy_profile_parse(entry->value, &r->policy->least, e);
    char source[300];
    if (result == 0)
        result = make_source(entry, source, sizeof(source), e);
    return result < 0 ? result : str_replace(&r->policy->least_source, source, e);
}

static int set_memory(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, num_parse_size, &r->policy->memory, e);
}

static int set_memory_min(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_positive_size(entry->value, &r->policy->memory_min, e);
}

static int set_cpus(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, num_parse_nano, &r->policy->cpus, e);
}

static int set_pids(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t pids = 0;
    int result = num_parse_u64(entry->value, UINT32_MAX, &pids, e);
    if (result == 0 && pids == 0)
        result = err_set(e, EINVAL, "'%s' must be more than 0", entry->value);
    if (result == 0)
        r->policy->pids = pids;
    return result;
}

static int parse_limit(const char *text, uint64_t *ret, struct err *e)
{
    if (str_equal(text, "unlimited") || str_equal(text, "-1")) {
        *ret = PLAN_UNLIMITED;
        return 0;
    }
    return num_parse_u64(text, PLAN_UNLIMITED - 1, ret, e);
}

static int parse_bps(const char *value, uint64_t *ret, struct err *e)
{
    if (!str_equal(value, "unlimited"))
        return parse_positive_size(value, ret, e);
    *ret = PLAN_UNLIMITED;
    return 0;
}

static int set_read_bps(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bps(entry->value, &r->policy->read_bps, e);
}

static int set_write_bps(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bps(entry->value, &r->policy->write_bps, e);
}

static int parse_iops(const char *value, uint64_t *ret, struct err *e)
{
    uint64_t number = 0;
    int r = str_equal(value, "unlimited") ? (number = PLAN_UNLIMITED, 0)
                                          : num_parse_u64(value, UINT32_MAX, &number, e);
    if (r == 0 && number == 0)
        r = err_set(e, EINVAL, "'%s' must be more than 0", value);
    if (r == 0)
        *ret = number;
    return r;
}

static int set_read_iops(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_iops(entry->value, &r->policy->read_iops, e);
}

static int set_write_iops(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_iops(entry->value, &r->policy->write_iops, e);
}

static int set_oom_score_adj(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t score = 0;
    int result = num_parse_u64(entry->value, OOM_SCORE_ADJ_MAX, &score, e);
    if (result == 0 && score == 0)
        result = err_set(e, EINVAL, "it must be more than 0: containers go before the programs of the host");
    if (result == 0)
        r->policy->oom_score_adj = score;
    return result;
}

static int set_shm_size(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_positive_size(entry->value, &r->policy->shm_size, e);
}

static int set_tmpfs_size(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, num_parse_size, &r->policy->tmpfs_size, e);
}

static int parse_count(const char *value, uint64_t *ret, struct err *e)
{
    return num_parse_u64(value, INT64_MAX, ret, e);
}

static int set_disk(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_positive_size(entry->value, &r->policy->disk, e);
}

static int set_disk_inodes(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    uint64_t inodes = 0;
    int result = parse_count(entry->value, &inodes, e);
    if (result == 0 && inodes == 0)
        result = err_set(e, EINVAL, "'%s' must be more than 0", entry->value);
    if (result == 0)
        r->policy->disk_inodes = inodes;
    return result;
}

static int set_volume_disk(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, num_parse_size, &r->policy->volume_disk, e);
}

static int set_volume_inodes(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, parse_count, &r->policy->volume_inodes, e);
}

static int set_reserve(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_share(entry->value, num_parse_size, &r->policy->reserve, e);
}

static int set_reserve_min(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_positive_size(entry->value, &r->policy->reserve_min, e);
}

/* NAME=SOFT[:HARD], as --ulimit. */
static int set_ulimit(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    struct plan_ulimit limit = {0};
    char numbers[64];
    const char *equals = strchr(entry->value, '=');
    if (!equals || equals == entry->value || (size_t)(equals - entry->value) >= sizeof(limit.name))
        return err_set(e, EINVAL, "'%s' is not NAME=SOFT[:HARD]", entry->value);
    memcpy(limit.name, entry->value, (size_t)(equals - entry->value));
    if (strspn(limit.name, "abcdefghijklmnopqrstuvwxyz") != strlen(limit.name))
        return err_set(e, EINVAL, "'%s' is not the name of a limit", limit.name);
    int result = str_put(numbers, sizeof(numbers), equals + 1, e);
    if (result < 0)
        return result;
    char *colon = strchr(numbers, ':');
    if (colon)
        *colon++ = '\0';
    result = parse_limit(numbers, &limit.soft, e);
    if (result == 0)
        result = parse_limit(colon ? colon : numbers, &limit.hard, e);
    if (result == 0 && limit.soft > limit.hard)
        result = err_set(e, EINVAL, "'%s': the soft limit is above the hard one", entry->value);
    if (result < 0)
        return result;
    struct policy *p = r->policy;
    size_t at = 0;
    while (at < p->ulimit_count && !str_equal(p->ulimits[at].name, limit.name))
        at++;
    if (at == PLAN_ULIMITS_MAX)
        return err_set(e, E2BIG, "more than %d limits", PLAN_ULIMITS_MAX);
    p->ulimits[at] = limit;
    p->ulimit_count = at == p->ulimit_count ? at + 1 : p->ulimit_count;
    return 0;
}

static int allow_unlimited(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    static const char *const what[] = {"memory", "swap", "pids", "disk"};
    for (size_t i = 0; i < ARRAY_SIZE(what); i++)
        if (str_equal(entry->value, what[i]))
            return add_right(r, entry, POLICY_ALLOW_UNLIMITED, entry->value, e);
    return err_set(e, EINVAL, "'%s' is none of memory, swap, pids, disk", entry->value);
}

static int allow_host_path(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : add_right(r, entry, POLICY_ALLOW_HOST_PATH, entry->value, e);
}

static int allow_host_namespace(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    if (!str_equal(entry->value, "network"))
        return err_set(e, EINVAL, "'%s' is not network, the only one that can be shared", entry->value);
    return add_right(r, entry, POLICY_ALLOW_HOST_NAMESPACE, entry->value, e);
}

static int allow_device(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : add_right(r, entry, POLICY_ALLOW_DEVICE, entry->value, e);
}

static int allow_apparmor(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    if (!*entry->value)
        return err_set(e, EINVAL, "the name of a profile is missing");
    return add_right(r, entry, POLICY_ALLOW_APPARMOR, entry->value, e);
}

static int add_capability(struct reading *r, const struct conf_entry *entry, enum policy_right_kind kind,
                          struct err *e)
{
    const char *value = entry->value;
    int number = cap_number(value, strlen(value));
    if (number >= 0)
        value = cap_name((unsigned)number);
    else if (!(kind == POLICY_GIVE_CAPABILITY ? str_equal(value, "@switch-user") : str_equal(value, "ALL")))
        return err_set(e, EINVAL, "'%s' is not a capability", value);
    return add_right(r, entry, kind, value, e);
}

static int allow_capability(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return add_capability(r, entry, POLICY_ALLOW_CAPABILITY, e);
}

static int give_capability(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return add_capability(r, entry, POLICY_GIVE_CAPABILITY, e);
}

static int set_known_images(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bool(entry->value, &r->policy->known_images, e);
}

/* "never", "30d", or a time as of health checks ("72h"). */
static int set_expire_containers(struct reading *r, const struct conf_entry *entry, struct err *e)
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

static int set_copy_in(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bool(entry->value, &r->policy->copy_in, e);
}

static int set_copy_out(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bool(entry->value, &r->policy->copy_out, e);
}

static int set_read_only(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bool(entry->value, &r->policy->read_only, e);
}

static int set_log_driver(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    enum log_driver driver;
    int result = log_driver_parse(entry->value, &driver, e);
    return result < 0 ? result : str_replace(&r->policy->log_driver, entry->value, e);
}

static int set_log_size(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = parse_positive_size(entry->value, &r->policy->log_size, e);
    if (result == 0 && r->policy->log_size < LOG_SIZE_LEAST)
        return err_set(e, EINVAL, "'%s' is less than 4k", entry->value);
    return result;
}

static int set_log_files(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = num_parse_u64(entry->value, LOG_FILES_MAX, &r->policy->log_files, e);
    return result == 0 && r->policy->log_files == 0 ? err_set(e, EINVAL, "'0' must be more than 0") : result;
}

static int set_removed_logs(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return parse_bool(entry->value, &r->policy->removed_logs, e);
}

static int set_removed_logs_days(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return num_parse_u64(entry->value, REMOVED_LOGS_DAYS_MAX, &r->policy->removed_logs_days, e);
}

static int set_removed_logs_size(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    return num_parse_size(entry->value, &r->policy->removed_logs_size, e);
}

static int set_allow_root(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    char source[300];
    int result = parse_bool(entry->value, &r->policy->allow_root, e);
    if (result == 0)
        result = make_source(entry, source, sizeof(source), e);
    return result < 0 ? result : str_replace(&r->policy->allow_root_source, source, e);
}

static int set_plain_http(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    bool yes = false;
    int result = parse_bool(entry->value, &yes, e);
    if (result == 0 && yes && !reference_host_is_loopback(r->registry->host))
        result = err_set(
            e, EPERM,
            "plain HTTP is for registries on the loopback interface only; use ca-file for your own CA");
    if (result == 0)
        r->registry->plain_http = yes;
    return result;
}

static int set_ca_file(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    int result = path_check_absolute(entry->value, e);
    return result < 0 ? result : str_replace(&r->registry->ca_file, entry->value, e);
}

static const struct key keys[] = {
    {"casemate", NULL, "profile", set_profile},
    {"casemate", NULL, "least-profile", set_least_profile},
    {"practice", "lean", "expire-containers", set_expire_containers},
    {"practice", "limits", "memory", set_memory},
    {"practice", "limits", "memory-min", set_memory_min},
    {"practice", "limits", "cpus", set_cpus},
    {"practice", "limits", "pids", set_pids},
    {"practice", "limits", "read-bps", set_read_bps},
    {"practice", "limits", "write-bps", set_write_bps},
    {"practice", "limits", "read-iops", set_read_iops},
    {"practice", "limits", "write-iops", set_write_iops},
    {"practice", "limits", "oom-score-adj", set_oom_score_adj},
    {"practice", "limits", "shm-size", set_shm_size},
    {"practice", "limits", "tmpfs-size", set_tmpfs_size},
    {"practice", "limits", "ulimit", set_ulimit},
    {"practice", "limits", "disk", set_disk},
    {"practice", "limits", "disk-inodes", set_disk_inodes},
    {"practice", "limits", "volume-disk", set_volume_disk},
    {"practice", "limits", "volume-inodes", set_volume_inodes},
    {"practice", "limits", "reserve", set_reserve},
    {"practice", "limits", "reserve-min", set_reserve_min},
    {"practice", "limits", "allow-unlimited", allow_unlimited},
    {"practice", "isolation", "allow-host-path", allow_host_path},
    {"practice", "isolation", "allow-host-namespace", allow_host_namespace},
    {"practice", "isolation", "allow-device", allow_device},
    {"practice", "capabilities", "allow-capability", allow_capability},
    {"practice", "capabilities", "known-images", set_known_images},
    {"practice", "syscalls", "allow-apparmor", allow_apparmor},
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
    {"grant", NULL, "capability", give_capability},
    {"grant", NULL, "allow-capability", allow_capability},
    {"grant", NULL, "allow-unlimited", allow_unlimited},
    {"grant", NULL, "allow-host-path", allow_host_path},
    {"grant", NULL, "allow-host-namespace", allow_host_namespace},
    {"grant", NULL, "allow-device", allow_device},
    {"grant", NULL, "allow-apparmor", allow_apparmor},
    {"registry", NULL, "plain-http", set_plain_http},
    {"registry", NULL, "ca-file", set_ca_file},
};

const char *policy_key_name(size_t index)
{
    return index < ARRAY_SIZE(keys) ? keys[index].name : NULL;
}

static bool in_section(const struct key *k, const struct conf_entry *entry)
{
    return str_equal(k->section, entry->section) &&
           (!k->argument || (entry->argument && str_equal(k->argument, entry->argument)));
}

static int open_grant(struct reading *r, const char *pattern, struct err *e)
{
    struct policy *p = r->policy;
    if (p->grant_count >= POLICY_GRANTS_MAX)
        return err_set(e, E2BIG, "more than %d grants", POLICY_GRANTS_MAX);
    struct policy_grant *grown = reallocarray(p->grants, p->grant_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    p->grants = grown;
    grown[p->grant_count] = (struct policy_grant){0};
    int result = policy_pattern_expand(pattern, &grown[p->grant_count].pattern, e);
    if (result < 0)
        return result;
    r->grant = &grown[p->grant_count++];
    return 0;
}

static int open_registry(struct reading *r, const char *host, struct err *e)
{
    struct policy *p = r->policy;
    char name[REFERENCE_NAME_MAX + 1];
    int result = reference_parse_host(host, name, e);
    if (result < 0)
        return result;
    if (policy_registry_find(p, name))
        return err_set(e, EEXIST, "there are two sections for this registry");
    if (p->registry_count >= POLICY_REGISTRIES_MAX)
        return err_set(e, E2BIG, "more than %d registries", POLICY_REGISTRIES_MAX);
    struct policy_registry *grown = reallocarray(p->registries, p->registry_count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    p->registries = grown;
    grown[p->registry_count] = (struct policy_registry){0};
    result = str_copy(name, &grown[p->registry_count].host, e);
    if (result < 0)
        return result;
    r->registry = &grown[p->registry_count++];
    return 0;
}

static int open_section(struct reading *r, const struct conf_entry *entry, struct err *e)
{
    r->grant = NULL;
    r->registry = NULL;
    bool named = str_equal(entry->section, "grant") || str_equal(entry->section, "registry");
    if (named && !str_set(entry->argument))
        return err_set(e, EINVAL, "[%s] needs a name: [%s \"NAME\"]", entry->section, entry->section);
    if (str_equal(entry->section, "casemate") && entry->argument)
        return err_set(e, EINVAL, "[casemate] takes no name");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!in_section(&keys[i], entry))
            continue;
        if (!named)
            return 0;
        return str_equal(entry->section, "grant") ? open_grant(r, entry->argument, e)
                                                  : open_registry(r, entry->argument, e);
    }
    return entry->argument
               ? err_set(e, EINVAL, "unknown section [%s \"%s\"]", entry->section, entry->argument)
               : err_set(e, EINVAL, "unknown section [%s]", entry->section);
}

static int visit(const struct conf_entry *entry, void *context, struct err *e)
{
    struct reading *r = context;
    if (!entry->key)
        return open_section(r, entry, e);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!in_section(&keys[i], entry) || !str_equal(keys[i].name, entry->key))
            continue;
        int result = keys[i].set(r, entry, e);
        return result < 0 ? err_wrap(e, "%s", entry->key) : 0;
    }
    return err_set(e, EINVAL, "unknown key '%s'", entry->key);
}

int policy_parse(const char *file, const char *text, size_t length, struct policy *ret_policy, struct err *e)
{
    _cleanup_policy_ struct policy p = {0};
    int r = policy_init(&p, e);
    if (r == 0)
        r = conf_parse(file, text, length, visit, &(struct reading){.policy = &p}, e);
    if (r < 0)
        return r;
    *ret_policy = p;
    p = (struct policy){0};
    return 0;
}

static int visit_grant(const struct conf_entry *entry, void *context, struct err *e)
{
    if (!str_equal(entry->section, "grant") || (entry->key && !str_equal(entry->key, "capability")))
        return err_set(e, EINVAL, "only capabilities can be granted here");
    return visit(entry, context, e);
}

int policy_read_grants(const char *path, struct policy *p, struct err *e)
{
    return conf_read(path, true, visit_grant, &(struct reading){.policy = p}, e);
}

static int is_drop_in(const struct dirent *d)
{
    return d->d_name[0] != '.' && str_ends_with(d->d_name, ".conf");
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* conf.d beside the main file: who may write there could take files away, so it has to be root's too. */
static int check_drop_in_dir(const char *dir, struct err *e)
{
    struct stat st;
    if (stat(dir, &st) < 0)
        return err_errno(e, "%s", dir);
    bool trusted = identity_is_administrator(st.st_uid) || (identity_rootless() && st.st_uid == geteuid());
    if (!trusted || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(
            e, EPERM,
            "%s must belong to root and be writable by nobody else (chown root:root %s; chmod go-w %s)", dir,
            dir, dir);
    return 0;
}

static int read_drop_ins(struct policy *p, struct err *e)
{
    _cleanup_free_ char *dir = NULL;
    struct dirent **entries = NULL;
    const char *slash = strrchr(dirs_conf(), '/');
    int length = slash ? (int)(slash - dirs_conf()) : 0;
    int r = str_format(&dir, e, "%.*s%s" DROP_IN_DIR, length, dirs_conf(), slash ? "/" : "");
    if (r < 0)
        return r;
    int count = scandir(dir, &entries, is_drop_in, alphasort);
    if (count < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "read %s", dir);
    if (count > DROP_INS_MAX)
        r = err_set(e, E2BIG, "more than %d files in %s", DROP_INS_MAX, dir);
    if (r == 0)
        r = check_drop_in_dir(dir, e);
    for (int i = 0; i < count && r == 0; i++) {
        _cleanup_free_ char *path = NULL;
        r = str_format(&path, e, "%s/%s", dir, entries[i]->d_name);
        if (r == 0)
            r = conf_read(path, true, visit, &(struct reading){.policy = p}, e);
    }
    free_entries(entries, count);
    return r;
}

int policy_load(struct policy *ret_policy, struct err *e)
{
    _cleanup_policy_ struct policy p = {0};
    int r = policy_init(&p, e);
    if (r == 0)
        r = conf_read(dirs_conf(), true, visit, &(struct reading){.policy = &p}, e);
    if (r == 0)
        r = read_drop_ins(&p, e);
    /* Last: what an ordinary user writes concerns that user's own containers only, so it may also relax. */
    if (r == 0 && dirs_user_conf())
        r = conf_read(dirs_user_conf(), true, visit, &(struct reading){.policy = &p}, e);
    if (r < 0)
        return r;
    *ret_policy = p;
    p = (struct policy){0};
    return 0;
}
