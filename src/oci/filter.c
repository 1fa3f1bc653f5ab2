/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of linux.seccomp (create.h): compiled by casemate-seccomp, and kept by the digest of all that it was made from. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "base/dirs.h"
#include "base/json.h"
#include "base/path.h"
#include "oci/create.h"
#include "oci/practices.h"
#include "oci/rootless.h"
#include "runtime/filter_cache.h"

static int open_cache_in(const char *data_root, struct err *e)
{
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_errno(e, "open /");
    _cleanup_close_ int data = path_make_dirs_in_root(root, data_root, 0700, (uid_t)-1, (gid_t)-1, e);
    return data < 0 ? data : path_make_dir_at(data, "cache", 0700, e);
}

/* The same directory as the engine's (store/store.h). That is out of reach for the root of a user namespace, as Podman's: such a user's filters
 * are kept until the session ends, or not at all (-1 in *ret). */
static int open_cache(int *ret, struct err *e)
{
    const char *session = getenv("XDG_RUNTIME_DIR");
    _cleanup_free_ char *own = NULL;
    *ret = open_cache_in(dirs_data_root(), e);
    if (*ret >= 0 || !oci_is_rootless())
        return *ret < 0 ? *ret : 0;
    err_clear(e);
    int r = str_set(session) ? str_format(&own, e, "%s/casemate", session) : 0;
    *ret = r == 0 && own ? open_cache_in(own, e) : -1;
    if (r == 0)
        err_clear(e);
    return r;
}

/* The profile alone: what is not of the filter itself is the runtime's. */
static int profile_text(struct json_object *seccomp, struct json_object **ret, struct err *e)
{
    static const char *const not_profile[] = {"flags", "listenerPath", "listenerMetadata"};
    struct json_object *copy = NULL;
    if (json_object_deep_copy(seccomp, &copy, NULL) < 0)
        return err_oom(e);
    for (size_t i = 0; i < ARRAY_SIZE(not_profile); i++)
        json_object_object_del(copy, not_profile[i]);
    *ret = copy;
    return 0;
}

bool oci_filter_notifies(const struct filter *f)
{
    for (unsigned i = 0; f && i < f->len; i++)
        if (f->code[i].code == (BPF_RET | BPF_K) &&
            (f->code[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
            return true;
    return false;
}

/* Casemate's own filter for the capabilities that the container may have. */
static int own_filter(const struct oci_config *c, struct filter **ret, struct err *e)
{
    const struct schema_list *names = &c->process.capabilities.bounding;
    const struct filter *borrowed = NULL;
    struct filter *made = NULL;
    uint64_t set = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = *OCI_ITEM(names, char *, i);
        int n = cap_number(name, strlen(name));
        set |= n < 0 ? 0 : CAP_BIT(n);
    }
    _cleanup_close_ int cache = -1;
    int r = open_cache(&cache, e);
    if (r < 0)
        return r;
    r = filter_cache_ceiling(cache, set, &borrowed, &made, e);
    if (r < 0 || made) {
        *ret = made;
        return r;
    }
    struct filter *copy = malloc(sizeof(*copy));
    if (!copy)
        return err_oom(e);
    *copy = *borrowed; /* its code is part of the program */
    *ret = copy;
    return 0;
}

int oci_filter(const struct oci_config *c, struct filter **ret, struct err *e)
{
    _cleanup_json_ struct json_object *profile = NULL;
    *ret = NULL;
    if (!c->linux_part.seccomp_json)
        return oci_wants_own_filter(c) ? own_filter(c, ret, e) : 0;
    int r = profile_text(c->linux_part.seccomp_json, &profile, e);
    if (r < 0)
        return r;
    _cleanup_close_ int cache = -1;
    r = open_cache(&cache, e);
    if (r < 0)
        return r;
    const char *text = json_object_to_json_string_ext(profile, JSON_C_TO_STRING_NOSLASHESCAPE);
    _cleanup_free_ struct filter *f = NULL;
    r = filter_cache_runtime(cache, text, strlen(text), &f, e);
    if (r < 0)
        return err_wrap(e, "linux.seccomp");
    if (oci_filter_notifies(f) && !str_set(c->linux_part.seccomp.listener_path))
        return err_set(e, EINVAL, "linux.seccomp.listenerPath: is missing, and a rule says SCMP_ACT_NOTIFY");
    *ret = steal_ptr(f);
    return 0;
}
