/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a profile says, for one architecture and one set of capabilities: per system call a list of rules. Filled by
 * profile.c, turned into BPF by bpf.c. Internal to src/seccomp.
 *
 * Order does not matter in a profile: of all rules of a call that match, the most restrictive action wins, as it does
 * in the kernel between stacked filters. When none matches, the default action applies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "seccomp/names.h"

#define RULE_ARGS_MAX 6     /* arguments of a system call */
#define RULES_MAX 4096      /* an entry of "syscalls" may need more than one */
#define RULE_NAME_SHOWN 48  /* of an unknown name, with its end */
#define RULE_USES_MAX 16384 /* names over all entries */

enum rule_op {
    RULE_OP_NE,
    RULE_OP_LT,
    RULE_OP_LE,
    RULE_OP_EQ,
    RULE_OP_GE,
    RULE_OP_GT,
    RULE_OP_MASKED_EQ, /* (argument & value) == value_two */
};

struct rule_arg {
    unsigned index; /* 0..5 */
    enum rule_op op;
    uint64_t value;
    uint64_t value_two;
};

struct rule {
    uint32_t ret; /* SECCOMP_RET_* with its data */
    unsigned n_args;
    struct rule_arg args[RULE_ARGS_MAX]; /* all must hold */
};

/* One rule in the list of one system call; lists are sorted, most restrictive first. */
struct rule_use {
    uint16_t rule; /* index into rules */
    uint16_t next; /* index into uses, or RULE_USE_NONE */
};

#define RULE_USE_NONE UINT16_MAX
_Static_assert(RULE_USES_MAX < RULE_USE_NONE, "an index must fit");

struct rules {
    enum seccomp_arch arch;
    bool runtime;  /* profile.h */
    unsigned also; /* bit n: enum seccomp_arch n is to be compiled beside it */
    uint32_t default_ret;
    uint64_t caps_named; /* bit set: capabilities that conditions speak of, whether they hold or not */
    unsigned n_rules, n_uses;
    unsigned n_absent;                 /* names of calls that this architecture does not have */
    unsigned n_unknown;                /* names that are no call we know */
    char unknown[RULE_NAME_SHOWN];     /* the first of them, cut */
    int nr_highest;                    /* of all numbers that were named, Arm's own not counted, or -1 */
    uint16_t first[SECCOMP_NR_LIMIT];  /* index into uses */
    uint16_t newest[SECCOMP_NR_LIMIT]; /* 1 + the rule that was attached last, 0: none */
    struct rule rules[RULES_MAX];
    struct rule_use uses[RULE_USES_MAX];
};

/* A zeroed set of rules without any. NULL when out of memory; free() releases it. */
struct rules *rules_new(enum seccomp_arch arch);

/* The place for one more rule, already counted. NULL when RULES_MAX are there. */
struct rule *rules_add(struct rules *r);

/* Puts the rule with that index into the list of call `nr` (0 <= nr < SECCOMP_NR_LIMIT), once. -E2BIG when there is no room. */
int rules_attach(struct rules *r, unsigned rule, int nr, struct err *e);

/* Whether an action does the call: allows it, with or without a record, or leaves it to a tracer. */
bool rules_action_lets_through(uint32_t ret);

/* Whether some rule of call `nr` lets it through, for some arguments; the default action does not count. */
bool rules_let_through(const struct rules *r, int nr);

/* Whether call `nr` is refused whatever its arguments are. */
bool rules_refuse(const struct rules *r, int nr);

/* How restrictive an action is: smaller wins, as the kernel compares them. */
int32_t rules_precedence(uint32_t ret);
