/* SPDX-License-Identifier: Apache-2.0 */
/* What to tell a user about denials: which practice has refused what to whom, and the flag that allows just that. */
#pragma once

#include "engine/container.h"

#define DENIAL_ADVICE_MAX 8

struct denial_advice {
    int practice;
    char what[256];   /* "setgid and setuid were refused to nginx (3 times)" */
    char remedy[256]; /* "--cap-add @switch-user or --user N would allow it" */
    char
        capability[32]; /* what a [grant] of the policy would give, "@switch-user"; "": nothing that it can */
};

/* Of a container's last run, the most telling first; nothing was refused: 0. ret has room for DENIAL_ADVICE_MAX. */
size_t denial_advise(const struct container *c, struct denial_advice *ret);

/* Practice and remedy of one denial. */
void denial_advise_one(const struct container *c, const struct denial *d, struct denial_advice *ret);

/* The calls in a few words ("setgid, setuid refused"), for a column; "" when nothing was refused. */
void denial_summary(const struct container *c, char *ret_text, size_t size);
