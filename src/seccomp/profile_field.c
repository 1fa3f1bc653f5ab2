/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a profile: types, actions, comparisons (profile_field.h). The text may be hostile. */
#include "seccomp/profile_field.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/cleanup.h"

#define ERRNO_MAX 4095       /* MAX_ERRNO of the kernel */
#define TRACE_DATA_MAX 65535 /* SECCOMP_RET_DATA */

int profile_invalid(struct err *e, const char *what)
{
    return err_set(e, EINVAL, "%s", what);
}

int profile_object(json_object *o, const char *const *known, bool strict, struct err *e)
{
    if (!json_object_is_type(o, json_type_object))
        return profile_invalid(e, "must be an object");
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        size_t i = 0;
        while (strict && known[i] && strcmp(known[i], key) != 0)
            i++;
        if (strict && !known[i])
            return err_set(e, EINVAL, "%.64s: unknown field", key);
    }
    return 0;
}

const char *profile_string(json_object *o, struct err *e)
{
    if (!json_object_is_type(o, json_type_string)) {
        (void)profile_invalid(e, "must be a string");
        return NULL;
    }
    const char *s = json_object_get_string(o);
    if (strlen(s) != (size_t)json_object_get_string_len(o)) {
        (void)profile_invalid(e, "contains a NUL byte");
        return NULL;
    }
    return s;
}

int profile_number(json_object *o, uint64_t max, uint64_t *ret_n, struct err *e)
{
    if (!json_object_is_type(o, json_type_int))
        return profile_invalid(e, "must be a whole number");
    if (json_object_get_int64(o) < 0)
        return profile_invalid(e, "must not be negative");
    uint64_t n = json_object_get_uint64(o);
    if (n > max)
        return err_set(e, EINVAL, "must be at most %llu", (unsigned long long)max);
    *ret_n = n;
    return 0;
}

int profile_array(json_object *o, const char *key, size_t max, json_object **ret_array, size_t *ret_n,
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

static int action_parse(json_object *o, bool runtime, uint32_t *ret_action, struct err *e)
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
        {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
    };
    const char *name = o ? profile_string(o, e) : NULL;
    if (!o)
        return profile_invalid(e, "is missing");
    if (!name)
        return -e->code;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i].name, name) == 0) {
            if (actions[i].ret == SECCOMP_RET_USER_NOTIF && !runtime)
                return profile_invalid(e, "SCMP_ACT_NOTIFY needs a listener, which is not supported");
            *ret_action = actions[i].ret;
            return 0;
        }
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
    const char *name = profile_string(o, e);
    if (!name)
        return -e->code;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i].name, name) == 0) {
            *ret_n = (uint64_t)known[i].number;
            return 0;
        }
    return err_set(e, EINVAL, "unknown error name %.32s", name);
}

/* What stands in the members of the data; both may be there when they agree. */
static int data_parse(json_object *o, const char *ret_key, const char *name_key, uint64_t max, bool runtime,
                      uint64_t *ret_data, bool *ret_given, struct err *e)
{
    uint64_t data = EPERM, named = 0;
    json_object *by_name = runtime ? NULL : json_object_object_get(o, name_key);
    json_object *by_number = json_object_object_get(o, ret_key);
    if (by_name && json_object_is_type(by_name, json_type_string) && json_object_get_string_len(by_name) == 0)
        by_name = NULL; /* written by tools that print every field */
    if (by_name && errno_name_parse(by_name, &named, e) < 0)
        return err_wrap(e, "%s", name_key);
    if (by_number && profile_number(by_number, max, &data, e) < 0)
        return err_wrap(e, "%s", ret_key);
    if (by_name && by_number && named != data)
        return err_set(e, EINVAL, "%s: contradicts %s", name_key, ret_key);
    *ret_data = by_name ? named : data;
    *ret_given = by_name || by_number;
    return 0;
}

int profile_action(json_object *o, const char *action_key, const char *ret_key, const char *name_key,
                   bool runtime, uint32_t *ret_ret, struct err *e)
{
    uint32_t action = 0;
    uint64_t data = 0;
    bool given = false;
    if (action_parse(json_object_object_get(o, action_key), runtime, &action, e) < 0)
        return err_wrap(e, "%s", action_key);
    uint64_t max = runtime && action == SECCOMP_RET_TRACE ? TRACE_DATA_MAX : ERRNO_MAX;
    bool takes_data = action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
    if (data_parse(o, ret_key, name_key, max, runtime, &data, &given, e) < 0)
        return -e->code;
    if (runtime && given && !takes_data)
        return err_set(e, EINVAL, "%s: is there, and this %s has no error number", ret_key, action_key);
    *ret_ret = action | (takes_data ? (uint32_t)data : 0);
    return 0;
}

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
        return profile_invalid(e, "is missing");
    const char *name = profile_string(o, e);
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
    if (v && profile_number(v, max, ret_n, e) < 0)
        return err_wrap(e, "%s", key);
    return 0;
}

static int arg_parse(json_object *o, bool runtime, struct rule_arg *ret_arg, struct err *e)
{
    static const char *const keys[] = {"index", "value", "valueTwo", "op", NULL};
    uint64_t index = 0;
    struct rule_arg a = {0};
    if (profile_object(o, keys, !runtime, e) < 0)
        return -e->code;
    if (!json_object_object_get(o, "index"))
        return profile_invalid(e, "index: is missing");
    if (!json_object_object_get(o, "value"))
        return profile_invalid(e, "value: is missing");
    if (number_member(o, "index", RULE_ARGS_MAX - 1, &index, e) < 0 ||
        number_member(o, "value", UINT64_MAX, &a.value, e) < 0 ||
        number_member(o, "valueTwo", UINT64_MAX, &a.value_two, e) < 0)
        return -e->code;
    a.index = (unsigned)index;
    if (op_parse(json_object_object_get(o, "op"), &a.op, e) < 0)
        return err_wrap(e, "op");
    if (a.op == RULE_OP_MASKED_EQ && runtime)
        a.value_two &= a.value; /* as libseccomp does */
    if (a.op == RULE_OP_MASKED_EQ && (a.value_two & ~a.value) != 0)
        return profile_invalid(e, "valueTwo: has bits outside the mask in value, so it never matches");
    *ret_arg = a;
    return 0;
}

int profile_args(json_object *entry, bool runtime, struct rule_arg *ret_args, unsigned *ret_n,
                 bool *ret_alternatives, struct err *e)
{
    json_object *list = NULL;
    size_t n = 0;
    unsigned seen = 0;
    if (profile_array(entry, "args", runtime ? PROFILE_ARGS_MAX : RULE_ARGS_MAX, &list, &n, e) < 0)
        return -e->code;
    *ret_alternatives = false;
    for (size_t i = 0; i < n; i++) {
        if (arg_parse(json_object_array_get_idx(list, i), runtime, &ret_args[i], e) < 0)
            return err_wrap(e, "args[%zu]", i);
        unsigned bit = 1U << ret_args[i].index;
        if ((seen & bit) && !runtime)
            return err_set(e, EINVAL, "args[%zu]: argument %u is compared twice; write two entries", i,
                           ret_args[i].index);
        *ret_alternatives = *ret_alternatives || (seen & bit);
        seen |= bit;
    }
    *ret_n = (unsigned)n;
    return 0;
}
