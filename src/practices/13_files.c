/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 13, files and logs: a read-only root where asked for and in strict; logs outside of the container. */
#include <errno.h>

#include "practices/refuse.h"
#include "practices/registry.h"

static int apply(struct practice_run *run, struct err *e)
{
    (void)e;
    if (run->plan->profile == PLAN_STRICT || run->policy->read_only)
        run->plan->read_only = true;
    return 0;
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
