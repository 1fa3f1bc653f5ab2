/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing namespaces of another container (share.h). */
#include "engine/share.h"

#include <errno.h>

#include "base/identity.h"
#include "engine/first_process.h"
#include "engine/lock.h"
#include "store/idpool.h"

#define CONTAINER "container:"

static const char *other_of(const char *mode)
{
    return mode ? str_after(mode, CONTAINER) : NULL;
}

bool share_wanted(const struct plan *p)
{
    return other_of(p->pid_mode) || other_of(p->ipc_mode);
}

/* container:NAME -> container:ID */
static int resolve(const struct store *s, char **mode, bool ipc, struct err *e)
{
    _cleanup_container_ struct container c = CONTAINER_INIT;
    _cleanup_free_ char *text = NULL;
    if (!other_of(*mode))
        return 0;
    int r = container_find(s, other_of(*mode), &c, e);
    if (r < 0)
        return r;
    if (ipc && (!c.plan.ipc_mode || (!str_equal(c.plan.ipc_mode, "shareable") && !other_of(c.plan.ipc_mode))))
        return err_refuse(
            e, 5, "--ipc %s is refused: that container does not share its IPC; make it with --ipc shareable",
            *mode);
    r = str_format(&text, e, CONTAINER "%s", c.id);
    return r < 0 ? r : str_replace(mode, text, e);
}

int share_resolve(const struct store *s, struct plan *p, struct err *e)
{
    if (share_wanted(p) && identity_rootless())
        return err_set(e, ENOTSUP,
                       "--pid and --ipc container:NAME: only root's containers can share namespaces");
    int r = resolve(s, &p->pid_mode, false, e);
    return r < 0 ? r : resolve(s, &p->ipc_mode, true, e);
}

static int open_running(const struct store *s, const char *id, struct container *ret, struct err *e)
{
    int r = container_open(s, id, ret, e);
    if (r == 0 && ret->status != CONTAINER_RUNNING)
        r = err_set(e, ESRCH, "cannot join the namespaces of a container that does not run: %s",
                    ret->plan.name);
    return r;
}

/* Under the other one's lock: whoever releases it then sees who else has the block. */
static int join_block(const struct store *s, const struct container *c, const char *id, struct err *e)
{
    _cleanup_container_ struct container other = CONTAINER_INIT;
    int r = open_running(s, id, &other, e);
    _cleanup_close_ int lock = r < 0 ? r : lock_container(s, &other, e);
    if (lock < 0)
        return lock;
    r = container_refresh(&other, e);
    if (r == 0 && other.status != CONTAINER_RUNNING)
        r = err_set(e, ESRCH, "cannot join the namespaces of a container that does not run: %s",
                    other.plan.name);
    if (r == 0)
        r = idpool_join(s, other.start.block, c->id, e);
    return r < 0 ? r : (int)other.start.block;
}

int share_block(const struct store *s, const struct container *c, struct err *e)
{
    const char *pid = other_of(c->plan.pid_mode);
    return join_block(s, c, pid ? pid : other_of(c->plan.ipc_mode), e);
}

static int add(const struct store *s, const char *id, unsigned block, struct spec *spec, struct err *e)
{
    _cleanup_container_ struct container other = CONTAINER_INIT;
    int r = open_running(s, id, &other, e);
    if (r < 0)
        return r;
    if (other.start.block != block)
        return err_set(
            e, EPERM,
            "--pid and --ipc name containers with ids of their own: a container can share those of one only");
    close_fd(&spec->join);
    spec->join = first_process_open(&other, e);
    return spec->join < 0 ? spec->join : 0;
}

int share_compose(const struct store *s, const struct plan *p, unsigned block, struct spec *spec,
                  struct err *e)
{
    const char *pid = other_of(p->pid_mode);
    const char *ipc = other_of(p->ipc_mode);
    spec->share_pid = pid;
    spec->share_ipc = ipc;
    if (pid && ipc && !str_equal(pid, ipc))
        return err_set(e, ENOTSUP, "--pid and --ipc of two containers are not supported: name the same one");
    return pid || ipc ? add(s, pid ? pid : ipc, block, spec, e) : 0;
}
