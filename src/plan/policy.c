/* SPDX-License-Identifier: Apache-2.0 */
/* The policy in memory (policy.h): defaults, rights, patterns. The file's keys are read in policy_keys.c. */
#include "plan/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/num.h"
#include "image/reference.h"
#include "plan/policy_keys.h"

#define MIB (UINT64_C(1) << 20)
#define PERCENT 100
#define PID_MAX_DEFAULT 32768
#define SMALL_FILE_MAX 64
#define KNOWN_IMAGES "known-images.conf"

static int machine_read(struct policy_machine *ret, struct err *e)
{
    struct sysinfo info;
    cpu_set_t set;
    if (sysinfo(&info) < 0)
        return err_errno(e, "sysinfo");
    ret->memory = (uint64_t)info.totalram * info.mem_unit;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    ret->processors = online > 0 ? (unsigned)online : 1;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        ret->processors = (unsigned)CPU_COUNT(&set);
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};
    ret->processes = PID_MAX_DEFAULT;
    if (io_read_path("/proc/sys/kernel/pid_max", SMALL_FILE_MAX, &text, &ignored) == 0 && text.length > 0) {
        text.data[strcspn(text.data, "\n")] = '\0';
        (void)num_parse_u64(text.data, UINT32_MAX, &ret->processes, &ignored);
    }
    return 0;
}

int policy_init(struct policy *ret_policy, struct err *e)
{
    static const struct plan_ulimit ulimits[] = {
        {"nofile", 1024, 524288},
        {"core", 0, 0},
        {"memlock", 65536, 65536},
    };
    *ret_policy = (struct policy){
        .profile = PLAN_STANDARD,
        .least = PLAN_COMPAT,
        .memory = {50, true},
        .memory_min = 512 * MIB,
        .cpus = {90, true},
        .pids = 512,
        .read_bps = 256 * MIB,
        .write_bps = 256 * MIB,
        .read_iops = 10000,
        .write_iops = 10000,
        .oom_score_adj = 500,
        .shm_size = 64 * MIB,
        .log_size = 10 * MIB,
        .log_files = 3,
        .removed_logs = true,
        .removed_logs_days = 30,
        .removed_logs_size = 1024 * MIB,
        .tmpfs_size = {50, true},
        .reserve = {10, true},
        .reserve_min = 512 * MIB,
        .disk = 10240 * MIB,
        .disk_inodes = 500000,
        .volume_disk = {50, true},
        .volume_inodes = {50, true},
        .known_images = true,
        .allow_root = true,
        .copy_in = true,
        .copy_out = true,
        .ulimit_count = ARRAY_SIZE(ulimits),
    };
    memcpy(ret_policy->ulimits, ulimits, sizeof(ulimits));
    return machine_read(&ret_policy->machine, e);
}

void policy_rights_clear(struct policy_rights *rights)
{
    for (size_t i = 0; i < rights->count; i++) {
        free(rights->items[i].value);
        free(rights->items[i].source);
    }
    free(rights->items);
    *rights = (struct policy_rights){0};
}

void policy_clear(struct policy *p)
{
    policy_rights_clear(&p->rights);
    for (size_t i = 0; i < p->grant_count; i++) {
        free(p->grants[i].pattern);
        policy_rights_clear(&p->grants[i].rights);
    }
    for (size_t i = 0; i < p->registry_count; i++) {
        free(p->registries[i].host);
        free(p->registries[i].ca_file);
    }
    free(p->grants);
    free(p->registries);
    free(p->least_source);
    free(p->log_driver);
    free(p->allow_root_source);
    *p = (struct policy){0};
}

int policy_rights_add(struct policy_rights *rights, enum policy_right_kind kind, const char *value,
                      const char *source, struct err *e)
{
    if (rights->count >= POLICY_RIGHTS_MAX)
        return err_set(e, E2BIG, "more than %d rights", POLICY_RIGHTS_MAX);
    struct policy_right *grown = reallocarray(rights->items, rights->count + 1, sizeof(*grown));
    if (!grown)
        return err_oom(e);
    rights->items = grown;
    struct policy_right *added = &grown[rights->count];
    *added = (struct policy_right){
        .kind = kind, .value = strdup(value), .source = strdup(source ? source : "policy")};
    if (!added->value || !added->source) {
        free(added->value);
        free(added->source);
        return err_oom(e);
    }
    rights->count++;
    return 0;
}

const struct policy_right *policy_rights_find(const struct policy_rights *rights, enum policy_right_kind kind,
                                              const char *value)
{
    for (size_t i = 0; i < rights->count; i++)
        if (rights->items[i].kind == kind && str_equal(rights->items[i].value, value))
            return &rights->items[i];
    return NULL;
}

static int add_all(const struct policy_rights *from, const char *source, struct policy_rights *to,
                   struct err *e)
{
    int r = 0;
    for (size_t i = 0; i < from->count && r == 0; i++)
        r = policy_rights_add(to, from->items[i].kind, from->items[i].value,
                              source ? source : from->items[i].source, e);
    return r;
}

