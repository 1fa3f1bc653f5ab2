/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a system-call profile (profile.h). The text may be hostile: this runs in the sandboxed compile worker or, for
 * our own profiles, in the build. Errors carry the path of the field, built by wrapping from the inside out.
 */
#include "seccomp/profile.h"

#include <errno.h>
#include <json-c/json.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capname.h"
#include "base/cleanup.h"

#define ERRNO_MAX 4095    /* MAX_ERRNO of the kernel */
#define NAMES_MAX 1024    /* names in one entry */
#define CONDITIONS_MAX 64 /* capabilities or architectures in includes or excludes */
#define ARCHES_MAX 64     /* in architectures and archMap */

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

static int invalid(struct err *e, const char *what)
{
    return err_set(e, EINVAL, "%s", what);
}

/* Every key of an object must stand in `known`, a list that ends with NULL. */
static int object_check(json_object *o, const char *const *known, struct err *e)
{
    if (!json_object_is_type(o, json_type_object))
        return invalid(e, "must be an object");
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return err_set(e, EINVAL, "%.64s: unknown field", key);
    }
    return 0;
}

/* The text of a string value; NULL and an error for anything else, text with a NUL byte inside included. */
static const char *string_value(json_object *o, struct err *e)
{
    if (!json_object_is_type(o, json_type_string)) {
        (void)invalid(e, "must be a string");
        return NULL;
    }
    const char *s = json_object_get_string(o);
    if (strlen(s) != (size_t)json_object_get_string_len(o)) {
        (void)invalid(e, "contains a NUL byte");
        return NULL;
    }
    return s;
}

/* A whole number from 0 to max. */
static int number_value(json_object *o, uint64_t max, uint64_t *ret_n, struct err *e)
{
    if (!json_object_is_type(o, json_type_int))
        return invalid(e, "must be a whole number");
    if (json_object_get_int64(o) < 0)
        return invalid(e, "must not be negative");
    uint64_t n = json_object_get_uint64(o);
    if (n > max)
        return err_set(e, EINVAL, "must be at most %llu", (unsigned long long)max);
    *ret_n = n;
    return 0;
}

/* The array under `key`; an absent key and null count as an empty one (*ret_array NULL, *ret_n 0). */
static int array_member(json_object *o, const char *key, size_t max, json_object **ret_array, size_t *ret_n,
                        struct err *e)
{
    json_object *a = json_object_object_get(o, key);
    *ret_array = a;
    *ret_n = 0;
    if (!a)
        return 0;
    if (!json_object_is_type(a, json_type_array))
        return err_set(e, EINVAL, "%s: must be an array", key);
    size_t n = json_object_array_length(a);
    if (n > max)
        return err_set(e, E2BIG, "%s: more than %zu elements", key, max);
    *ret_n = n;
    return 0;
}

/* --- actions -------------------------------------------------------------------------------------------------- */

static int action_parse(json_object *o, uint32_t *ret_action, struct err *e)
{
    static const struct {
        const char *name;
        uint32_t ret;
    } actions[] = {
        {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
        {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
        {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
        {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
        {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
    };
    const char *name = o ? string_value(o, e) : NULL;
    if (!o)
        return invalid(e, "is missing");
    if (!name)
        return -e->code;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i].name, name) == 0) {
            *ret_action = actions[i].ret;
            return 0;
        }
    if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
        return invalid(e, "SCMP_ACT_NOTIFY needs a listener, which is not supported");
    return err_set(e, EINVAL, "unknown action %.64s", name);
}

/* Errno names that profiles in circulation use in "errno" and "defaultErrno". */
static int errno_name_parse(json_object *o, uint64_t *ret_n, struct err *e)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"EPERM", EPERM},
        {"ENOENT", ENOENT},
        {"ESRCH", ESRCH},
        {"EINTR", EINTR},
        {"EIO", EIO},
        {"EAGAIN", EAGAIN},
        {"ENOMEM", ENOMEM},
        {"EACCES", EACCES},
        {"EBUSY", EBUSY},
        {"ENODEV", ENODEV},
        {"EINVAL", EINVAL},
        {"ENOTTY", ENOTTY},
        {"ENOSYS", ENOSYS},
        {"EOPNOTSUPP", EOPNOTSUPP},
        {"EPROTONOSUPPORT", EPROTONOSUPPORT},
        {"EAFNOSUPPORT", EAFNOSUPPORT},
    };
    const char *name = string_value(o, e);
    if (!name)
        return -e->code;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i].name, name) == 0) {
            *ret_n = (uint64_t)known[i].number;
            return 0;
        }
    return err_set(e, EINVAL, "unknown error name %.32s", name);
}

