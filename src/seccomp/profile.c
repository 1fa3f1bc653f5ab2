/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a system-call profile (profile.h). The text may be hostile: this runs in the sandboxed compile worker or, for
 * our own profiles, in the build. Errors carry the path of the field, built by wrapping from the inside out.
 */
#include "seccomp/profile_field.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define ENTRIES_MAX 1024 /* in syscalls */
#define NAMES_MAX 1024   /* names in one entry */
#define ARCHES_MAX 64    /* in architectures and archMap */

static void tokener_freep(json_tokener **t)
{
    if (*t)
        json_tokener_free(*t);
}

static void json_putp(json_object **o)
{
    if (*o)
        json_object_put(*o);
}

/* --- entries -------------------------------------------------------------------------------------------------- */

/* The rules that one entry makes, which differ in their conditions only: first..end-1. */
struct entry {
    unsigned first, end;
    uint32_t ret;
};

static int rule_add(struct rules *r, uint32_t ret, const struct rule_arg *args, unsigned n, struct err *e)
{
    struct rule *rule = rules_add(r);
    if (!rule)
        return err_set(e, E2BIG, "more than %d rules in all", RULES_MAX);
    rule->ret = ret;
    rule->n_args = n;
    for (unsigned i = 0; i < n; i++)
        rule->args[i] = args[i];
    return 0;
}

static int entry_attach(struct rules *r, const struct entry *x, int nr, struct err *e)
{
    int result = 0;
    for (unsigned i = x->first; i < x->end && result == 0; i++)
        result = rules_attach(r, i, nr, e);
    return result;
}

/*
 * The call of 32-bit x86 that does the same by a number. Its other arguments are in memory, where no filter sees them: conditions cannot be
 * judged, so a refusal with conditions holds for every such call, and a permission with conditions for none.
 */
static int multiplexed_attach(struct rules *r, const struct entry *x, const struct seccomp_multiplexed *m,
                              struct err *e)
{
    const struct rule_arg is_it = {.op = RULE_OP_MASKED_EQ, .value = m->number_mask, .value_two = m->number};
    bool conditional = r->rules[x->first].n_args > 0;
    if (conditional && rules_precedence(x->ret) > rules_precedence(SECCOMP_RET_USER_NOTIF))
        return 0;
    int result = rule_add(r, x->ret, &is_it, 1, e);
    return result < 0 ? result : rules_attach(r, r->n_rules - 1, seccomp_number(r->arch, m->call), e);
}

static int name_attach(struct rules *r, const struct entry *x, const char *name, struct err *e)
{
    int nr = seccomp_number(r->arch, name);
    const struct seccomp_multiplexed *m = seccomp_multiplexed(r->arch, name);
    int result = nr >= 0 ? entry_attach(r, x, nr, e) : 0;
    if (result == 0 && m)
        result = multiplexed_attach(r, x, m, e);
    if (nr >= 0 || m)
        return result;
    if (nr == SECCOMP_NAME_UNKNOWN && !r->runtime && !rules_action_lets_through(x->ret))
        return err_set(e, EINVAL, "there is no system call %.40s to refuse", name);
    if (nr == SECCOMP_NAME_ABSENT)
        r->n_absent++;
    else if (r->n_unknown++ == 0)
        (void)snprintf(r->unknown, sizeof(r->unknown), "%.40s", name);
    return 0;
}

/* Under a filter that asks somebody about write no process could say where the one who answers is to be found. */
static int name_use(struct rules *r, json_object *o, const struct entry *x, bool used, struct err *e)
{
    const char *name = profile_string(o, e);
    if (!name)
        return -e->code;
    if (!*name)
        return profile_invalid(e, "is empty");
    if (x->ret == SECCOMP_RET_USER_NOTIF && strcmp(name, "write") == 0)
        return profile_invalid(e, "SCMP_ACT_NOTIFY cannot be used for write");
    return used ? name_attach(r, x, name, e) : 0;
}

static int names_use(struct rules *r, json_object *entry, const struct entry *x, bool used, struct err *e)
{
    json_object *list = NULL, *single = r->runtime ? NULL : json_object_object_get(entry, "name");
    size_t n = 0;
    if (profile_array(entry, "names", NAMES_MAX, &list, &n, e) < 0)
        return -e->code;
    if (n > 0 && single)
        return profile_invalid(e, "name: stands beside names");
    if (single)
        return name_use(r, single, x, used, e) < 0 ? err_wrap(e, "name") : 0;
    if (n == 0)
        return profile_invalid(e, "names: is missing or empty");
    for (size_t i = 0; i < n; i++)
        if (name_use(r, json_object_array_get_idx(list, i), x, used, e) < 0)
            return err_wrap(e, "names[%zu]", i);
    return 0;
}