static bool grant_matches(const struct policy_grant *g, const struct str_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (policy_pattern_matches(g->pattern, names->items[i]))
            return true;
    return false;
}

int policy_collect_rights(const struct policy *p, const struct str_list *names, struct policy_rights *ret,
                          struct err *e)
{
    int r = add_all(&p->rights, NULL, ret, e);
    for (size_t i = 0; i < p->grant_count && r == 0; i++)
        if (grant_matches(&p->grants[i], names))
            r = add_all(&p->grants[i].rights, NULL, ret, e);
    return r;
}

static int read_known_images(struct policy *ret_known, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    int r = str_format(&path, e, "%s/" KNOWN_IMAGES, dirs_data());
    return r < 0 ? r : policy_read_grants(path, ret_known, e);
}

static bool any_matches(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->grant_count; i++)
        if (policy_pattern_matches(p->grants[i].pattern, name))
            return true;
    return false;
}

int policy_has_grant(const struct policy *p, const char *name, struct err *e)
{
    _cleanup_policy_ struct policy known = {0};
    int r = p->known_images ? read_known_images(&known, e) : 0;
    return r < 0 ? r : any_matches(p, name) || any_matches(&known, name);
}

int policy_collect_known_images(const struct str_list *names, struct policy_rights *ret, struct err *e)
{
    _cleanup_policy_ struct policy known = {0};
    int r = read_known_images(&known, e);
    for (size_t i = 0; i < known.grant_count && r == 0; i++) {
        _cleanup_free_ char *source = NULL;
        if (!grant_matches(&known.grants[i], names))
            continue;
        r = str_format(&source, e, "known image %s", known.grants[i].pattern);
        if (r == 0)
            r = add_all(&known.grants[i].rights, source, ret, e);
    }
    return r;
}

const struct policy_registry *policy_registry_find(const struct policy *p, const char *host)
{
    for (size_t i = 0; i < p->registry_count; i++)
        if (str_equal(p->registries[i].host, host))
            return &p->registries[i];
    return NULL;
}

uint64_t policy_share_of(const struct policy_share *share, uint64_t whole)
{
    if (!share->percent)
        return share->value;
    return whole / PERCENT * share->value + whole % PERCENT * share->value / PERCENT;
}

uint64_t policy_total_memory(const struct policy *p)
{
    uint64_t kept = policy_share_of(&p->reserve, p->machine.memory);
    if (kept < p->reserve_min)
        kept = p->reserve_min;
    /* On a machine smaller than twice the reserve the containers still get half. */
    return kept > p->machine.memory / 2 ? p->machine.memory / 2 : p->machine.memory - kept;
}

int policy_profile_parse(const char *text, enum plan_profile *ret_profile, struct err *e)
{
    static const enum plan_profile all[] = {PLAN_STANDARD, PLAN_STRICT, PLAN_COMPAT};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (str_equal(text, plan_profile_name(all[i]))) {
            *ret_profile = all[i];
            return 0;
        }
    }
    return err_set(e, EINVAL, "unknown profile '%s' (standard, strict or compat)", text);
}

/* Where the name ends: at the ':' of a tag or the '@' of a digest, else at the end. */
static size_t name_length(const char *reference)
{
    const char *slash = strrchr(reference, '/');
    size_t start = slash ? (size_t)(slash - reference) : 0;
    return start + strcspn(reference + start, ":@");
}

int policy_pattern_expand(const char *text, char **ret_pattern, struct err *e)
{
    struct digest digest;
    if (str_after(text, "sha256:")) {
        int r = digest_parse(text, &digest, e);
        return r < 0 ? r : str_copy(text, ret_pattern, e);
    }
    if (!*text || strpbrk(text, " \t[]\\") || text[0] == '/' || text[0] == ':')
        return err_set(e, EINVAL, "'%s' is not a pattern of image names", text);
    size_t first = strcspn(text, "/");
    if (text[first] == '\0')
        return str_format(ret_pattern, e, REFERENCE_DEFAULT_HOST "/library/%s", text);
    bool host = memchr(text, '.', first) || memchr(text, ':', first) ||
                (first == strlen("localhost") && strncmp(text, "localhost", first) == 0);
    return host ? str_copy(text, ret_pattern, e)
                : str_format(ret_pattern, e, REFERENCE_DEFAULT_HOST "/%s", text);
}

bool policy_pattern_matches(const char *expanded, const char *name)
{
    char bare[REFERENCE_TEXT_MAX + 1];
    if (str_after(expanded, "sha256:")) {
        const char *at = strchr(name, '@');
        return str_equal(expanded, name) || (at && str_equal(expanded, at + 1));
    }
    size_t n = name_length(name);
    if (expanded[name_length(expanded)] != '\0')
        return fnmatch(expanded, name, FNM_PATHNAME | FNM_NOESCAPE) == 0;
    if (n >= sizeof(bare))
        return false;
    memcpy(bare, name, n);
    bare[n] = '\0';
    return fnmatch(expanded, bare, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}
