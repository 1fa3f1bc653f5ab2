/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code generator (bpf.h). Invariants: every path ends in a return; jumps go forward only; the accumulator holds the
 * call's number until a leaf loads arguments. Instructions that do not fit are counted, not written, so the length is
 * always known and checked once at the end.
 */
#include "seccomp/bpf.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define JUMP_MAX 255                          /* a conditional jump has 8 bits */
#define CODE_PER_RULE (RULE_ARGS_MAX * 6 + 1) /* the longest comparison is 6 instructions */
#define OFFSET_NR offsetof(struct seccomp_data, nr)
#define OFFSET_ARCH offsetof(struct seccomp_data, arch)

_Static_assert(CODE_PER_RULE <= JUMP_MAX, "a failed comparison must reach the next rule");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "argument halves are addressed as on x86-64 and arm64");

/* Calls first..(first of the next range - 1) are decided alike: by the rules in the list `use`. */
struct range {
    int first;
    uint16_t use;
};

struct gen {
    const struct rules *r; /* of the ABI whose part is being written */
    struct sock_filter code[BPF_MAXINSNS];
    size_t len; /* may exceed BPF_MAXINSNS: then the program is too long */
    struct range ranges[SECCOMP_NR_LIMIT + 1];
    size_t n_ranges;
};

static void emit(struct gen *g, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    if (g->len < BPF_MAXINSNS)
        g->code[g->len] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
    g->len++;
}

