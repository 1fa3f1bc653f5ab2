/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an entry of a profile is for this machine and these capabilities (profile_field.h). */
#include "seccomp/profile_field.h"

#include <errno.h>
#include <string.h>

#include "base/capname.h"

/* "4.8" or "5.10.3" against the kernel of the target. */
static int min_kernel_holds(json_object *o, const struct profile_target *t, bool *ret_holds, struct err *e)
{
    const char *s = profile_string(o, e);
    unsigned major = 0, minor = 0, digits = 0;
    if (!s)
        return -e->code;
    for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
        major = major * 10 + (unsigned)(*s - '0');
    if (digits == 0 || *s != '.')
        return profile_invalid(e, "must be a kernel version such as 4.8");
    for (s++, digits = 0; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
        minor = minor * 10 + (unsigned)(*s - '0');
    if (digits == 0 || (*s != '\0' && *s != '.'))
        return profile_invalid(e, "must be a kernel version such as 4.8");
    if (t->kernel_version == 0)
        return profile_invalid(e, "cannot be used in a profile that is compiled ahead");
    *ret_holds = t->kernel_version >= major * 1000 + minor;
    return 0;
}

/* Whether all (or any, as `all` says) of the listed capabilities are granted. An empty list says nothing: *ret_n is 0. */
static int caps_match(struct rules *r, json_object *cond, const struct profile_target *t, bool all,
                      bool *ret_match, size_t *ret_n, struct err *e)
{
    json_object *list = NULL;
    if (profile_array(cond, "caps", PROFILE_CONDITIONS_MAX, &list, ret_n, e) < 0)
        return -e->code;
    bool match = all;
    for (size_t i = 0; i < *ret_n; i++) {
        const char *name = profile_string(json_object_array_get_idx(list, i), e);
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
    if (profile_array(cond, "arches", PROFILE_CONDITIONS_MAX, &list, ret_n, e) < 0)
        return -e->code;
    bool match = false;
    for (size_t i = 0; i < *ret_n; i++) {
        const char *name = profile_string(json_object_array_get_idx(list, i), e);
        if (!name)
            return err_wrap(e, "arches[%zu]", i);
        if (!seccomp_goarch_known(name))
            return err_set(e, EINVAL, "arches[%zu]: unknown architecture %.64s", i, name);
        match = match || seccomp_goarch_is(t->arch, name);
    }
    *ret_match = match;
    return 0;
}

int profile_condition(struct rules *r, json_object *entry, const char *key, bool include,
                      const struct profile_target *t, bool *ret_use, struct err *e)
{
    static const char *const keys[] = {"caps", "arches", "minKernel", NULL};
    json_object *cond = json_object_object_get(entry, key);
    *ret_use = true;
    if (!cond)
        return 0;
    bool caps = false, arches = false, kernel = false;
    size_t n_caps = 0, n_arches = 0;
    if (profile_object(cond, keys, true, e) < 0 || caps_match(r, cond, t, include, &caps, &n_caps, e) < 0 ||
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
