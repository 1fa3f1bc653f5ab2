/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a table of fields cannot say (config_tables.h): members that need each other or exclude each other. Each function judges one part
 * and names the field.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "oci/config_tables.h"
#include "oci/net_devices.h"

static int check_version(const struct oci_config *c, struct err *e)
{
    const char *rest = str_after(c->version, "1.");
    if (!rest || *rest < '0' || *rest > '9')
        return err_set(e, ENOTSUP,
                       "ociVersion: \"%s\" is not 1.x, the versions of the specification that are known",
                       c->version);
    return 0;
}

static int check_env(const struct oci_process *p, const char *name, struct err *e)
{
    for (size_t i = 0; i < p->env.count; i++) {
        const char *entry = *OCI_ITEM(&p->env, char *, i);
        if (*entry == '=' || !strchr(entry, '='))
            return err_set(e, EINVAL, "%senv[%zu]: \"%s\" is not NAME=VALUE", name, i, entry);
    }
    return 0;
}

static int check_rlimits(const struct oci_process *p, const char *name, struct err *e)
{
    for (size_t i = 0; i < p->rlimits.count; i++) {
        const struct oci_rlimit *l = OCI_ITEM(&p->rlimits, struct oci_rlimit, i);
        if (l->soft.value > l->hard.value)
            return err_set(e, EINVAL, "%srlimits[%zu].soft: is above the hard limit", name, i);
        for (size_t j = 0; j < i; j++)
            if (OCI_ITEM(&p->rlimits, struct oci_rlimit, j)->type == l->type)
                return err_set(e, EINVAL, "%srlimits[%zu].type: %s occurs twice", name, i,
                               schema_choice_name(oci_rlimit_types, l->type));
    }
    return 0;
}

/* sched_setattr(2): the three times are of the deadline policy, the priority is of the real-time policies. */
static int check_scheduler(const struct oci_process *p, const char *name, struct err *e)
{
    const struct oci_scheduler *s = &p->scheduler;
    bool real_time = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
    if (!s->set)
        return 0;
    if (s->policy != SCHED_DEADLINE && (s->runtime.set || s->deadline.set || s->period.set))
        return err_set(e, EINVAL, "%sscheduler: runtime, deadline and period are of SCHED_DEADLINE only",
                       name);
    if (s->priority.set && s->priority.value != 0 && !real_time)
        return err_set(e, EINVAL, "%sscheduler.priority: is of SCHED_FIFO and SCHED_RR only", name);
    if (s->nice.set && s->nice.value != 0 && (real_time || s->policy == SCHED_DEADLINE))
        return err_set(e, EINVAL, "%sscheduler.nice: is of SCHED_OTHER and SCHED_BATCH only", name);
    return 0;
}

int oci_process_check(const struct oci_process *p, const char *name, struct err *e)
{
    if (p->args.count == 0)
        return err_set(e, EINVAL, "%sargs: is missing", name);
    int r = check_env(p, name, e);
    if (r == 0)
        r = check_rlimits(p, name, e);
    return r == 0 ? check_scheduler(p, name, e) : r;
}

static int check_namespaces(const struct oci_config *c, struct err *e)
{
    const struct schema_list *all = &c->linux_part.namespaces;
    for (size_t i = 0; i < all->count; i++) {
        const struct oci_namespace *n = OCI_ITEM(all, struct oci_namespace, i);
        if (n->path && *n->path != '/')
            return err_set(e, EINVAL, "linux.namespaces[%zu].path: must be an absolute path", i);
        if (oci_config_namespace(c, n->type) != n)
            return err_set(e, EINVAL, "linux.namespaces[%zu].type: %s occurs twice", i,
                           schema_choice_name(oci_namespace_types, n->type));
    }
    return 0;
}

/* -EINVAL when a field that acts on a namespace is there, and the namespace is the host's. */
static int needs_namespace(const struct oci_config *c, bool there, const char *field, int type, struct err *e)
{
    if (!there || oci_config_namespace(c, type))
        return 0;
    return err_set(e, EINVAL,
                   "%s: needs a namespace of the type %s in linux.namespaces, it would change the host's",
                   field, schema_choice_name(oci_namespace_types, type));
}

static int check_owners_of_fields(const struct oci_config *c, struct err *e)
{
    const struct oci_linux *l = &c->linux_part;
    int r = needs_namespace(c, str_set(c->hostname), "hostname", CLONE_NEWUTS, e);
    if (r == 0)
        r = needs_namespace(c, str_set(c->domainname), "domainname", CLONE_NEWUTS, e);
    if (r == 0)
        r = needs_namespace(c, l->masked_paths.count > 0, "linux.maskedPaths", CLONE_NEWNS, e);
    if (r == 0)
        r = needs_namespace(c, l->readonly_paths.count > 0, "linux.readonlyPaths", CLONE_NEWNS, e);
    if (r == 0)
        r = needs_namespace(c, l->time_offsets.count > 0, "linux.timeOffsets", CLONE_NEWTIME, e);
    if (r == 0)
        r = needs_namespace(c, l->net_devices.count > 0, "linux.netDevices", CLONE_NEWNET, e);
    return r == 0 ? oci_net_devices_check(&l->net_devices, e) : r;
}

static int check_id_maps(const struct oci_config *c, struct err *e)
{
    const struct oci_linux *l = &c->linux_part;
    const struct oci_namespace *user = oci_config_namespace(c, CLONE_NEWUSER);
    bool mapped = l->uid_mappings.count > 0 || l->gid_mappings.count > 0;
    int r = needs_namespace(c, mapped, "linux.uidMappings", CLONE_NEWUSER, e);
    if (r < 0 || !user || str_set(user->path))
        return r;
    if (l->uid_mappings.count == 0 || l->gid_mappings.count == 0)
        return err_set(e, EINVAL, "linux.%s: is missing, and a new user namespace needs one",
                       l->uid_mappings.count == 0 ? "uidMappings" : "gidMappings");
    return 0;
}

