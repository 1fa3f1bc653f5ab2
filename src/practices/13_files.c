/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 13, files and logs: a read-only root where asked for and in strict; logs outside of the container. */
#include <errno.h>

#include "base/num.h"
#include "plan/log_options.h"
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

/* Beyond the policy's size: an explicit flag, and recorded. */
static int apply_size(struct practice_run *run, const struct log_options *o, struct err *e)
{
    struct plan *p = run->plan;
    const struct policy *policy = run->policy;
    char asked[SIZE_TEXT];
    uint64_t total;
    p->log_size = o->size == PLAN_UNSET ? policy->log_size : o->size;
    p->log_files = o->files == PLAN_UNSET ? policy->log_files : o->files;
    if (num_mul_overflows(p->log_size, p->log_files, &total))
        return err_set(e, EINVAL, "--log-opt: a log of that size is not possible");
    if (total <= policy->log_size * policy->log_files)
        return 0;
    size_text(total, asked);
    return run_grant(run, 13, "--log-opt", e, "a log of %s", asked);
}

static int apply_log(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    struct log_options o = {0};
    bool asked = p->log_driver != NULL;
    int r =
        asked ? 0
              : str_copy(run->policy->log_driver ? run->policy->log_driver : "json-file", &p->log_driver, e);
    if (r == 0 && (r = log_options_parse(p->log_driver, &p->log_options, &o, e)) < 0)
        return err_wrap(e, "--log-opt");
    if (r < 0)
        return r;
    p->log_forget = !run->policy->removed_logs;
    if (o.driver == LOG_NONE)
        return run_grant(run, 13, asked ? "--log-driver" : "policy: log-driver", e,
                         "output that is not logged");
    return apply_size(run, &o, e);
}

static int apply(struct practice_run *run, struct err *e)
{
    bool strict = run->plan->profile == PLAN_STRICT;
    if (strict || run->policy->read_only)
        run->plan->read_only = true;
    int r = apply_log(run, e);
    return r == 0 && strict ? add_scratch(run->plan, e) : r;
}

static int explain_log(const struct subject *s, struct evidence *ret, struct err *e)
{
    char size[SIZE_TEXT];
    const struct plan *p = s->plan;
    if (p->log_driver && str_equal(p->log_driver, "none"))
        return evidence_add(ret, 13, EVIDENCE_GRANTED, "log", "plan", e, "none: output is not kept");
    size_text(p->log_size == PLAN_UNSET ? LOG_SIZE_DEFAULT : p->log_size, size);
    return evidence_add(ret, 13, EVIDENCE_HOLDS, "log", "plan", e, "%s, %llu files of %s, chained by hashes",
                        p->log_driver ? p->log_driver : "json-file",
                        (unsigned long long)(p->log_files == PLAN_UNSET ? LOG_FILES_DEFAULT : p->log_files),
                        size);
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
    r = evidence_add(ret, 13, state, "root file system", subject_source(s, "mountinfo", source), e, "%s, %s",
                     root->type, read_only ? "read-only" : "writable layer of its own");
    return r < 0 ? r : explain_log(s, ret, e);
}

const struct practice practice_files = {
    .number = 13,
    .id = "files",
    .title = "files and logs",
    .what = "keeps logs outside of the container, bounded and beyond its removal, shows tampering with them "
            "and with "
            "the audit log, and makes the root file system read-only where that is wanted",
    .apply = apply,
    .explain = explain,
};
