/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container (lifecycle.h): built aside in staging/, then given its name and its place in one locked step. A command that is
 * killed before leaves a staging directory, one that is killed between name and place leaves a name that the next
 * claim takes over.
 */
#include "engine/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/audit_log.h"
#include "engine/compose_filters.h"
#include "engine/create_volumes.h"
#include "engine/disk_limit.h"
#include "engine/events.h"
#include "engine/lock.h"
#include "engine/mark.h"
#include "engine/mend.h"
#include "engine/merge.h"
#include "engine/names.h"
#include "engine/rename.h"
#include "engine/share.h"
#include "engine/volumes_from.h"
#include "plan/policy.h"
#include "practices/practice.h"

/* The writable directory of the overlay, in the neutral range: idmapped mounts show it in the container's own ids. */
static int make_writable(int dir, struct err *e)
{
    _cleanup_close_ int rw = path_make_dir_at(dir, "rw", 0700, e);
    _cleanup_close_ int upper = rw < 0 ? rw : path_make_dir_at(rw, "upper", 0755, e);
    _cleanup_close_ int work = upper < 0 ? upper : path_make_dir_at(rw, "work", 0700, e);
    if (work < 0)
        return work;
    const int all[] = {rw, upper, work};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (fchown(all[i], IDS_NEUTRAL, IDS_NEUTRAL) < 0)
            return err_errno(e, "give the writable layer to the neutral range");
    return fchmod(upper, 0755) < 0 ? err_errno(e, "writable layer") : 0;
}

static int limit_writable(const struct store *s, const struct plan *p, int dir, struct disk_claim *ret,
                          struct err *e)
{
    _cleanup_close_ int rw = path_open_dir_at(dir, "rw", e);
    return rw < 0 ? rw : disk_limit_container(s, p, rw, ret, e);
}

/* A --rm container need not outlive a crash of the machine; every other plan is on the disk before its name is. */
static int write_plan(int dir, const struct plan *p, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    int r = plan_to_json(p, &o, e);
    if (r < 0)
        return r;
    size_t length = 0;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &length);
    return text ? io_replace_file_at(dir, "plan.json", text, length, 0600, !p->auto_remove, e) : err_oom(e);
}

static int place(const struct store *s, struct plan *p, int dir, const char *staging, struct err *e)
{
    _cleanup_close_ int lock = names_lock(s, e);
    if (lock < 0)
        return lock;
    int r = p->name ? names_claim(s, p->name, p->id, e) : names_claim_random(s, p->id, &p->name, e);
    if (r < 0)
        return r;
    r = write_plan(dir, p, e);
    if (r == 0 && renameat2(s->staging, staging, s->containers, p->id, RENAME_NOREPLACE) < 0)
        r = err_errno(e, "place the container's directory");
    if (r < 0)
        names_release(s, p->name, p->id);
    return r;
}

static int build(const struct store *s, struct plan *p, int *ret_waiter, struct err *e)
{
    char staging[STORE_STAGING_NAME_MAX];
    _cleanup_close_ int dir = store_staging_make(s, staging, e);
    if (dir < 0)
        return dir;
    _cleanup_disk_claim_ struct disk_claim claim = DISK_CLAIM_INIT;
    int r = make_writable(dir, e);
    if (r == 0)
        r = limit_writable(s, p, dir, &claim, e);
    if (r == 0) {
        _cleanup_close_ int shim = path_make_dir_at(dir, "shim", 0700, e);
        r = shim < 0 ? shim : 0;
    }
    if (r == 0 && fchmod(dir, 0711) < 0) /* the shim passes through to its own directory */
        r = err_errno(e, "container directory");
    _cleanup_close_ int waiter = -1;
    if (r == 0 && ret_waiter)
        r = waiter = lock_waiter_at(dir, e);
    if (r >= 0 && ret_waiter && p->auto_remove)
        r = mark_make(s, MARK_STARTING, p->id, e);
    if (r >= 0)
        r = place(s, p, dir, staging, e);
    if (r == 0 && ret_waiter)
        *ret_waiter = steal_fd(&waiter);
    if (r < 0) {
        struct err ignored = {0};
        (void)path_remove_tree_at(s->staging, staging, &ignored);
        quota_release(s, claim.project);
    }
    return r;
}

int lifecycle_create(const struct store *s, struct plan *plan, const struct image *image, int *ret_waiter,
                     struct err *e)
{
    _cleanup_policy_ struct policy policy = {0};
    mend_ended(s);
    int r = plan->name ? rename_check(plan->name, e) : 0;
    if (r == 0)
        r = volumes_from_merge(s, plan, e);
    if (r == 0)
        r = merge_image(plan, image, e);
    if (r == 0)
        r = share_resolve(s, plan, e);
    if (r == 0)
        r = policy_load(&policy, e);
    if (r == 0)
        r = practices_apply_all(plan, image, &policy, e);
    if (r == 0)
        r = compose_check_filters(s, plan, e);
    memcpy(plan->image_id, image->id, sizeof(plan->image_id));
    if (r < 0)
        audit_note_refusal(s, plan, e);
    if (r == 0)
        r = id_random(plan->id, e);
    if (r == 0)
        r = audit_log_grants(s, plan, e); /* nothing that relaxes a default exists before its record does */
    if (r < 0)
        return r;
    plan->created = clock_now();
    plan->owner = audit_user_self();
    _cleanup_create_volumes_ struct create_volumes volumes = {0};
    r = create_volumes(s, plan, &volumes, e);
    if (r == 0)
        r = build(s, plan, ret_waiter, e);
    create_volumes_end(&volumes, plan->id, r == 0);
    if (r == 0)
        audit_note_container(s, AUDIT_CREATE, plan, plan->image_reference);
    if (r == 0)
        events_container(s, plan, "create", NULL, 0);
    return r;
}
