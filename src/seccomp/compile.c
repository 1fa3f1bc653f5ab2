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
    _cleanup_(profile_rules_clear) struct profile_rules all = {0};
    struct seccomp_program p = {0};
    int r = profile_parse_all(json, len, t, &all, e);
    if (r < 0)
        return r;
    r = bpf_generate((const struct rules *const *)all.list, all.n, &p.code, &p.len, e);
    if (r < 0)
        return r;
    const struct rules *own = all.list[0];
    p.caps_named = own->caps_named;
    p.n_unknown = own->n_unknown;
    memcpy(p.unknown, own->unknown, sizeof(p.unknown));
    *ret_program = p;
    return 0;
}

void seccomp_program_clear(struct seccomp_program *p)
{
    free(p->code);
    *p = (struct seccomp_program){0};
}
