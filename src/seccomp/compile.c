/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profile compiler (compile.h).
 */
#include "seccomp/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "seccomp/bpf.h"

int seccomp_compile(const char *json, size_t len, const struct profile_target *t,
                    struct seccomp_program *ret_program, struct err *e)
{
    _cleanup_free_ struct rules *rules = NULL;
    struct seccomp_program p = {0};
    int r = profile_parse(json, len, t, &rules, e);
    if (r < 0)
        return r;
    r = bpf_generate(rules, &p.code, &p.len, e);
    if (r < 0)
        return r;
    p.caps_named = rules->caps_named;
    p.n_unknown = rules->n_unknown;
    memcpy(p.unknown, rules->unknown, sizeof(p.unknown));
    *ret_program = p;
    return 0;
}

void seccomp_program_clear(struct seccomp_program *p)
{
    free(p->code);
    *p = (struct seccomp_program){0};
}