static int entry_rules(struct rules *r, json_object *entry, struct entry *x, struct err *e)
{
    struct rule_arg args[PROFILE_ARGS_MAX];
    unsigned n = 0;
    bool alternatives = false;
    if (profile_args(entry, r->runtime, args, &n, &alternatives, e) < 0)
        return -e->code;
    x->first = r->n_rules;
    int result = alternatives ? 0 : rule_add(r, x->ret, args, n, e);
    for (unsigned i = 0; i < n && alternatives && result == 0; i++)
        result = rule_add(r, x->ret, &args[i], 1, e);
    x->end = r->n_rules;
    return result;
}

static int entry_parse(struct rules *r, json_object *entry, const struct profile_target *t, struct err *e)
{
    static const char *const keys[] = {"names", "name",    "action",   "errnoRet", "errno",
                                       "args",  "comment", "includes", "excludes", NULL};
    bool included = true, not_excluded = true;
    struct entry x = {0};
    if (profile_object(entry, keys, !r->runtime, e) < 0)
        return -e->code;
    if (profile_action(entry, "action", "errnoRet", "errno", r->runtime, &x.ret, e) < 0 ||
        entry_rules(r, entry, &x, e) < 0)
        return -e->code;
    if (!r->runtime && (profile_condition(r, entry, "includes", true, t, &included, e) < 0 ||
                        profile_condition(r, entry, "excludes", false, t, &not_excluded, e) < 0))
        return -e->code;
    return names_use(r, entry, &x, included && not_excluded, e);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

/* Checks one list of SCMP_ARCH_* names; *named gets bit n for enum seccomp_arch n. */
static int scmparches_check(json_object *o, const char *key, unsigned *named, struct err *e)
{
    json_object *list = NULL;
    size_t n = 0;
    if (profile_array(o, key, ARCHES_MAX, &list, &n, e) < 0)
        return -e->code;
    for (size_t i = 0; i < n; i++) {
        const char *name = profile_string(json_object_array_get_idx(list, i), e);
        if (!name)
            return err_wrap(e, "%s[%zu]", key, i);
        if (!seccomp_scmparch_known(name))
            return err_set(e, EINVAL, "%s[%zu]: unknown architecture %.64s", key, i, name);
        for (unsigned a = 0; a < SECCOMP_ARCHES; a++)
            *named |= seccomp_scmparch_is((enum seccomp_arch)a, name) ? 1U << a : 0;
    }
    return 0;
}

static int archmap_check(json_object *o, enum seccomp_arch arch, bool *found, struct err *e)
{
    static const char *const keys[] = {"architecture", "subArchitectures", NULL};
    json_object *map = NULL;
    size_t n = 0;
    unsigned ignored = 0;
    if (profile_array(o, "archMap", ARCHES_MAX, &map, &n, e) < 0)
        return -e->code;
    for (size_t i = 0; i < n; i++) {
        json_object *row = json_object_array_get_idx(map, i);
        if (profile_object(row, keys, true, e) < 0)
            return err_wrap(e, "archMap[%zu]", i);
        json_object *main = json_object_object_get(row, "architecture");
        const char *name = main ? profile_string(main, e) : NULL;
        if (!main)
            (void)profile_invalid(e, "is missing");
        if (!name)
            return err_wrap(e, "archMap[%zu].architecture", i);
        if (!seccomp_scmparch_known(name))
            return err_set(e, EINVAL, "archMap[%zu].architecture: unknown architecture %.64s", i, name);
        *found = *found || seccomp_scmparch_is(arch, name);
        if (scmparches_check(row, "subArchitectures", &ignored, e) < 0)
            return err_wrap(e, "archMap[%zu]", i);
    }
    return 0;
}

/* The other ABIs of the machine that a profile of the OCI runtime names; those of other machines mean nothing here. */
static int runtime_architectures(struct rules *r, json_object *root, const struct profile_target *t,
                                 struct err *e)
{
    unsigned named = 0;
    if (scmparches_check(root, "architectures", &named, e) < 0)
        return -e->code;
    for (unsigned a = 0; a < SECCOMP_ARCHES; a++)
        if ((named & 1U << a) && seccomp_arch_is_of((enum seccomp_arch)a, t->arch))
            r->also |= 1U << a;
    return 0;
}

/* A profile that lists architectures must list the one that it is compiled for; the others never widen anything. */
static int architectures_check(json_object *root, const struct profile_target *t, struct err *e)
{
    json_object *list = json_object_object_get(root, "architectures"),
                *map = json_object_object_get(root, "archMap");
    unsigned named = 0;
    bool found = false;
    if (scmparches_check(root, "architectures", &named, e) < 0 || archmap_check(root, t->arch, &found, e) < 0)
        return -e->code;
    bool any = (list && json_object_array_length(list) > 0) || (map && json_object_array_length(map) > 0);
    if (any && !found && !(named & 1U << t->arch))
        return err_set(e, EINVAL, "architectures: the profile is not for this architecture (%s)",
                       t->arch == SECCOMP_ARCH_AARCH64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64");
    return 0;
}

/* What a profile of ours and of users has beside its rules. */
static int plain_members(json_object *root, const struct profile_target *t, struct err *e)
{
    static const char *const keys[] = {"defaultAction", "defaultErrnoRet", "defaultErrno",
                                       "architectures", "archMap",         "syscalls",
                                       "flags",         "comment",         NULL};
    json_object *list = NULL;
    size_t n = 0;
    if (profile_object(root, keys, true, e) < 0 || architectures_check(root, t, e) < 0 ||
        profile_array(root, "flags", PROFILE_CONDITIONS_MAX, &list, &n, e) < 0)
        return -e->code;
    return n > 0 ? profile_invalid(e, "flags: are not supported; remove them") : 0;
}

static int root_parse(struct rules *r, json_object *root, const struct profile_target *t, struct err *e)
{
    json_object *list = NULL;
    size_t n = 0;
    if (profile_object(root, NULL, false, e) < 0 ||
        profile_action(root, "defaultAction", "defaultErrnoRet", "defaultErrno", r->runtime, &r->default_ret,
                       e) < 0 ||
        (r->runtime ? runtime_architectures(r, root, t, e) : plain_members(root, t, e)) < 0 ||
        profile_array(root, "syscalls", ENTRIES_MAX, &list, &n, e) < 0)
        return -e->code;
    if (r->default_ret == SECCOMP_RET_USER_NOTIF)
        return profile_invalid(e, "defaultAction: SCMP_ACT_NOTIFY cannot be the default");
    for (size_t i = 0; i < n; i++)
        if (entry_parse(r, json_object_array_get_idx(list, i), t, e) < 0)
            return err_wrap(e, "syscalls[%zu]", i);
    return 0;
}

static int json_read(const char *json, size_t len, json_object **ret_root, struct err *e)
{
    if (len > PROFILE_BYTES_MAX)
        return err_set(e, EFBIG, "is larger than %d bytes", PROFILE_BYTES_MAX);
    _cleanup_(tokener_freep) json_tokener *tok = json_tokener_new_ex(PROFILE_DEPTH_MAX);
    if (!tok)
        return err_oom(e);
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    _cleanup_(json_putp) json_object *root = json_tokener_parse_ex(tok, json, (int)len);
    enum json_tokener_error why = json_tokener_get_error(tok);
    if (why != json_tokener_success || !root)
        return err_set(e, EINVAL, "is not valid JSON at byte %zu: %s", json_tokener_get_parse_end(tok),
                       why == json_tokener_continue ? "ends too early" : json_tokener_error_desc(why));
    for (size_t i = json_tokener_get_parse_end(tok); i < len; i++)
        if (!strchr(" \t\r\n", json[i]) || json[i] == '\0')
            return err_set(e, EINVAL, "has text after the JSON value, at byte %zu", i);
    *ret_root = steal_ptr(root);
    return 0;
}

static int root_rules(json_object *root, const struct profile_target *t, enum seccomp_arch arch,
                      struct rules **ret_rules, struct err *e)
{
    _cleanup_free_ struct rules *rules = rules_new(arch);
    if (!rules)
        return err_oom(e);
    rules->runtime = t->runtime;
    int r = root_parse(rules, root, t, e);
    if (r == 0)
        *ret_rules = steal_ptr(rules);
    return r;
}

int profile_parse(const char *json, size_t len, const struct profile_target *t, struct rules **ret_rules,
                  struct err *e)
{
    _cleanup_(json_putp) json_object *root = NULL;
    int r = json_read(json, len, &root, e);
    return r < 0 ? err_wrap(e, "profile") : root_rules(root, t, t->arch, ret_rules, e);
}

int profile_parse_all(const char *json, size_t len, const struct profile_target *t, struct profile_rules *ret,
                      struct err *e)
{
    _cleanup_(json_putp) json_object *root = NULL;
    _cleanup_(profile_rules_clear) struct profile_rules all = {0};
    int r = json_read(json, len, &root, e);
    if (r < 0)
        return err_wrap(e, "profile");
    r = root_rules(root, t, t->arch, &all.list[0], e);
    if (r < 0)
        return r;
    all.n = 1;
    for (unsigned a = 0; a < SECCOMP_ARCHES && r == 0; a++) {
        if (!(all.list[0]->also & 1U << a))
            continue;
        r = root_rules(root, t, (enum seccomp_arch)a, &all.list[all.n], e);
        all.n += r == 0;
    }
    if (r < 0)
        return r;
    *ret = all;
    all = (struct profile_rules){0};
    return 0;
}

void profile_rules_clear(struct profile_rules *all)
{
    for (size_t i = 0; i < all->n; i++)
        free(all->list[i]);
    *all = (struct profile_rules){0};
}
