/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence for practice 5: namespaces, masked kernel interfaces, flags of every mount. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "practices/refuse.h"
#include "practices/registry.h"

#define NAMES_SHOWN 256

/* namespaces(7) */
static const char *const namespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

static int explain_namespaces(const struct subject *s, struct evidence *ret, struct err *e)
{
    char shared[NAMES_SHOWN] = "";
    char source[SUBJECT_SOURCE];
    size_t own = 0, used = 0;
    bool granted = true;
    for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
        char name[32], self[48], theirs[64], ours[64];
        (void)snprintf(name, sizeof(name), "ns/%s", namespaces[i]);
        (void)snprintf(self, sizeof(self), "/proc/self/ns/%s", namespaces[i]);
        ssize_t n = readlinkat(s->proc, name, theirs, sizeof(theirs) - 1);
        ssize_t m = readlink(self, ours, sizeof(ours) - 1);
        if (n < 0 || m < 0)
            return err_errno(e, "read %s of the container", name);
        theirs[n] = ours[m] = '\0';
        if (!str_equal(theirs, ours)) {
            own++;
            continue;
        }
        granted = granted && str_equal(namespaces[i], "net") && plan_shares_network(s->plan);
        used += (size_t)snprintf(shared + used, sizeof(shared) - used, " %s", namespaces[i]);
    }
    size_t all = ARRAY_SIZE(namespaces);
    enum evidence_state state = own == all ? EVIDENCE_HOLDS : granted ? EVIDENCE_GRANTED : EVIDENCE_BROKEN;
    return evidence_add(ret, 5, state, "namespaces", subject_source(s, "ns", source), e,
                        own == all ? "%zu of %zu its own" : "%zu of %zu its own; shared with the host:%s",
                        own, all, shared);
}

/* What must be covered where the kernel has it: a sample of each kind would not do, these are the ones that escapes have used. */
static const char *const covered[] = {"/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/kallsyms",
                                      "/sys/firmware"};

static int explain_masks(const struct subject *s, const struct mount_table *t, struct evidence *ret,
                         struct err *e)
{
    char open[NAMES_SHOWN] = "";
    char source[SUBJECT_SOURCE];
    size_t masks = 0, used = 0;
    for (size_t i = 0; i < t->count; i++) {
        const char *p = t->entries[i].point;
        masks += (str_after(p, "/proc/") || str_after(p, "/sys/")) && !str_after(p, "/sys/fs/cgroup") &&
                 !str_equal(p, "/proc/sys");
    }
    for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
        if (access(covered[i], F_OK) == 0 && !mount_table_at(t, covered[i]))
            used += (size_t)snprintf(open + used, sizeof(open) - used, " %s", covered[i]);
    (void)subject_source(s, "mountinfo", source);
    return used ? evidence_add(ret, 5, EVIDENCE_BROKEN, "kernel interfaces", source, e, "open:%s", open)
                : evidence_add(ret, 5, EVIDENCE_HOLDS, "kernel interfaces", source, e,
                               "%zu paths of /proc and /sys covered", masks);
}

static int explain_read_only(const struct subject *s, const struct mount_table *t, struct evidence *ret,
                             struct err *e)
{
    static const char *const points[] = {"/proc/sys", "/sys"};
    char source[SUBJECT_SOURCE];
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        const struct mount_entry *m = mount_table_at(t, points[i]);
        if (!m || !mount_entry_has(m, "ro"))
            return evidence_add(ret, 5, EVIDENCE_BROKEN, "kernel settings",
                                subject_source(s, "mountinfo", source), e, "%s is writable", points[i]);
    }
    return evidence_add(ret, 5, EVIDENCE_HOLDS, "kernel settings", subject_source(s, "mountinfo", source), e,
                        "/proc/sys and /sys are read-only");
}

/* Nothing that is mounted makes set-id bits count; device nodes work in the engine's own /dev only. */
static int explain_mount_flags(const struct subject *s, const struct mount_table *t, struct evidence *ret,
                               struct err *e)
{
    char source[SUBJECT_SOURCE];
    for (size_t i = 0; i < t->count; i++) {
        const struct mount_entry *m = &t->entries[i];
        bool dev = str_equal(m->point, "/dev") || str_after(m->point, "/dev/") ||
                   str_after(m->point, "/proc/") || str_after(m->point, "/sys/");
        const char *flag = !mount_entry_has(m, "nosuid")          ? "nosuid"
                           : !dev && !mount_entry_has(m, "nodev") ? "nodev"
                                                                  : NULL;
        if (flag)
            return evidence_add(ret, 5, EVIDENCE_BROKEN, "mounts", subject_source(s, "mountinfo", source), e,
                                "%s is not %s", m->point, flag);
    }
    return evidence_add(ret, 5, EVIDENCE_HOLDS, "mounts", subject_source(s, "mountinfo", source), e,
                        "%zu, all nosuid, device nodes in /dev only", t->count);
}

static int explain_binds(const struct subject *s, const struct mount_table *t, struct evidence *ret,
                         struct err *e)
{
    char source[SUBJECT_SOURCE];
    int r = 0;
    for (size_t i = 0; i < s->plan->mount_count && r == 0; i++) {
        const struct plan_mount *planned = &s->plan->mounts[i];
        if (planned->type != PLAN_MOUNT_BIND)
            continue;
        const struct mount_entry *m = mount_table_at(t, planned->target);
        bool loose = m && planned->read_only && !mount_entry_has(m, "ro");
        r = m ? evidence_add(ret, 5, loose ? EVIDENCE_BROKEN : EVIDENCE_HOLDS, "bind",
                             subject_source(s, "mountinfo", source), e, "%s at %s: %s", planned->source,
                             planned->target, m->options)
              : evidence_add(ret, 5, EVIDENCE_UNKNOWN, "bind", "", e, "%s is not mounted at %s",
                             planned->source, planned->target);
    }
    return r;
}

/* :z and :Z. Containers are kept apart by their ids, so nothing depends on a label; one that was asked for is not passed over in silence. */
static int explain_labels(const struct subject *s, struct evidence *ret, struct err *e)
{
    int r = 0;
    bool selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
    for (size_t i = 0; i < s->plan->mount_count && r == 0; i++)
        if (s->plan->mounts[i].relabel)
            r = evidence_add(ret, 5, selinux ? EVIDENCE_NOT_ENFORCED : EVIDENCE_HOLDS, "SELinux label",
                             "/sys/fs/selinux", e,
                             selinux ? "%s is not relabelled"
                                     : "%s: this host has no SELinux, so there is nothing to do",
                             s->plan->mounts[i].target);
    return r;
}

int isolation_explain(const struct subject *s, struct evidence *ret, struct err *e)
{
    _cleanup_mount_table_ struct mount_table mounts = {0};
    int r = explain_namespaces(s, ret, e);
    if (r == 0)
        r = subject_mounts(s, &mounts, e);
    if (r == 0)
        r = explain_masks(s, &mounts, ret, e);
    if (r == 0)
        r = explain_read_only(s, &mounts, ret, e);
    if (r == 0)
        r = explain_mount_flags(s, &mounts, ret, e);
    if (r == 0)
        r = explain_binds(s, &mounts, ret, e);
    return r < 0 ? r : explain_labels(s, ret, e);
}
