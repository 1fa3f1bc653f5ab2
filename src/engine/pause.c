/* SPDX-License-Identifier: Apache-2.0 */
/* casemate pause and unpause (pause.h). */
#include "engine/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/audit_log.h"
#include "engine/events.h"
#include "engine/lock.h"
#include "engine/observe.h"
#include "engine/tend.h"
#include "runtime/cgroup_state.h"

bool pause_holds(const struct container *c)
{
    struct err ignored = {0};
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    return faccessat(c->dir, PAUSED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
           cgroup_open(observe_cgroup_parent(), c->id, &g, &ignored) == 0 && cgroup_is_frozen(&g);
}

void pause_forget(const struct container *c)
{
    (void)unlinkat(c->dir, PAUSED_FILE, 0);
}

void pause_end(const struct container *c)
{
    if (!pause_holds(c))
        return;
    cgroup_thaw(observe_cgroup_parent(), c->id);
    pause_forget(c);
}

static int freeze(const struct container *c, bool frozen, struct err *e)
{
    _cleanup_cgroup_ struct cgroup g = CGROUP_INIT;
    int r = cgroup_open(observe_cgroup_parent(), c->id, &g, e);
    if (r == 0)
        r = cgroup_need(&g, e);
    return r < 0 ? r : cgroup_freeze(&g, frozen, e);
}

/* The file first: a command that is killed in between leaves a container that unpause can wake. */
int pause_container(const struct store *s, struct container *c, struct err *e)
{
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0)
        return r;
    if (c->status != CONTAINER_RUNNING)
        return err_set(e, ESRCH, "Container %.12s is not running", c->id);
    if (c->paused)
        return err_set(e, EALREADY, "Container %s is already paused", c->plan.name);
    _cleanup_close_ int mark = openat(c->dir, PAUSED_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (mark < 0)
        return err_errno(e, "container %.12s", c->id);
    r = freeze(c, true, e);
    if (r < 0) {
        pause_forget(c);
        return r;
    }
    audit_note_container(s, AUDIT_PAUSE, &c->plan, NULL);
    events_container(s, &c->plan, "pause", NULL, 0);
    return 0;
}

int unpause_container(const struct store *s, struct container *c, struct err *e)
{
    _cleanup_close_ int lock = lock_container(s, c, e);
    int r = lock < 0 ? lock : container_refresh(c, e);
    if (r < 0)
        return r;
    if (c->status != CONTAINER_RUNNING || !c->paused)
        return err_set(e, EINVAL, "Container %s is not paused", c->plan.name);
    r = freeze(c, false, e);
    if (r < 0)
        return r;
    pause_forget(c);
    tend_nudge(s, c); /* health checks go on */
    audit_note_container(s, AUDIT_UNPAUSE, &c->plan, NULL);
    events_container(s, &c->plan, "unpause", NULL, 0);
    return 0;
}
