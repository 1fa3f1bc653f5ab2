/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's profile against our default one, which stays installed beneath it whatever it says. A profile that allows by name what the
 * default refuses would not get it, so its author is told. Runs in the compile worker.
 *
 * Not counted are: the default action, because "allow all but these" is how a profile narrows; calls that profiles written for all
 * kinds of programs allow (data/seccomp/common.json), so that such a profile can be used as it is; and conditions on arguments.
 */
#pragma once

#include "seccomp/compile.h"

#define BELOW_SHOWN 4       /* calls that are named */
#define BELOW_CAP_NONE (-1) /* no capability opens the call */

struct below_excess {
    unsigned count; /* calls that the profile allows and the default does not */
    struct {
        char name[SECCOMP_NAME_SIZE];
        int cap; /* the lowest capability with which the default allows it, or BELOW_CAP_NONE */
    } shown[BELOW_SHOWN];
};

/* Our default profile for the capabilities of `t`. */
int below_compile_default(const struct profile_target *t, struct seccomp_program *ret_program, struct err *e);

/* A user's profile; -EINVAL also for one under which no program could be started. Returns 0 with either ret_program set, or ret_excess->count above zero and no program. */
int below_compile_profile(const char *json, size_t len, const struct profile_target *t,
                          struct seccomp_program *ret_program, struct below_excess *ret_excess,
                          struct err *e);