/* Action plus its data: the number in `ret_key` or the name in `name_key`, EPERM when neither is there. */
static int action_member(json_object *o, const char *action_key, const char *ret_key, const char *name_key,
                         uint32_t *ret_ret, struct err *e)
{
    uint32_t action = 0;
    uint64_t data = EPERM, named = 0;
    if (action_parse(json_object_object_get(o, action_key), &action, e) < 0)
        return err_wrap(e, "%s", action_key);
    json_object *by_name = json_object_object_get(o, name_key);
    json_object *by_number = json_object_object_get(o, ret_key);
    if (by_name && json_object_is_type(by_name, json_type_string) && json_object_get_string_len(by_name) == 0)
        by_name = NULL; /* written by tools that print every field */
    if (by_name && errno_name_parse(by_name, &named, e) < 0)
        return err_wrap(e, "%s", name_key);
    if (by_number && number_value(by_number, ERRNO_MAX, &data, e) < 0)
        return err_wrap(e, "%s", ret_key);
    if (by_name && by_number && named != data)
        return err_set(e, EINVAL, "%s: contradicts %s", name_key, ret_key);
    if (by_name)
        data = named;
    bool takes_data = action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
    *ret_ret = action | (takes_data ? (uint32_t)data : 0);
    return 0;
}

/* --- includes and excludes ------------------------------------------------------------------------------------ */

