/* SPDX-License-Identifier: Apache-2.0 */
/* What the practices refuse of a bundle (practices_judge.h): ways to the host that no setting makes harmless. */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "oci/practices_judge.h"
#include "practices/bind_source.h"
#include "practices/common.h"

static bool is_hosts(const struct oci_namespace *n, const char *file)
{
    char own[48];
    struct stat theirs, ours;
    (void)snprintf(own, sizeof(own), "/proc/self/ns/%s", file);
    return !n || (str_set(n->path) && stat(n->path, &theirs) == 0 && stat(own, &ours) == 0 &&
                  theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev);
}

int judge_namespaces(struct judge *j, struct err *e)
{
    static const struct {
        int type, practice;
        const char *value, *file, *what;
    } all[] = {
        {CLONE_NEWNET, 3, "network", "net", "it shares the host's network"},
        {CLONE_NEWPID, 5, "pid", "pid", "it sees the host's processes"},
        {CLONE_NEWNS, 5, "mount", "mnt", "it has the host's file systems"},
        {CLONE_NEWIPC, 5, "ipc", "ipc", "it shares the host's shared memory and queues"},
        {CLONE_NEWUTS, 5, "uts", "uts", "it shares the host's name"},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all) && r == 0; i++)
        if (is_hosts(oci_config_namespace(j->c, all[i].type), all[i].file) &&
            !judge_has_right(j, all[i].practice, POLICY_ALLOW_HOST_NAMESPACE, all[i].value, all[i].what))
            r = judge_refuse(j, all[i].practice, "host-namespace", all[i].value, all[i].what, e);
    return r;
}

static uint64_t asked_for(const struct oci_capabilities *c)
{
    const struct schema_list *sets[] = {&c->bounding, &c->effective, &c->permitted, &c->inheritable,
                                        &c->ambient};
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        for (size_t k = 0; k < sets[i]->count; k++) {
            const char *name = *OCI_ITEM(sets[i], char *, k);
            int n = cap_number(name, strlen(name));
            all |= n < 0 ? 0 : CAP_BIT(n);
        }
    return all;
}

int judge_capabilities(struct judge *j, struct err *e)
{
    uint64_t asked = asked_for(&j->c->process.capabilities) & ~PRACTICE_COMMON_CAPABILITIES;
    int r = 0;
    for (unsigned n = 0; n < CAP_NUMBERS && r == 0; n++) {
        char what[OCI_FINDING_TEXT];
        const char *name = cap_name(n);
        if (!(asked & CAP_BIT(n)))
            continue;
        (void)snprintf(what, sizeof(what), "%s opens kernel code that containers have escaped through", name);
        if (judge_has_right(j, 6, POLICY_ALLOW_CAPABILITY, name, what) ||
            judge_has_right(j, 6, POLICY_ALLOW_CAPABILITY, "ALL", what))
            continue;
        if (!j->policy->runtime.drop_capabilities)
            r = judge_refuse(j, 6, "capability", name, what, e);
        else if (judge_tightens(j, 6, "capability", name, what))
            r = judge_drop_capability(j, name, e);
    }
    return r;
}

/* A rule that opens every device, or every one of a kind; that of Docker for making nodes opens none. */
static bool opens_all(const struct oci_device_rule *d)
{
    bool any = !d->type || *d->type == 'a' || !d->major.set || d->major.value < 0;
    return d->allow && any && (!d->access || strpbrk(d->access, "rw"));
}

