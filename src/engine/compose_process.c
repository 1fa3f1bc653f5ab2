/* SPDX-License-Identifier: Apache-2.0 */
/* The privileges of a process (compose.h): the same for the first one and for exec. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "engine/compose.h"
#include "engine/compose_filters.h"

/* Docker's names (getrlimit(2) without RLIMIT_). */
static const struct {
    const char *name;
    int resource;
} ulimits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

static rlim_t to_rlim(uint64_t value)
{
    return value == PLAN_UNLIMITED ? RLIM_INFINITY : (rlim_t)value;
}

static int add_rlimits(const struct plan *p, struct spec_process *ret, struct err *e)
{
    for (size_t i = 0; i < p->ulimit_count; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(ulimits) && !str_equal(ulimits[k].name, p->ulimits[i].name))
            k++;
        if (k == ARRAY_SIZE(ulimits))
            return err_set(e, EINVAL, "ulimit '%s' is not known", p->ulimits[i].name);
        if (ret->rlimit_count == ARRAY_SIZE(ret->rlimits))
            return err_set(e, E2BIG, "too many ulimits");
        ret->rlimits[ret->rlimit_count++] = (struct spec_rlimit){
            .resource = ulimits[k].resource,
            .limit = {.rlim_cur = to_rlim(p->ulimits[i].soft), .rlim_max = to_rlim(p->ulimits[i].hard)},
        };
    }
    return 0;
}

static bool has_rlimit(const struct spec_process *p, int resource)
{
    for (size_t i = 0; i < p->rlimit_count; i++)
        if (p->rlimits[i].resource == resource)
            return true;
    return false;
}

/* Processes are counted by user as it is (practices/04_limits.c). Data, not address space, of which many programs reserve more. */
void compose_stand_in(const struct plan *p, const struct cgroup *group, struct spec_process *ret)
{
    if (p->memory == PLAN_UNSET || p->memory == PLAN_UNLIMITED || cgroup_limits(group, CGROUP_MEMORY) ||
        has_rlimit(ret, RLIMIT_DATA) || ret->rlimit_count == ARRAY_SIZE(ret->rlimits))
        return;
    const struct rlimit limit = {(rlim_t)p->memory, (rlim_t)p->memory};
    ret->rlimits[ret->rlimit_count++] = (struct spec_rlimit){.resource = RLIMIT_DATA, .limit = limit};
}

static int add_environment(const struct container *c, struct spec_process *ret, struct err *e)
{
    const struct plan *p = &c->plan;
    int r = str_list_copy(&p->env, &ret->env, e);
    if (r == 0 && !str_list_env(&ret->env, "HOSTNAME"))
        r = p->hostname ? str_list_addf(&ret->env, e, "HOSTNAME=%s", p->hostname)
                        : str_list_addf(&ret->env, e, "HOSTNAME=%.*s", ID_SHORT_LENGTH, c->id);
    if (r == 0 && p->tty && !str_list_env(&ret->env, "TERM"))
        r = str_list_add(&ret->env, "TERM=xterm", e);
    return r;
}

static int add_arguments(const struct plan *p, struct spec_process *ret, struct err *e)
{
    int r = str_list_copy(&p->entrypoint, &ret->args, e);
    for (size_t i = 0; i < p->command.count && r == 0; i++)
        r = str_list_add(&ret->args, p->command.items[i], e);
    return r;
}

/* A writable bind of root's own files: no set-id bits on them, by the first process and by exec alike. A source that cannot be looked
 * at counts as root's; the first start decides again on the descriptor that it mounts (compose.c). */
static int add_bind_filters(const struct plan *p, struct spec_process *ret, struct err *e)
{
    for (size_t i = 0; i < p->mount_count; i++) {
        struct stat st;
        const struct plan_mount *m = &p->mounts[i];
        if (m->type == PLAN_MOUNT_BIND && !m->read_only && (stat(m->source, &st) < 0 || st.st_uid == 0))
            return compose_deny_setid(ret, e);
    }
    return 0;
}

int compose_process(const struct store *s, const struct container *c, struct spec_process *ret, struct err *e)
{
    const struct plan *p = &c->plan;
    struct spec_process process;
    spec_process_init(&process);
    process.capabilities = p->capabilities;
    process.terminal = p->tty;
    process.landlock = true;
    process.outside_sockets = plan_shares_network(p);
    process.root_read_only = p->read_only;
    int r = add_arguments(p, &process, e);
    if (r == 0)
        r = add_environment(c, &process, e);
    if (r == 0)
        r = str_copy(p->working_dir, &process.cwd, e);
    if (r == 0)
        r = str_copy(p->user, &process.user, e);
    if (r == 0)
        r = str_list_copy(&p->group_add, &process.groups, e);
    if (r == 0)
        r = add_rlimits(p, &process, e);
    if (r == 0)
        r = compose_filters(s, p, &process, e);
    if (r == 0)
        r = add_bind_filters(p, &process, e);
    if (r < 0) {
        spec_process_clear(&process);
        return r;
    }
    *ret = process;
    return 0;
}