/* "4.8" or "5.10.3" against the kernel of the target. */
static int min_kernel_holds(json_object *o, const struct profile_target *t, bool *ret_holds, struct err *e)
{
    const char *s = string_value(o, e);
    unsigned major = 0, minor = 0, digits = 0;
    if (!s)
        return -e->code;
    for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
        major = major * 10 + (unsigned)(*s - '0');
    if (digits == 0 || *s != '.')
        return invalid(e, "must be a kernel version such as 4.8");
    for (s++, digits = 0; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
        minor = minor * 10 + (unsigned)(*s - '0');
    if (digits == 0 || (*s != '\0' && *s != '.'))
        return invalid(e, "must be a kernel version such as 4.8");
    if (t->kernel_version == 0)
        return invalid(e, "cannot be used in a profile that is compiled ahead");
    *ret_holds = t->kernel_version >= major * 1000 + minor;
    return 0;
}

/* Whether all (or any, as `all` says) of the listed capabilities are granted. An empty list says nothing: *ret_n is 0. */
static int caps_match(struct rules *r, json_object *cond, const struct profile_target *t, bool all,
                      bool *ret_match, size_t *ret_n, struct err *e)
{
    json_object *list = NULL;
    if (array_member(cond, "caps", CONDITIONS_MAX, &list, ret_n, e) < 0)
        return -e->code;
    bool match = all;
    for (size_t i = 0; i < *ret_n; i++) {
        const char *name = string_value(json_object_array_get_idx(list, i), e);
        if (!name)
            return err_wrap(e, "caps[%zu]", i);
        int cap = cap_number(name, strlen(name));
        if (cap < 0)
            return err_set(e, EINVAL, "caps[%zu]: unknown capability %.64s", i, name);
        r->caps_named |= CAP_BIT(cap);
        bool granted = t->caps & CAP_BIT(cap);
        match = all ? match && granted : match || granted;
    }
    *ret_match = match;
    return 0;
}

/* Whether the architecture is among those listed. */
static int arches_match(json_object *cond, const struct profile_target *t, bool *ret_match, size_t *ret_n,
                        struct err *e)
{
    json_object *list = NULL;
    if (array_member(cond, "arches", CONDITIONS_MAX, &list, ret_n, e) < 0)
        return -e->code;
    bool match = false;
    for (size_t i = 0; i < *ret_n; i++) {
        const char *name = string_value(json_object_array_get_idx(list, i), e);
        if (!name)
            return err_wrap(e, "arches[%zu]", i);
        if (!seccomp_goarch_known(name))
            return err_set(e, EINVAL, "arches[%zu]: unknown architecture %.64s", i, name);
        match = match || seccomp_goarch_is(t->arch, name);
    }
    *ret_match = match;
    return 0;
}

/* moby's meaning: an entry is used when everything in includes holds, and nothing in excludes. */
static int condition_parse(struct rules *r, json_object *entry, const char *key, bool include,
                           const struct profile_target *t, bool *ret_use, struct err *e)
{
    static const char *const keys[] = {"caps", "arches", "minKernel", NULL};
    json_object *cond = json_object_object_get(entry, key);
    *ret_use = true;
    if (!cond)
        return 0;
    bool caps = false, arches = false, kernel = false;
    size_t n_caps = 0, n_arches = 0;
    if (object_check(cond, keys, e) < 0 || caps_match(r, cond, t, include, &caps, &n_caps, e) < 0 ||
        arches_match(cond, t, &arches, &n_arches, e) < 0)
        return err_wrap(e, "%s", key);
    json_object *min = json_object_object_get(cond, "minKernel");
    if (min && json_object_is_type(min, json_type_string) && json_object_get_string_len(min) == 0)
        min = NULL;
    if (min && min_kernel_holds(min, t, &kernel, e) < 0)
        return err_wrap(e, "%s.minKernel", key);
    if (include)
        *ret_use = (n_caps == 0 || caps) && (n_arches == 0 || arches) && (!min || kernel);
    else
        *ret_use = !(n_caps > 0 && caps) && !(n_arches > 0 && arches) && !(min && kernel);
    return 0;
}

/* --- arguments ------------------------------------------------------------------------------------------------ */

static int op_parse(json_object *o, enum rule_op *ret_op, struct err *e)
{
    static const char *const names[] = {
        [RULE_OP_NE] = "SCMP_CMP_NE",
        [RULE_OP_LT] = "SCMP_CMP_LT",
        [RULE_OP_LE] = "SCMP_CMP_LE",
        [RULE_OP_EQ] = "SCMP_CMP_EQ",
        [RULE_OP_GE] = "SCMP_CMP_GE",
        [RULE_OP_GT] = "SCMP_CMP_GT",
        [RULE_OP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
    };
    if (!o)
        return invalid(e, "is missing");
    const char *name = string_value(o, e);
    if (!name)
        return -e->code;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0) {
            *ret_op = (enum rule_op)i;
            return 0;
        }
    return err_set(e, EINVAL, "unknown operator %.64s", name);
}

/* A number that may be absent (*ret_n stays). */
static int number_member(json_object *o, const char *key, uint64_t max, uint64_t *ret_n, struct err *e)
{
    json_object *v = json_object_object_get(o, key);
    if (v && number_value(v, max, ret_n, e) < 0)
        return err_wrap(e, "%s", key);
    return 0;
}

static int arg_parse(json_object *o, struct rule_arg *ret_arg, struct err *e)
{
    static const char *const keys[] = {"index", "value", "valueTwo", "op", NULL};
    uint64_t index = 0;
    struct rule_arg a = {0};
    if (object_check(o, keys, e) < 0)
        return -e->code;
    if (!json_object_object_get(o, "index"))
        return invalid(e, "index: is missing");
    if (!json_object_object_get(o, "value"))
        return invalid(e, "value: is missing");
    if (number_member(o, "index", RULE_ARGS_MAX - 1, &index, e) < 0 ||
        number_member(o, "value", UINT64_MAX, &a.value, e) < 0 ||
        number_member(o, "valueTwo", UINT64_MAX, &a.value_two, e) < 0)
        return -e->code;
    a.index = (unsigned)index;
    if (op_parse(json_object_object_get(o, "op"), &a.op, e) < 0)
        return err_wrap(e, "op");
    if (a.op == RULE_OP_MASKED_EQ && (a.value_two & ~a.value) != 0)
        return invalid(e, "valueTwo: has bits outside the mask in value, so it never matches");
    *ret_arg = a;
    return 0;
}

static int args_parse(json_object *entry, struct rule *rule, struct err *e)
{
    json_object *list = NULL;
    size_t n = 0;
    unsigned seen = 0;
    if (array_member(entry, "args", RULE_ARGS_MAX, &list, &n, e) < 0)
        return -e->code;
    for (size_t i = 0; i < n; i++) {
        if (arg_parse(json_object_array_get_idx(list, i), &rule->args[i], e) < 0)
            return err_wrap(e, "args[%zu]", i);
        unsigned bit = 1U << rule->args[i].index;
        if (seen & bit)
            return err_set(e, EINVAL, "args[%zu]: argument %u is compared twice; write two entries", i,
                           rule->args[i].index);
        seen |= bit;
    }
    rule->n_args = (unsigned)n;
    return 0;
}

/* --- entries -------------------------------------------------------------------------------------------------- */

static int name_use(struct rules *r, json_object *o, bool used, struct err *e)
{
    const char *name = string_value(o, e);
    if (!name)
        return -e->code;
    if (!*name)
        return invalid(e, "is empty");
    if (!used)
        return 0;
    int nr = seccomp_number(r->arch, name);
    if (nr >= 0)
        return rules_attach(r, nr, e);
    if (nr == SECCOMP_NAME_UNKNOWN && !rules_action_lets_through(r->rules[r->n_rules - 1].ret))
        return err_set(e, EINVAL, "there is no system call %.40s to refuse", name);
    if (nr == SECCOMP_NAME_ABSENT)
        r->n_absent++;
    else if (r->n_unknown++ == 0)
        (void)snprintf(r->unknown, sizeof(r->unknown), "%.40s", name);
    return 0;
}

static int names_use(struct rules *r, json_object *entry, bool used, struct err *e)
{
    json_object *list = NULL, *single = json_object_object_get(entry, "name");
    size_t n = 0;
    if (array_member(entry, "names", NAMES_MAX, &list, &n, e) < 0)
        return -e->code;
    if (n > 0 && single)
        return invalid(e, "name: stands beside names");
    if (single)
        return name_use(r, single, used, e) < 0 ? err_wrap(e, "name") : 0;
    if (n == 0)
        return invalid(e, "names: is missing or empty");
    for (size_t i = 0; i < n; i++)
        if (name_use(r, json_object_array_get_idx(list, i), used, e) < 0)
            return err_wrap(e, "names[%zu]", i);
    return 0;
}

static int entry_parse(struct rules *r, json_object *entry, const struct profile_target *t, struct err *e)
{
    static const char *const keys[] = {"names", "name",    "action",   "errnoRet", "errno",
                                       "args",  "comment", "includes", "excludes", NULL};
    bool included = false, not_excluded = false;
    if (object_check(entry, keys, e) < 0)
        return -e->code;
    struct rule *rule = rules_add(r);
    if (!rule)
        return err_set(e, E2BIG, "more than %d entries", RULES_MAX);
    if (action_member(entry, "action", "errnoRet", "errno", &rule->ret, e) < 0 ||
        args_parse(entry, rule, e) < 0 || condition_parse(r, entry, "includes", true, t, &included, e) < 0 ||
        condition_parse(r, entry, "excludes", false, t, &not_excluded, e) < 0)
        return -e->code;
    return names_use(r, entry, included && not_excluded, e);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

/* Checks one list of SCMP_ARCH_* names; *found becomes true when ours is in it. */
static int scmparches_check(json_object *o, const char *key, const struct profile_target *t, bool *found,
                            struct err *e)
{
    json_object *list = NULL;
    size_t n = 0;
    if (array_member(o, key, ARCHES_MAX, &list, &n, e) < 0)
        return -e->code;
    for (size_t i = 0; i < n; i++) {
        const char *name = string_value(json_object_array_get_idx(list, i), e);
        if (!name)
            return err_wrap(e, "%s[%zu]", key, i);
        if (!seccomp_scmparch_known(name))
            return err_set(e, EINVAL, "%s[%zu]: unknown architecture %.64s", key, i, name);
        *found = *found || seccomp_scmparch_is(t->arch, name);
    }
    return 0;
}

static int archmap_check(json_object *o, const struct profile_target *t, bool *found, struct err *e)
{
    static const char *const keys[] = {"architecture", "subArchitectures", NULL};
    json_object *map = NULL;
    size_t n = 0;
    bool ignored = false;
    if (array_member(o, "archMap", ARCHES_MAX, &map, &n, e) < 0)
        return -e->code;
    for (size_t i = 0; i < n; i++) {
        json_object *row = json_object_array_get_idx(map, i);
        if (object_check(row, keys, e) < 0)
            return err_wrap(e, "archMap[%zu]", i);
        json_object *main = json_object_object_get(row, "architecture");
        const char *name = main ? string_value(main, e) : NULL;
        if (!main)
            (void)invalid(e, "is missing");
        if (!name)
            return err_wrap(e, "archMap[%zu].architecture", i);
        if (!seccomp_scmparch_known(name))
            return err_set(e, EINVAL, "archMap[%zu].architecture: unknown architecture %.64s", i, name);
        *found = *found || seccomp_scmparch_is(t->arch, name);
        if (scmparches_check(row, "subArchitectures", t, &ignored, e) < 0)
            return err_wrap(e, "archMap[%zu]", i);
    }
    return 0;
}

/* A profile that lists architectures must list the one that it is compiled for; the others never widen anything. */
static int architectures_check(json_object *root, const struct profile_target *t, struct err *e)
{
    json_object *list = json_object_object_get(root, "architectures"),
                *map = json_object_object_get(root, "archMap");
    bool found = false;
    if (scmparches_check(root, "architectures", t, &found, e) < 0 || archmap_check(root, t, &found, e) < 0)
        return -e->code;
    bool named = (list && json_object_array_length(list) > 0) || (map && json_object_array_length(map) > 0);
    if (named && !found)
        return err_set(e, EINVAL, "architectures: the profile is not for this architecture (%s)",
                       t->arch == SECCOMP_ARCH_AARCH64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64");
    return 0;
}

static int root_parse(struct rules *r, json_object *root, const struct profile_target *t, struct err *e)
{
    static const char *const keys[] = {"defaultAction", "defaultErrnoRet", "defaultErrno",
                                       "architectures", "archMap",         "syscalls",
                                       "flags",         "comment",         NULL};
    json_object *list = NULL;
    size_t n = 0;
    if (object_check(root, keys, e) < 0 ||
        action_member(root, "defaultAction", "defaultErrnoRet", "defaultErrno", &r->default_ret, e) < 0 ||
        architectures_check(root, t, e) < 0 || array_member(root, "flags", CONDITIONS_MAX, &list, &n, e) < 0)
        return -e->code;
    if (n > 0)
        return invalid(e, "flags: are not supported; remove them");
    if (array_member(root, "syscalls", RULES_MAX, &list, &n, e) < 0)
        return -e->code;
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

int profile_parse(const char *json, size_t len, const struct profile_target *t, struct rules **ret_rules,
                  struct err *e)
{
    _cleanup_(json_putp) json_object *root = NULL;
    int r = json_read(json, len, &root, e);
    if (r < 0)
        return err_wrap(e, "profile");
    _cleanup_free_ struct rules *rules = rules_new(t->arch);
    if (!rules)
        return err_oom(e);
    r = root_parse(rules, root, t, e);
    if (r < 0)
        return r;
    *ret_rules = steal_ptr(rules);
    return 0;
}
