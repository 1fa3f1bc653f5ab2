/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of casemate.conf (policy.h): its sections, and the files that it is made of. Tables of keys drive it (policy_reading.h). */
#include "plan/policy_keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dirs.h"
#include "base/identity.h"
#include "image/reference.h"
#include "plan/policy_reading.h"

#define DROP_IN_DIR "conf.d"
#define DROP_INS_MAX 256

/* All tables as one; NULL behind the last key. */
static const struct policy_key *key_at(size_t index)
{
    static const struct policy_key *const tables[] = {policy_keys_general, policy_keys_limits,
                                                      policy_keys_rights, policy_keys_runtime};
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (const struct policy_key *k = tables[t]; k->section; k++)
            if (index-- == 0)
                return k;
    return NULL;
}

const char *policy_key_name(size_t index)
{
    const struct policy_key *k = key_at(index);
    return k ? k->name : NULL;
}

static bool in_section(const struct policy_key *k, const struct conf_entry *entry)
{
    return str_equal(k->section, entry->section) &&
           (!k->argument || (entry->argument && str_equal(k->argument, entry->argument)));
}

static int open_grant(struct policy_reading *r, const char *pattern, struct err *e)
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

static int open_registry(struct policy_reading *r, const char *host, struct err *e)
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

static int open_section(struct policy_reading *r, const struct conf_entry *entry, struct err *e)
{
    r->grant = NULL;
    r->registry = NULL;
    bool named = str_equal(entry->section, "grant") || str_equal(entry->section, "registry");
    if (named && !str_set(entry->argument))
        return err_set(e, EINVAL, "[%s] needs a name: [%s \"NAME\"]", entry->section, entry->section);
    if ((str_equal(entry->section, "casemate") || str_equal(entry->section, "runtime")) && entry->argument)
        return err_set(e, EINVAL, "[%s] takes no name", entry->section);
    for (size_t i = 0; key_at(i); i++) {
        if (!in_section(key_at(i), entry))
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
    struct policy_reading *r = context;
    if (!entry->key)
        return open_section(r, entry, e);
    for (size_t i = 0; key_at(i); i++) {
        const struct policy_key *k = key_at(i);
        if (!in_section(k, entry) || !str_equal(k->name, entry->key))
            continue;
        int result = k->set(r, entry, e);
        return result < 0 ? err_wrap(e, "%s", entry->key) : 0;
    }
    return err_set(e, EINVAL, "unknown key '%s'", entry->key);
}

int policy_parse(const char *file, const char *text, size_t length, struct policy *ret_policy, struct err *e)
{
    _cleanup_policy_ struct policy p = {0};
    int r = policy_init(&p, e);
    if (r == 0)
        r = conf_parse(file, text, length, visit, &(struct policy_reading){.policy = &p}, e);
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
    return conf_read(path, true, visit_grant, &(struct policy_reading){.policy = p}, e);
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
            r = conf_read(path, true, visit, &(struct policy_reading){.policy = p}, e);
    }
    free_entries(entries, count);
    return r;
}

int policy_load(struct policy *ret_policy, struct err *e)
{
    _cleanup_policy_ struct policy p = {0};
    int r = policy_init(&p, e);
    if (r == 0)
        r = conf_read(dirs_conf(), true, visit, &(struct policy_reading){.policy = &p}, e);
    if (r == 0)
        r = read_drop_ins(&p, e);
    /* Last: what an ordinary user writes concerns that user's own containers only, so it may also relax. */
    if (r == 0 && dirs_user_conf())
        r = conf_read(dirs_user_conf(), true, visit, &(struct policy_reading){.policy = &p}, e);
    if (r < 0)
        return r;
    *ret_policy = p;
    p = (struct policy){0};
    return 0;
}