/* Settings of a namespace, and those of the whole kernel, which nobody may set through a container. */
static int check_sysctl(const struct oci_config *c, const struct oci_pair *s, struct err *e)
{
    static const char *const ipc[] = {"kernel.msgmax",      "kernel.msgmnb",          "kernel.msgmni",
                                      "kernel.sem",         "kernel.shmall",          "kernel.shmmax",
                                      "kernel.shmmni",      "kernel.shm_rmid_forced", "kernel.msg_next_id",
                                      "kernel.sem_next_id", "kernel.shm_next_id"};
    char name[128];
    size_t length = strlen(s->key);
    if (length >= sizeof(name) || length == 0)
        return err_set(e, EINVAL, "linux.sysctl: \"%s\" is no name of a setting", s->key);
    /* Both spellings are in use: net.ipv4.ip_forward and net/ipv4/ip_forward. */
    for (size_t i = 0; i <= length; i++)
        name[i] = (char)(s->key[i] == '/' && !strchr(s->key, '.') ? '.' : s->key[i]);
    if (strstr(name, "..") || name[0] == '.' || name[0] == '/')
        return err_set(e, EINVAL, "linux.sysctl: \"%s\" is no name of a setting", s->key);
    int type = 0;
    for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
        type = str_equal(name, ipc[i]) ? CLONE_NEWIPC : type;
    if (str_after(name, "fs.mqueue."))
        type = CLONE_NEWIPC;
    else if (str_after(name, "net."))
        type = CLONE_NEWNET;
    else if (str_equal(name, "kernel.domainname") || str_equal(name, "kernel.hostname"))
        type = CLONE_NEWUTS;
    else if (str_after(name, "user."))
        type = CLONE_NEWUSER;
    if (type == 0)
        return err_set(e, EINVAL,
                       "linux.sysctl: \"%s\" is not a setting of a namespace: it would change the host's",
                       s->key);
    char field[192];
    (void)snprintf(field, sizeof(field), "linux.sysctl: \"%s\"", name);
    return needs_namespace(c, true, field, type, e);
}

static int check_mounts(const struct oci_config *c, struct err *e)
{
    for (size_t i = 0; i < c->mounts.count; i++) {
        const struct oci_mount *m = OCI_ITEM(&c->mounts, struct oci_mount, i);
        if ((m->uid_mappings.count > 0) != (m->gid_mappings.count > 0))
            return err_set(e, EINVAL, "mounts[%zu]: uidMappings and gidMappings come together", i);
    }
    return needs_namespace(c, c->mounts.count > 0, "mounts", CLONE_NEWNS, e);
}

static int check_devices(const struct oci_config *c, struct err *e)
{
    const struct schema_list *all = &c->linux_part.devices;
    for (size_t i = 0; i < all->count; i++) {
        const struct oci_device *d = OCI_ITEM(all, struct oci_device, i);
        if (d->type != S_IFIFO && (!d->major.set || !d->minor.set))
            return err_set(e, EINVAL, "linux.devices[%zu].%s: is missing", i,
                           d->major.set ? "minor" : "major");
    }
    const struct schema_list *rules = &c->linux_part.resources.devices;
    for (size_t i = 0; i < rules->count; i++) {
        const struct oci_device_rule *d = OCI_ITEM(rules, struct oci_device_rule, i);
        if (d->type && (strlen(d->type) != 1 || !strchr("abc", *d->type)))
            return err_set(e, EINVAL, "linux.resources.devices[%zu].type: must be a, b or c", i);
        if (d->access && d->access[strspn(d->access, "rwm")])
            return err_set(e, EINVAL, "linux.resources.devices[%zu].access: must be of r, w and m", i);
    }
    return 0;
}

static int check_time_offsets(const struct oci_config *c, struct err *e)
{
    const struct schema_list *all = &c->linux_part.time_offsets;
    for (size_t i = 0; i < all->count; i++) {
        const char *clock = OCI_ITEM(all, struct oci_time_offset, i)->key;
        if (!str_equal(clock, "monotonic") && !str_equal(clock, "boottime"))
            return err_set(
                e, EINVAL,
                "linux.timeOffsets.%s: is no clock of a time namespace; it can be monotonic, boottime",
                clock);
    }
    return 0;
}

static int check_unsupported(const struct oci_config *c, struct err *e)
{
    const struct oci_linux *l = &c->linux_part;
    if (l->intel_rdt)
        return err_set(e, ENOTSUP, "linux.intelRdt: is not supported");
    if (l->memory_policy)
        return err_set(e, ENOTSUP, "linux.memoryPolicy: is not supported");
    if (l->personality.flags.count > 0)
        return err_set(e, ENOTSUP, "linux.personality.flags: are not supported: the specification has none");
    if (l->seccomp.listener_metadata && !l->seccomp.listener_path)
        return err_set(e, EINVAL, "linux.seccomp.listenerMetadata: needs listenerPath");
    return 0;
}

int oci_config_check(const struct oci_config *c, struct err *e)
{
    int (*const checks[])(const struct oci_config *, struct err *) = {
        check_version, check_namespaces,   check_owners_of_fields, check_id_maps,
        check_mounts,  check_time_offsets, check_devices,          check_unsupported};
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        int r = checks[i](c, e);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < c->linux_part.sysctl.count; i++) {
        int r = check_sysctl(c, OCI_ITEM(&c->linux_part.sysctl, struct oci_pair, i), e);
        if (r < 0)
            return r;
    }
    return c->process.set ? oci_process_check(&c->process, "process.", e) : 0;
}
