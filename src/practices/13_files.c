/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 13, files and logs: a read-only root where asked for and in strict; logs outside of the container. */
#include <errno.h>

#include "practices/refuse.h"
#include "practices/registry.h"

#define SCRATCH_SIZE (UINT64_C(16) << 20)

static bool has_mount(const struct plan *p, const char *target)
{
    for (size_t i = 0; i < p->mount_count; i++)
        if (str_equal(p->mounts[i].target, target))
            return true;
    return false;
}

/* Where programs write without being told to, of a size that is no use for hiding things; what the user mounts there comes first. */
static int add_scratch(struct plan *p, struct err *e)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/run"};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (has_mount(p, places[i]))
            continue;
        struct plan_mount *m = plan_add_mount(p, PLAN_MOUNT_TMPFS, e);
        if (!m)
            return -e->code;
        m->size = SCRATCH_SIZE;
        int r = str_replace(&m->target, places[i], e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int apply(struct practice_run *run, struct err *e)
{
    bool strict = run->plan->profile == PLAN_STRICT;
    if (strict || run->policy->read_only)
        run->plan->read_only = true;
    return strict ? add_scratch(run->plan, e) : 0;
}

static int explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    char source[SUBJECT_SOURCE];
    int r = subject_mounts(s, &mounts, e);
    if (r < 0)
        return r;
    const struct mount_entry *root = mount_table_at(&mounts, "/");
    if (!root)
        return err_set(e, ENOENT, "the container has no root mount");
    bool read_only = mount_entry_has(root, "ro");
    enum evidence_state state = s->plan->read_only && !read_only ? EVIDENCE_BROKEN : EVIDENCE_HOLDS;
    return evidence_add(ret, 13, state, "root file system", subject_source(s, "mountinfo", source), e,
                        "%s, %s", root->type, read_only ? "read-only" : "writable layer of its own");
}

const struct practice practice_files = {
    .number = 13,
    .id = "files",
    .title = "files and logs",
    .what =
        "keeps logs outside of the container, an audit log that shows tampering, and the root file system "
        "read-only where that is wanted",
    .missing = "logs of containers are not chained against tampering",
    .apply = apply,
    .explain = explain,
};
