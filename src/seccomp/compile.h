/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profile compiler: JSON (profile.h) to a seccomp filter program (bpf.h). Linked by the compile worker, the build
 * tool and tests only; the engine uses ready programs (tables.h, runtime/filter_cache.h).
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "base/err.h"
#include "seccomp/profile.h"

struct seccomp_program {
    struct sock_filter *code;
    size_t len;                    /* instructions, 1..BPF_MAXINSNS */
    uint64_t caps_named;           /* capabilities that its conditions speak of */
    unsigned n_unknown;            /* names in use that are no system call of either architecture */
    char unknown[RULE_NAME_SHOWN]; /* the first of them */
};

/* Compiles `len` bytes of JSON. On success the program belongs to the caller (seccomp_program_clear). */
int seccomp_compile(const char *json, size_t len, const struct profile_target *t,
                    struct seccomp_program *ret_program, struct err *e);

/* Frees the code; accepts a zeroed program. */
void seccomp_program_clear(struct seccomp_program *p);