static void emit_load(struct gen *g, size_t offset)
{
    emit(g, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_ret(struct gen *g, uint32_t ret)
{
    emit(g, BPF_RET | BPF_K, 0, 0, ret);
}

/* --- argument comparisons ------------------------------------------------------------------------------------- */

/* Where a comparison goes on: the next instruction, the next condition (PASS) or the next rule (FAIL). */
enum target {
    NEXT,
    PASS,
    FAIL,
};

struct jump {
    size_t at;
    enum target jt, jf;
};

struct jumps {
    struct jump list[RULE_ARGS_MAX * 4];
    size_t n;
};

static void emit_jump(struct gen *g, struct jumps *j, uint16_t op, uint32_t k, enum target jt, enum target jf)
{
    j->list[j->n++] = (struct jump){.at = g->len, .jt = jt, .jf = jf};
    emit(g, BPF_JMP | op | BPF_K, 0, 0, k);
}

static void jump_patch(struct gen *g, size_t at, bool taken, size_t to)
{
    uint8_t distance = (uint8_t)(to - at - 1);
    if (at >= BPF_MAXINSNS)
        return;
    if (taken)
        g->code[at].jt = distance;
    else
        g->code[at].jf = distance;
}

/* Lets the jumps from index `from` that go to `target` arrive at the next instruction to be written. */
static void jumps_land(struct gen *g, const struct jumps *j, size_t from, enum target target)
{
    for (size_t i = from; i < j->n; i++) {
        if (j->list[i].jt == target)
            jump_patch(g, j->list[i].at, true, g->len);
        if (j->list[i].jf == target)
            jump_patch(g, j->list[i].at, false, g->len);
    }
}

static size_t arg_low(const struct rule_arg *a)
{
    return offsetof(struct seccomp_data, args) + a->index * sizeof(uint64_t);
}

static size_t arg_high(const struct rule_arg *a)
{
    return arg_low(a) + sizeof(uint32_t);
}

static void emit_equal(struct gen *g, struct jumps *j, const struct rule_arg *a)
{
    emit_load(g, arg_high(a));
    emit_jump(g, j, BPF_JEQ, (uint32_t)(a->value >> 32), NEXT, FAIL);
    emit_load(g, arg_low(a));
    emit_jump(g, j, BPF_JEQ, (uint32_t)a->value, NEXT, FAIL);
}

static void emit_not_equal(struct gen *g, struct jumps *j, const struct rule_arg *a)
{
    emit_load(g, arg_high(a));
    emit_jump(g, j, BPF_JEQ, (uint32_t)(a->value >> 32), NEXT, PASS);
    emit_load(g, arg_low(a));
    emit_jump(g, j, BPF_JEQ, (uint32_t)a->value, FAIL, NEXT);
}

/* `low_op` compares the low halves when the high ones are equal; `greater` is where a greater argument goes. */
static void emit_order(struct gen *g, struct jumps *j, const struct rule_arg *a, uint16_t low_op,
                       enum target greater)
{
    enum target smaller = greater == PASS ? FAIL : PASS;
    emit_load(g, arg_high(a));
    emit_jump(g, j, BPF_JGT, (uint32_t)(a->value >> 32), greater, NEXT);
    emit_jump(g, j, BPF_JEQ, (uint32_t)(a->value >> 32), NEXT, smaller);
    emit_load(g, arg_low(a));
    emit_jump(g, j, low_op, (uint32_t)a->value, greater, smaller);
}

static void emit_masked_half(struct gen *g, struct jumps *j, size_t offset, uint32_t mask, uint32_t value)
{
    if (mask == 0)
        return;
    emit_load(g, offset);
    if (mask != UINT32_MAX)
        emit(g, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    emit_jump(g, j, BPF_JEQ, value, NEXT, FAIL);
}

static void emit_masked(struct gen *g, struct jumps *j, const struct rule_arg *a)
{
    emit_masked_half(g, j, arg_high(a), (uint32_t)(a->value >> 32), (uint32_t)(a->value_two >> 32));
    emit_masked_half(g, j, arg_low(a), (uint32_t)a->value, (uint32_t)a->value_two);
}

/* Arguments of 32 bits: what a profile compares with is cut to that, as libseccomp does. */
static void emit_narrow(struct gen *g, struct jumps *j, const struct rule_arg *a)
{
    static const struct {
        uint16_t op;
        enum target jt, jf;
    } ops[] = {
        [RULE_OP_NE] = {BPF_JEQ, FAIL, NEXT}, [RULE_OP_LT] = {BPF_JGE, FAIL, NEXT},
        [RULE_OP_LE] = {BPF_JGT, FAIL, NEXT}, [RULE_OP_EQ] = {BPF_JEQ, NEXT, FAIL},
        [RULE_OP_GE] = {BPF_JGE, NEXT, FAIL}, [RULE_OP_GT] = {BPF_JGT, NEXT, FAIL},
    };
    if (a->op == RULE_OP_MASKED_EQ) {
        emit_masked_half(g, j, arg_low(a), (uint32_t)a->value, (uint32_t)a->value_two);
        return;
    }
    emit_load(g, arg_low(a));
    emit_jump(g, j, ops[a->op].op, (uint32_t)a->value, ops[a->op].jt, ops[a->op].jf);
}

static void emit_condition(struct gen *g, struct jumps *j, const struct rule_arg *a)
{
    size_t from = j->n;
    if (seccomp_arch_is_narrow(g->r->arch)) {
        emit_narrow(g, j, a);
        return;
    }
    switch (a->op) {
    case RULE_OP_EQ:
        emit_equal(g, j, a);
        break;
    case RULE_OP_NE:
        emit_not_equal(g, j, a);
        break;
    case RULE_OP_GT:
        emit_order(g, j, a, BPF_JGT, PASS);
        break;
    case RULE_OP_GE:
        emit_order(g, j, a, BPF_JGE, PASS);
        break;
    case RULE_OP_LT:
        emit_order(g, j, a, BPF_JGE, FAIL);
        break;
    case RULE_OP_LE:
        emit_order(g, j, a, BPF_JGT, FAIL);
        break;
    case RULE_OP_MASKED_EQ:
        emit_masked(g, j, a);
        break;
    }
    jumps_land(g, j, from, PASS);
}

static void emit_rule(struct gen *g, const struct rule *rule)
{
    struct jumps j = {.n = 0};
    for (unsigned i = 0; i < rule->n_args; i++)
        emit_condition(g, &j, &rule->args[i]);
    emit_ret(g, rule->ret);
    jumps_land(g, &j, 0, FAIL);
}

/* --- leaves --------------------------------------------------------------------------------------------------- */

/* The action after all conditional rules of a list. */
static uint32_t list_final(const struct rules *r, uint16_t use)
{
    for (; use != RULE_USE_NONE; use = r->uses[use].next)
        if (r->rules[r->uses[use].rule].n_args == 0)
            return r->rules[r->uses[use].rule].ret;
    return r->default_ret;
}

/* From `use` on, the first rule that matters: conditional and different from all that is left. RULE_USE_NONE when the
 * rest is just the final action. */
static uint16_t list_skip(const struct rules *r, uint16_t use)
{
    uint32_t final = list_final(r, use);
    for (uint16_t i = use; i != RULE_USE_NONE; i = r->uses[i].next) {
        if (r->rules[r->uses[i].rule].n_args == 0)
            break;
        if (r->rules[r->uses[i].rule].ret != final)
            return use;
    }
    return RULE_USE_NONE;
}

/* Whether two lists decide alike because they are made of the same rules. */
static bool lists_equal(const struct rules *r, uint16_t a, uint16_t b)
{
    for (;;) {
        uint16_t na = list_skip(r, a), nb = list_skip(r, b);
        if (na == RULE_USE_NONE || nb == RULE_USE_NONE)
            return na == nb && list_final(r, a) == list_final(r, b);
        if (r->uses[na].rule != r->uses[nb].rule)
            return false;
        a = r->uses[na].next;
        b = r->uses[nb].next;
    }
}

static void emit_leaf(struct gen *g, uint16_t use)
{
    uint32_t final = list_final(g->r, use);
    use = list_skip(g->r, use);
    for (; use != RULE_USE_NONE && g->len <= BPF_MAXINSNS; use = list_skip(g->r, g->r->uses[use].next))
        emit_rule(g, &g->r->rules[g->r->uses[use].rule]);
    emit_ret(g, final);
}

/* --- the tree ------------------------------------------------------------------------------------------------- */

/* Ranges for 0..highest; equal neighbours become one. */
static void ranges_collect(struct gen *g, int highest)
{
    g->n_ranges = 0;
    for (int nr = 0; nr <= highest; nr++) {
        uint16_t use = g->r->first[nr];
        if (g->n_ranges > 0 && lists_equal(g->r, g->ranges[g->n_ranges - 1].use, use))
            continue;
        g->ranges[g->n_ranges++] = (struct range){.first = nr, .use = use};
    }
}

/* What the kernel adds to the numbers of an ABI. */
static uint32_t number_base(const struct rules *r)
{
    return r->arch == SECCOMP_ARCH_X32 ? SECCOMP_NR_X32 : 0;
}

/* Ranges first..last. A branch is tried with a short jump; when the left part turns out too long for one, it is
 * generated again behind an unconditional jump. */
static void emit_tree(struct gen *g, size_t first, size_t last)
{
    if (first == last) {
        emit_leaf(g, g->ranges[first].use);
        return;
    }
    size_t middle = first + (last - first + 1) / 2;
    uint32_t pivot = (uint32_t)g->ranges[middle].first + number_base(g->r);
    size_t at = g->len;
    emit(g, BPF_JMP | BPF_JGE | BPF_K, 0, 0, pivot);
    emit_tree(g, first, middle - 1);
    if (g->len > BPF_MAXINSNS)
        return;
    size_t distance = g->len - at - 1;
    if (distance <= JUMP_MAX) {
        jump_patch(g, at, true, g->len);
    } else {
        g->len = at;
        emit(g, BPF_JMP | BPF_JGE | BPF_K, 0, 1, pivot);
        emit(g, BPF_JMP | BPF_JA, 0, 0, (uint32_t)distance);
        emit_tree(g, first, middle - 1);
    }
    emit_tree(g, middle, last);
}

static bool action_kills(uint32_t ret)
{
    return rules_precedence(ret) <= rules_precedence(SECCOMP_RET_KILL_THREAD);
}

/* What calls of an ABI get that has no rules. */
static uint32_t foreign_action(const struct rules *r)
{
    if (r->runtime)
        return SECCOMP_RET_KILL_THREAD;
    return action_kills(r->default_ret) ? r->default_ret : SECCOMP_RET_ERRNO | ENOSYS;
}

/* What numbers above the table get. */
static uint32_t unknown_action(const struct rules *r)
{
    uint32_t def = r->default_ret;
    if (r->runtime)
        return rules_action_lets_through(def) || r->nr_highest < 0 ? def : SECCOMP_RET_ERRNO | ENOSYS;
    return (def & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ? SECCOMP_RET_ERRNO | ENOSYS : def;
}

static int highest_number(const struct rules *r)
{
    bool as_named = r->runtime && r->nr_highest >= 0;
    return as_named || r->nr_highest > SECCOMP_NR_NEWEST ? r->nr_highest : SECCOMP_NR_NEWEST;
}

/* Skips what follows unless the accumulator is `k`, however long that is; land() says where it ends. */
static size_t emit_unless_equal(struct gen *g, uint32_t k)
{
    emit(g, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, k);
    emit(g, BPF_JMP | BPF_JA, 0, 0, 0);
    return g->len - 1;
}

static void land(struct gen *g, size_t at)
{
    if (at < BPF_MAXINSNS)
        g->code[at].k = (uint32_t)(g->len - at - 1);
}

/* 32-bit Arm's own calls, which no table reaches. */
static void emit_arm_private(struct gen *g)
{
    for (uint32_t i = 0; i < SECCOMP_ARM_PRIVATE_CALLS; i++) {
        uint16_t use = g->r->first[SECCOMP_ARM_PRIVATE_SLOT + i];
        if (use == RULE_USE_NONE)
            continue;
        size_t skip = emit_unless_equal(g, SECCOMP_NR_ARM_PRIVATE + i);
        emit_leaf(g, use);
        land(g, skip);
    }
}

/* The rules of one ABI; the number is in the accumulator. A tracer that has a call skipped sets the number to -1. */
static void emit_abi(struct gen *g, const struct rules *r)
{
    int highest = highest_number(r);
    uint32_t end = (uint32_t)highest + 1 + number_base(r);
    bool also_x32 = r->arch == SECCOMP_ARCH_X86_64;
    g->r = r;
    ranges_collect(g, highest);
    if (r->arch == SECCOMP_ARCH_ARM)
        emit_arm_private(g);
    if (r->runtime && also_x32) {
        emit(g, BPF_JMP | BPF_JGE | BPF_K, 0, 4, end);
        emit(g, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, UINT32_MAX);
    } else {
        emit(g, BPF_JMP | BPF_JGE | BPF_K, 0, 3, end);
    }
    emit(g, BPF_JMP | BPF_JGE | BPF_K, 0, 1, SECCOMP_NR_X32);
    emit_ret(g, also_x32 || !r->runtime ? foreign_action(r) : unknown_action(r));
    emit_ret(g, unknown_action(r));
    emit_tree(g, 0, g->n_ranges - 1);
}

static const struct rules *rules_of(const struct rules *const *all, size_t n, enum seccomp_arch arch)
{
    for (size_t i = 0; i < n; i++)
        if (all[i]->arch == arch)
            return all[i];
    return NULL;
}

/* One AUDIT_ARCH: that of `r`, and x32's with it. */
static void emit_audit_arch(struct gen *g, const struct rules *const *all, size_t n, const struct rules *r)
{
    const struct rules *x32 = r->arch == SECCOMP_ARCH_X86_64 ? rules_of(all, n, SECCOMP_ARCH_X32) : NULL;
    emit_load(g, OFFSET_NR);
    if (x32) {
        emit(g, BPF_JMP | BPF_JGE | BPF_K, 1, 0, SECCOMP_NR_X32);
        emit(g, BPF_JMP | BPF_JA, 0, 0, 0);
        size_t skip = g->len - 1;
        emit_abi(g, x32);
        land(g, skip);
    }
    emit_abi(g, r);
}

static void emit_all(struct gen *g, const struct rules *const *all, size_t n)
{
    emit_load(g, OFFSET_ARCH);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->arch == SECCOMP_ARCH_X32)
            continue;
        size_t skip = emit_unless_equal(g, seccomp_audit_arch(all[i]->arch));
        emit_audit_arch(g, all, n, all[i]);
        land(g, skip);
    }
    emit_ret(g, foreign_action(all[0]));
}

int bpf_generate(const struct rules *const *all, size_t n, struct sock_filter **ret_code, size_t *ret_len,
                 struct err *e)
{
    _cleanup_free_ struct gen *g = calloc(1, sizeof(*g));
    if (!g)
        return err_oom(e);
    emit_all(g, all, n);
    if (g->len > BPF_MAXINSNS)
        return err_set(e, E2BIG, "the profile needs more than the %d instructions that the kernel allows",
                       BPF_MAXINSNS);
    struct sock_filter *code = calloc(g->len, sizeof(*code));
    if (!code)
        return err_oom(e);
    for (size_t i = 0; i < g->len; i++)
        code[i] = g->code[i];
    *ret_code = code;
    *ret_len = g->len;
    return 0;
}
