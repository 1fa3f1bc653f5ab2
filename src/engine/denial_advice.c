/* SPDX-License-Identifier: Apache-2.0 */
/* Denials in words (denial_advice.h). Which call belongs to which capability is the kernel's and data/seccomp/default.json's. */
#include "engine/denial_advice.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/callname.h"
#include "base/capname.h"
#include "base/str.h"

#define NAMED_MAX 4   /* calls of one advice that are named */
#define SUMMARY_MAX 2 /* of a summary */
#define SWITCH_USER "@switch-user"

/* Calls with one remedy; their order is that in which they are told. */
enum group {
    GROUP_SWITCH,
    GROUP_CHOWN,
    GROUP_PIDS,
    GROUP_CHROOT,
    GROUP_SYS_ADMIN,
    GROUP_SYS_PTRACE,
    GROUP_IPC_LOCK,
    GROUP_SYS_NICE,
    GROUP_NOTHING,
    GROUP_COUNT,
};

static const struct {
    const char *call;
    enum group group;
} known[] = {
    {"setuid", GROUP_SWITCH},
    {"setgid", GROUP_SWITCH},
    {"setgroups", GROUP_SWITCH},
    {"setresuid", GROUP_SWITCH},
    {"setresgid", GROUP_SWITCH},
    {"setreuid", GROUP_SWITCH},
    {"setregid", GROUP_SWITCH},
    {"setfsuid", GROUP_SWITCH},
    {"setfsgid", GROUP_SWITCH},
    {"chown", GROUP_CHOWN},
    {"lchown", GROUP_CHOWN},
    {"fchown", GROUP_CHOWN},
    {"fchownat", GROUP_CHOWN},
    {"chroot", GROUP_CHROOT},
    {"mount", GROUP_SYS_ADMIN},
    {"umount2", GROUP_SYS_ADMIN},
    {"pivot_root", GROUP_SYS_ADMIN},
    {"fsopen", GROUP_SYS_ADMIN},
    {"fsconfig", GROUP_SYS_ADMIN},
    {"fsmount", GROUP_SYS_ADMIN},
    {"fspick", GROUP_SYS_ADMIN},
    {"open_tree", GROUP_SYS_ADMIN},
    {"move_mount", GROUP_SYS_ADMIN},
    {"mount_setattr", GROUP_SYS_ADMIN},
    {"unshare", GROUP_SYS_ADMIN},
    {"setns", GROUP_SYS_ADMIN},
    {"clone", GROUP_SYS_ADMIN},
    {"sethostname", GROUP_SYS_ADMIN},
    {"setdomainname", GROUP_SYS_ADMIN},
    {"ptrace", GROUP_SYS_PTRACE},
    {"process_vm_readv", GROUP_SYS_PTRACE},
    {"process_vm_writev", GROUP_SYS_PTRACE},
    {"kcmp", GROUP_SYS_PTRACE},
    {"pidfd_getfd", GROUP_SYS_PTRACE},
    {"mlockall", GROUP_IPC_LOCK},
    {"munlockall", GROUP_IPC_LOCK},
    {"mlock2", GROUP_IPC_LOCK},
    {"ioprio_get", GROUP_SYS_NICE},
    {"ioprio_set", GROUP_SYS_NICE},
    {"sched_setparam", GROUP_SYS_NICE},
    {"sched_getattr", GROUP_SYS_NICE},
    {"sched_setattr", GROUP_SYS_NICE},
};

static enum group group_of(const struct denial *d)
{
    if (d->kind == DENIAL_PIDS)
        return GROUP_PIDS;
    const char *name = d->kind == DENIAL_CALL ? call_name(d->number) : NULL;
    for (size_t i = 0; name && i < ARRAY_SIZE(known); i++)
        if (str_equal(known[i].call, name))
            return known[i].group;
    return GROUP_NOTHING;
}

static bool is_root(const struct plan *p)
{
    size_t n = p->user ? strcspn(p->user, ":") : 0;
    return n == 0 || (n == 1 && p->user[0] == '0') || (n == 4 && memcmp(p->user, "root", n) == 0);
}

/* "setgid, setuid and 2 more were refused to nginx (5 times)". */
static void write_what(const struct denials *all, enum group group, char *ret, size_t size)
{
    char name[DENIAL_TEXT];
    char list[NAMED_MAX * (DENIAL_TEXT + 2)] = "";
    const char *process = "";
    size_t used = 0, calls = 0;
    uint64_t times = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct denial *d = &all->items[i];
        if (group_of(d) != group)
            continue;
        times = __builtin_add_overflow(times, d->count, &times) ? UINT64_MAX : times;
        process = *process ? process : d->process;
        if (calls++ < NAMED_MAX)
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", calls > 1 ? ", " : "",
                                     denial_text(d, name));
    }
    if (group == GROUP_PIDS && times == 0) {
        (void)snprintf(ret, size, "as many processes as allowed were there");
        return;
    }
    char more[32] = "";
    if (calls > NAMED_MAX)
        (void)snprintf(more, sizeof(more), " and %zu more", calls - NAMED_MAX);
    (void)snprintf(ret, size, "%s%s %s refused (%s%s%s%" PRIu64 " time%s)", list, more,
                   calls > 1 || group == GROUP_PIDS ? "were" : "was", *process ? "process " : "", process,
                   *process ? ", " : "", times, times == 1 ? "" : "s");
}

