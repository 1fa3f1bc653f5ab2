/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the filter of notice.h: a few comparisons of identity in front of the ceiling, and the ceiling with "ask the listener" where it
 * says EPERM. Jumps are relative, so the ceiling is copied as it stands. Runs in the container's first process, before the program.
 */
#include "runtime/notice.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/capname.h"
#include "base/cleanup.h"
#include "base/str.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* since 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define GROUPS_SHOWN_MAX 32 /* with more, no group of a chown counts as refused */
#define IDS_MAX (GROUPS_SHOWN_MAX + 2)
#define ID_UNCHANGED UINT32_MAX
#define PREFIX_MAX 1024 /* instructions; what is there with all the groups takes less than half */
#define EXITS_MAX 16

struct program {
    struct sock_filter *code;
    size_t len;
    size_t exits[EXITS_MAX]; /* unconditional jumps to the ceiling */
    size_t exit_count;
};

/* Ids that an argument may have without asking. */
struct ids {
    uint32_t values[IDS_MAX];
    size_t count;
};

static void emit(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    p->code[p->len++] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

static void emit_ask(struct program *p)
{
    emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF);
}

static void emit_exit(struct program *p)
{
    p->exits[p->exit_count++] = p->len;
    emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

/* Asks when the argument is none of the ids. An id is the lower half of an argument, for the kernel too. */
static void emit_check(struct program *p, unsigned argument, const struct ids *allowed)
{
    size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
    for (size_t i = 0; i < allowed->count; i++)
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(allowed->count - i), 0, allowed->values[i]);
    emit_ask(p);
}

/* Begins what is done for one call; the number is in the accumulator. */
static size_t begin_call(struct program *p, long number)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)number);
    return p->len - 1;
}

static void end_call(struct program *p, size_t begin)
{
    emit_exit(p);
    p->code[begin].jf = (uint8_t)(p->len - begin - 1);
}

/* One call whose `count` arguments from `first` on are ids, each of which must be among `allowed`. */
static void add_switch(struct program *p, long number, unsigned count, const struct ids *allowed)
{
    size_t begin = begin_call(p, number);
    for (unsigned i = 0; i < count; i++)
        emit_check(p, i, allowed);
    end_call(p, begin);
}

static void add_chown(struct program *p, long number, unsigned first, const struct ids *users,
                      const struct ids *groups)
{
    size_t begin = begin_call(p, number);
    emit_check(p, first, users);
    if (groups)
        emit_check(p, first + 1, groups);
    end_call(p, begin);
}

static void add_chowns(struct program *p, const struct user_identity *who, const struct ids *users)
{
    struct ids groups = {{who->gid, ID_UNCHANGED}, 2};
    bool known = who->group_count <= GROUPS_SHOWN_MAX;
    for (size_t i = 0; known && i < who->group_count; i++)
        groups.values[groups.count++] = who->groups[i];
    const struct ids *shown = known ? &groups : NULL;
#ifdef SYS_chown
    add_chown(p, SYS_chown, 1, users, shown);
    add_chown(p, SYS_lchown, 1, users, shown);
#endif
    add_chown(p, SYS_fchown, 1, users, shown);
    add_chown(p, SYS_fchownat, 2, users, shown);
}

static void add_prefix(struct program *p, const struct user_identity *who, uint64_t capabilities)
{
    const struct ids user = {{who->uid}, 1};
    const struct ids group = {{who->gid}, 1};
    const struct ids users = {{who->uid, ID_UNCHANGED}, 2};
    const struct ids one_group = {{who->gid, ID_UNCHANGED}, 2};
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    emit_exit(p);
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    if (!(capabilities & CAP_BIT(CAP_SETUID))) {
        add_switch(p, SYS_setuid, 1, &user);
        add_switch(p, SYS_setresuid, 3, &users);
    }
    if (!(capabilities & CAP_BIT(CAP_SETGID))) {
        add_switch(p, SYS_setgid, 1, &group);
        add_switch(p, SYS_setresgid, 3, &one_group);
        size_t begin = begin_call(p, SYS_setgroups);
        emit_ask(p);
        end_call(p, begin);
    }
    /* Whose ids may change can come to own what is another's now. */
    if (!(capabilities & (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID))))
        add_chowns(p, who, &users);
    for (size_t i = 0; i < p->exit_count; i++)
        p->code[p->exits[i]].k = (uint32_t)(p->len - p->exits[i] - 1);
}

static void add_ceiling(struct program *p, const struct filter *ceiling)
{
    for (size_t i = 0; i < ceiling->len; i++) {
        struct sock_filter x = ceiling->code[i];
        if (x.code == (BPF_RET | BPF_K) && x.k == (SECCOMP_RET_ERRNO | EPERM))
            x.k = SECCOMP_RET_USER_NOTIF;
        p->code[p->len++] = x;
    }
}

/* The descriptor, or -1 and errno. */
static int install(const struct program *p)
{
    struct sock_fprog program = {.len = (unsigned short)p->len, .filter = p->code};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (fd < 0 && errno == EINVAL)
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    return fd;
}

int notice_install(const struct filter *ceiling, const struct user_identity *who, uint64_t capabilities,
                   int *ret_listener, struct err *e)
{
    struct program p = {.code = calloc(PREFIX_MAX + (size_t)ceiling->len, sizeof(struct sock_filter))};
    _cleanup_free_ struct sock_filter *code = p.code;
    if (!code)
        return err_oom(e);
    /* In user namespaces of its own a process has other ids and all capabilities: nothing is known of them. */
    if (!(capabilities & CAP_BIT(CAP_SYS_ADMIN)))
        add_prefix(&p, who, capabilities);
    add_ceiling(&p, ceiling);
    int listener = p.len <= BPF_MAXINSNS ? install(&p) : -1;
    if (listener < 0 && filter_install(ceiling) < 0)
        return err_errno(e, "install the system call filter");
    *ret_listener = listener;
    return 0;
}
