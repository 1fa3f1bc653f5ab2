/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice 5, host isolation: namespaces of its own, ids of its own, masked /proc and /sys, and nothing of the host's that matters
 * as a bind. Those are the runtime's to make; what is decided here is which paths of the host and which settings a plan may name.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/identity.h"
#include "plan/sysctl.h"
#include "practices/bind_source.h"
#include "practices/device_directory.h"
#include "practices/device_judge.h"
#include "practices/refuse.h"
#include "practices/registry.h"

/*
 * A bind of an ordinary user's own file. The kernel does not let that user's engine show the owner as somebody else, so the container's
 * user is the owner by its id, where it can be: root inside stays nobody.
 */
static int apply_own_bind(struct practice_run *run, const struct plan_mount *m, struct err *e)
{
    struct stat st;
    uint32_t uid = 0, gid = 0;
    if (identity_maps_mounts() || stat(m->source, &st) < 0 || st.st_uid != geteuid())
        return 0;
    if (plan_user_numbers(run->plan, &uid, &gid) && uid != 0)
        return run_grant(run, 5, "--volume", e, "uid %u in the container is you on the host, the owner of %s",
                         uid, m->source);
    if (m->read_only ? st.st_mode & S_IROTH : st.st_mode & S_IWOTH)
        return 0;
    return run_note(
        run, e,
        "%s is yours, and root in the container is none of your ids: it may %s there only what others may; "
        "--user 1000 (any number but 0) makes that user the owner",
        m->source, m->read_only ? "read" : "write");
}

static int apply_bind(struct practice_run *run, struct plan_mount *m, struct err *e)
{
    const struct policy_right *right = NULL;
    int r = bind_source_judge(m->source, m->read_only, &run->rights, &right, e);
    if (r < 0)
        return r;
    if (run->plan->profile == PLAN_STRICT)
        m->noexec = true;
    r = apply_own_bind(run, m, e);
    return r == 0 && right ? run_grant(run, 5, right->source, e, "%s bind of %s",
                                       m->read_only ? "read-only" : "writable", m->source)
                           : r;
}

/* Of the host's namespaces only the network can be shared, and only by policy. */
static int apply_network(struct practice_run *run, struct err *e)
{
    const struct policy_right *right = run_right(run, POLICY_ALLOW_HOST_NAMESPACE, "network");
    if (!right)
        return refuse_by_policy(e, 5, "allow-host-namespace = network",
                                "--network host is refused: it opens the host's interfaces and all that "
                                "listens on its loopback");
    for (size_t i = 0; i < run->plan->sysctls.count; i++)
        if (str_after(run->plan->sysctls.items[i], "net."))
            return err_refuse(e, 5,
                              "--sysctl %s is refused with --network host: it is the host's own setting",
                              run->plan->sysctls.items[i]);
    return run_grant(run, 5, right->source, e, "the host's network");
}

static int apply_device(struct practice_run *run, char **entry, struct err *e)
{
    _cleanup_plan_device_ struct plan_device d = {0};
    _cleanup_free_ char *judged = NULL;
    const struct policy_right *right = NULL;
    int r = plan_device_parse(*entry, &d, e);
    if (r == 0)
        r = device_judge(&d, &run->rights, &right, e);
    if (r == 0)
        r = plan_device_format(&d, &judged, e);
    if (r < 0)
        return r;
    free(*entry);
    *entry = steal_ptr(judged);
    return run_grant(run, 5, right ? right->source : "--device", e, "device %s (%s%s)", d.source,
                     d.read ? "r" : "", d.write ? "w" : "");
}

/* Namespaces of another container: named, and so granted. */
static int apply_shared(struct practice_run *run, const char *mode, const char *flag, const char *what,
                        struct err *e)
{
    const char *other = mode ? str_after(mode, "container:") : NULL;
    return other ? run_grant(run, 5, flag, e, "%s and ids of container %.12s", what, other) : 0;
}

static int apply(struct practice_run *run, struct err *e)
{
    struct plan *p = run->plan;
    int r = plan_shares_network(p) ? apply_network(run, e) : 0;
    if (r == 0)
        r = apply_shared(run, p->pid_mode, "--pid", "processes", e);
    if (r == 0)
        r = apply_shared(run, p->ipc_mode, "--ipc", "IPC", e);
    for (size_t i = 0; i < p->mount_count && r == 0; i++)
        if (p->mounts[i].type == PLAN_MOUNT_BIND)
            r = apply_bind(run, &p->mounts[i], e);
    if (r == 0)
        r = device_expand(&p->devices, e);
    for (size_t i = 0; i < p->devices.count && r == 0; i++)
        r = apply_device(run, &p->devices.items[i], e);
    for (size_t i = 0; i < p->sysctls.count && r == 0; i++)
        r = sysctl_check(p->sysctls.items[i], e);
    return r;
}

const struct practice practice_isolation = {
    .number = 5,
    .id = "isolation",
    .title = "host isolation",
    .what = "gives a container namespaces and host ids of its own, and nothing of the host that matters",
    .missing = "there are no zones, and no stronger boundary than the kernel's",
    .apply = apply,
    .explain = isolation_explain,
};