int judge_devices(struct judge *j, struct err *e)
{
    const struct schema_list *rules = &j->c->linux_part.resources.devices;
    const struct schema_list *nodes = &j->c->linux_part.devices;
    int r = 0;
    for (size_t i = 0; i < rules->count; i++)
        if (opens_all(OCI_ITEM(rules, struct oci_device_rule, i)))
            return judge_refuse(j, 5, "device", "all", "all devices of the machine are open to it", e);
    for (size_t i = 0; i < nodes->count && r == 0; i++) {
        char what[OCI_FINDING_TEXT];
        const struct oci_device *d = OCI_ITEM(nodes, struct oci_device, i);
        char type = d->type == S_IFBLK ? 'b' : 'c';
        if (d->type == S_IFIFO ||
            practice_device_is_harmless(type, (uint32_t)d->major.value, (uint32_t)d->minor.value))
            continue;
        (void)snprintf(what, sizeof(what), "the device %s (%c %lld:%lld) reaches beyond the container",
                       d->path, type, (long long)d->major.value, (long long)d->minor.value);
        if (!judge_has_right(j, 5, POLICY_ALLOW_DEVICE, d->path, what))
            r = judge_refuse(j, 5, "device", d->path, what, e);
    }
    return r;
}

static bool has_option(const struct oci_mount *m, const char *const *names)
{
    for (size_t i = 0; i < m->options.count; i++)
        for (size_t k = 0; names[k]; k++)
            if (str_equal(*OCI_ITEM(&m->options, char *, i), names[k]))
                return true;
    return false;
}

/* Files that an engine makes for the very container that it has made: names, addresses, volumes, secrets. */
static bool is_of_the_scheduler(const char *source)
{
    static const char *const places[] = {
        "/var/lib/docker/containers/",        "/var/lib/docker/volumes/", "/var/lib/kubelet/pods/",
        "/var/lib/containers/storage/",       "/run/containers/storage/", "/run/containerd/io.containerd.",
        "/var/lib/containerd/io.containerd.", "/run/docker/containerd/",  "/run/libpod/",
    };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (str_after(source, places[i]))
            return true;
    return false;
}

static int judge_bind(struct judge *j, const struct oci_mount *m, struct err *e)
{
    static const char *const ro[] = {"ro", "rro", NULL};
    char what[OCI_FINDING_TEXT];
    struct err why = {0};
    const struct policy_right *right = NULL;
    if (!m->source || *m->source != '/')
        return 0;
    _cleanup_free_ char *real = realpath(m->source, NULL);
    if (!real || is_of_the_scheduler(real))
        return 0;
    int r = bind_source_judge(real, has_option(m, ro), &j->policy->rights, &right, &why);
    (void)snprintf(what, sizeof(what), "the host's %s is mounted at %s", m->source, m->destination);
    if (r == 0 && right && j->enforce)
        judge_find(j, OCI_GRANTED, 5, right->source, what);
    return r == -EPERM ? judge_refuse(j, 5, "host-path", m->source, what, e) : 0;
}

int judge_mounts(struct judge *j, struct err *e)
{
    static const char *const bind[] = {"bind", "rbind", NULL};
    static const char *const spreads[] = {"shared", "rshared", NULL};
    const struct schema_list *all = &j->c->mounts;
    int r = 0;
    for (size_t i = 0; i < all->count && r == 0; i++) {
        char what[OCI_FINDING_TEXT];
        const struct oci_mount *m = OCI_ITEM(all, struct oci_mount, i);
        if (has_option(m, spreads)) {
            (void)snprintf(what, sizeof(what), "mounts that it makes at %s appear on the host",
                           m->destination);
            r = judge_refuse(j, 5, "host-path", "shared", what, e);
        }
        if (r == 0 && (has_option(m, bind) || (m->type && str_equal(m->type, "bind"))))
            r = judge_bind(j, m, e);
    }
    return r;
}

int judge_root(struct judge *j, struct err *e)
{
    static const char what[] = "it runs as root, which the policy's allow-root forbids";
    if (j->policy->allow_root || !j->c->process.set || j->c->process.user.uid.value != 0)
        return 0;
    if (j->enforce)
        return err_refuse(e, 11, "%s (%s); process.user.uid must not be 0", what,
                          j->policy->allow_root_source);
    judge_find(j, OCI_WOULD_REFUSE, 11, NULL, what);
    return 0;
}
