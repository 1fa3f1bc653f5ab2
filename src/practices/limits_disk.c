/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 4's disk: how much the writable layer of a container may hold, and as evidence what the kernel's project quota has for it and for
 * its volumes. Where the file system of the data root has no such quotas nothing is limited, and that is what is said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/dirs.h"
#include "practices/refuse.h"
#include "practices/registry.h"
#include "store/quota.h"

#define DISK_LEAST (UINT64_C(1) << 20)
#define PATH_TEXT 4096

static int refuse_unlimited(struct practice_run *run, uint64_t *limit, const char *what, struct err *e)
{
    const struct policy_right *right = run_right(run, POLICY_ALLOW_UNLIMITED, "disk");
    if (!right)
        return refuse_by_policy(e, 4, "allow-unlimited = disk",
                                "--storage-opt without a limit is refused: name one");
    *limit = PLAN_UNSET;
    return run_grant(run, 4, right->source, e, "%s", what);
}

int limits_apply_disk(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    char size[SIZE_TEXT];
    int r = 0;
    if (p->disk == PLAN_UNLIMITED) {
        r = refuse_unlimited(run, &p->disk, "unlimited disk", e);
    } else if (p->disk == PLAN_UNSET) {
        p->disk = run->policy->disk;
    } else if (p->disk < DISK_LEAST) {
        return err_set(e, EINVAL, "--storage-opt size=: the least is 1 MiB");
    } else if (p->disk > run->policy->disk) {
        size_text(p->disk, size);
        r = run_grant(run, 4, "--storage-opt size", e, "disk %s", size);
    }
    if (r < 0)
        return r;
    if (p->disk_inodes == PLAN_UNLIMITED)
        return refuse_unlimited(run, &p->disk_inodes, "unlimited files", e);
    if (p->disk_inodes == PLAN_UNSET)
        p->disk_inodes = run->policy->disk_inodes;
    else if (p->disk_inodes > run->policy->disk_inodes)
        r = run_grant(run, 4, "--storage-opt inodes", e, "%llu files", (unsigned long long)p->disk_inodes);
    return r;
}

static void describe(const struct quota_state *q, char *ret, size_t size)
{
    char bytes[SIZE_TEXT] = "any size";
    char used[SIZE_TEXT];
    char files[40] = "any number of";
    size_text(q->bytes, used);
    if (q->limit.bytes != QUOTA_NONE)
        size_text(q->limit.bytes, bytes);
    if (q->limit.inodes != QUOTA_NONE)
        (void)snprintf(files, sizeof(files), "%llu", (unsigned long long)q->limit.inodes);
    (void)snprintf(ret, size, "%s and %s files, in use %s and %llu", bytes, files, used,
                   (unsigned long long)q->inodes);
}

/* `planned`: what the kernel must have at most; PLAN_UNSET: anything. `granted`: no limit was asked for. */
static int explain_directory(const char *path, const char *what, uint64_t planned, bool granted,
                             struct evidence *ret, struct err *e)
{
    struct quota_state q;
    struct err why = {0};
    char text[256];
    _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return evidence_add(ret, 4, EVIDENCE_UNKNOWN, what, path, e, "%s", strerrordesc_np(errno));
    if (quota_probe(fd, &why) < 0)
        return evidence_add(ret, 4, EVIDENCE_NOT_ENFORCED, what, path, e, "not limited: %s", why.text);
    int r = quota_read(fd, &q, e);
    if (r < 0)
        return r;
    if (q.project == 0 || (q.limit.bytes == QUOTA_NONE && q.limit.inodes == QUOTA_NONE))
        return evidence_add(ret, 4, granted ? EVIDENCE_GRANTED : EVIDENCE_NOT_ENFORCED, what, path, e,
                            "not limited%s", granted ? "" : ": made before there were quotas");
    describe(&q, text, sizeof(text));
    bool loose = planned != PLAN_UNSET && q.limit.bytes > planned;
    return evidence_add(ret, 4, loose ? EVIDENCE_BROKEN : EVIDENCE_HOLDS, what, path, e, "%s", text);
}

static int explain_volume(const struct plan_mount *m, struct evidence *ret, struct err *e)
{
    char path[PATH_TEXT], what[PLAN_NAME_MAX + 24];
    (void)snprintf(path, sizeof(path), "%s/volumes/%s/data", dirs_data_root(), m->source);
    (void)snprintf(what, sizeof(what), "disk of volume %s%.12s%s", m->anonymous ? "" : m->source,
                   m->anonymous ? m->source : "", m->anonymous ? "…" : "");
    return explain_directory(path, what, PLAN_UNSET, false, ret, e);
}

int limits_explain_disk(const struct subject *s, struct evidence *ret, struct err *e)
{
    char path[PATH_TEXT];
    (void)snprintf(path, sizeof(path), "%s/containers/%s/rw/upper", dirs_data_root(), s->plan->id);
    int r = explain_directory(path, "disk", s->plan->disk, s->plan->disk == PLAN_UNSET, ret, e);
    for (size_t i = 0; i < s->plan->mount_count && r == 0; i++)
        if (s->plan->mounts[i].type == PLAN_MOUNT_VOLUME && s->plan->mounts[i].source)
            r = explain_volume(&s->plan->mounts[i], ret, e);
    return r;
}