static void remedy_identity(const struct container *c, bool with_switch, struct denial_advice *a)
{
    const char *capability = with_switch ? SWITCH_USER : "CHOWN";
    a->practice = 6;
    if (!is_root(&c->plan)) {
        (void)snprintf(a->remedy, sizeof(a->remedy), "--user 0 --cap-add %s would allow it", capability);
        return;
    }
    (void)snprintf(a->capability, sizeof(a->capability), "%s", with_switch ? SWITCH_USER : "CAP_CHOWN");
    (void)snprintf(a->remedy, sizeof(a->remedy), "--cap-add %s%s would allow it", capability,
                   with_switch ? " or --user N" : "");
}

static void remedy_capability(int number, bool by_flag, struct denial_advice *a)
{
    const char *name = cap_name((unsigned)number);
    const char *plain = str_after(name, "CAP_");
    a->practice = 7;
    if (by_flag)
        (void)snprintf(a->capability, sizeof(a->capability), "%s", name);
    (void)snprintf(a->remedy, sizeof(a->remedy), "--cap-add %s would allow it%s%s", plain ? plain : name,
                   by_flag ? "" : ", where the policy has allow-capability = ", by_flag ? "" : name);
}

static void write_remedy(const struct container *c, enum group group, struct denial_advice *a)
{
    a->capability[0] = '\0';
    switch (group) {
    case GROUP_SWITCH:
    case GROUP_CHOWN:
        remedy_identity(c, group == GROUP_SWITCH, a);
        return;
    case GROUP_PIDS:
        a->practice = 4;
        (void)snprintf(a->remedy, sizeof(a->remedy), "the limit is %" PRIu64 ": --pids-limit N sets another",
                       c->plan.pids);
        return;
    case GROUP_CHROOT:
        remedy_capability(CAP_SYS_CHROOT, true, a);
        return;
    case GROUP_SYS_ADMIN:
        remedy_capability(CAP_SYS_ADMIN, false, a);
        return;
    case GROUP_SYS_PTRACE:
        remedy_capability(CAP_SYS_PTRACE, false, a);
        return;
    case GROUP_IPC_LOCK:
        remedy_capability(CAP_IPC_LOCK, false, a);
        return;
    case GROUP_SYS_NICE:
        remedy_capability(CAP_SYS_NICE, false, a);
        return;
    case GROUP_NOTHING:
    case GROUP_COUNT:
        a->practice = 7;
        (void)snprintf(a->remedy, sizeof(a->remedy), "no flag allows it");
    }
}

void denial_advise_one(const struct container *c, const struct denial *d, struct denial_advice *ret)
{
    ret->what[0] = '\0';
    write_remedy(c, group_of(d), ret);
}

static bool has_group(const struct denials *all, enum group group)
{
    for (size_t i = 0; i < all->count; i++)
        if (group_of(&all->items[i]) == group)
            return true;
    return false;
}

static void advise_memory(const struct container *c, struct denial_advice *ret)
{
    ret->practice = 4;
    ret->capability[0] = '\0';
    (void)snprintf(ret->what, sizeof(ret->what), "the kernel ended a process for want of memory");
    (void)snprintf(ret->remedy, sizeof(ret->remedy),
                   "the limit is %" PRIu64 " MiB: --memory SIZE sets another", c->plan.memory >> 20);
}

size_t denial_advise(const struct container *c, struct denial_advice *ret)
{
    size_t n = 0;
    if (c->oom_killed)
        advise_memory(c, &ret[n++]);
    for (int g = 0; g < GROUP_COUNT && n < DENIAL_ADVICE_MAX; g++) {
        if (!has_group(&c->denials, (enum group)g))
            continue;
        write_what(&c->denials, (enum group)g, ret[n].what, sizeof(ret[n].what));
        write_remedy(c, (enum group)g, &ret[n]);
        n++;
    }
    return n;
}

void denial_summary(const struct container *c, char *ret_text, size_t size)
{
    char name[DENIAL_TEXT];
    size_t used = 0, named = 0;
    ret_text[0] = '\0';
    for (int g = 0; g < GROUP_COUNT; g++)
        for (size_t i = 0; i < c->denials.count && named < SUMMARY_MAX; i++) {
            const struct denial *d = &c->denials.items[i];
            if (group_of(d) != (enum group)g)
                continue;
            int k = snprintf(ret_text + used, size - used, "%s%s", named++ ? ", " : "", denial_text(d, name));
            used += k < 0 || used + (size_t)k >= size ? 0 : (size_t)k;
        }
    if (used > 0)
        (void)snprintf(ret_text + used, size - used, "%s refused", c->denials.count > named ? " …" : "");
}
