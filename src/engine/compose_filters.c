/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and LSM profile of a process (compose_filters.h). */
#include "engine/compose_filters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>

#include "base/capname.h"
#include "base/io.h"
#include "runtime/filter_cache.h"

#define APPARMOR_PROFILE "casemate-container"
#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"
#define APPARMOR_PROFILES_MAX (4U << 20)

static int add_filter(struct spec_process *p, const struct filter *f, struct err *e)
{
    for (size_t i = 0; i < p->filter_count; i++)
        if (p->filters[i] == f)
            return 0;
    if (p->filter_count == SPEC_FILTERS_MAX)
        return err_set(e, E2BIG, "more than %d system call filters", SPEC_FILTERS_MAX);
    p->filters[p->filter_count++] = f;
    return 0;
}

static int add_named(struct spec_process *p, const char *name, struct err *e)
{
    const struct filter *f = filter_find(name);
    return f ? add_filter(p, f, e) : err_set(e, ENOENT, "system call filter '%s' is not built in", name);
}

/* With SETFCAP the ceiling opens extended attributes, file capabilities among them: then the filter closes those too. */
int compose_deny_setid(struct spec_process *p, struct err *e)
{
    bool setfcap = p->capabilities & CAP_BIT(CAP_SETFCAP);
    return add_named(p, setfcap ? "deny-setid-bits-setfcap" : "deny-setid-bits", e);
}

int compose_check_filters(const struct store *s, const struct plan *p, struct err *e)
{
    _cleanup_free_ struct filter *unused = NULL;
    const char *text = p->seccomp_profile;
    return text ? filter_cache_profile(s->cache, p->capabilities, text, strlen(text), true, &unused, e) : 0;
}

/* The shipped profile is loaded by the installation; where AppArmor is off or the profile is not loaded, explain says so. */
static bool apparmor_ready(void)
{
    _cleanup_buf_ struct buf loaded = {0};
    struct err ignored = {0};
    return io_read_path(APPARMOR_PROFILES, APPARMOR_PROFILES_MAX, &loaded, &ignored) == 0 && loaded.data &&
           strstr(loaded.data, APPARMOR_PROFILE " (");
}

int compose_filters(const struct store *s, const struct plan *p, struct spec_process *ret, struct err *e)
{
    const struct filter *ceiling = NULL;
    int r = filter_cache_ceiling(s->cache, p->capabilities, &ceiling, &ret->made_ceiling, e);
    if (r == 0)
        r = add_filter(ret, ceiling, e);
    if (r == 0 && p->seccomp_profile)
        r = filter_cache_profile(s->cache, p->capabilities, p->seccomp_profile, strlen(p->seccomp_profile),
                                 false, &ret->own_filter, e);
    if (r == 0 && p->apparmor_profile)
        r = str_copy(p->apparmor_profile, &ret->apparmor, e);
    else if (r == 0 && apparmor_ready())
        r = str_copy(APPARMOR_PROFILE, &ret->apparmor, e);
    return r;
}
