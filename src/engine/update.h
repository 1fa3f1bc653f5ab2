/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a container's limits and restart policy, while it runs and for every start to come. */
#pragma once

#include <stdbool.h>

#include "engine/container.h"
#include "plan/plan.h"

/*
 * `asked` has what is to change, everything else PLAN_UNSET or NULL; its `restart` is a policy ("no" takes one away). The same practice judges it
 * as at creation, with the policy as it is now; what is raised is recorded before it has an effect. A running container gets it at once: when the kernel
 * refuses (memory that is in use), nothing has changed. *ret_old: processes that run have kept their own, lower limit of
 * processes by user (RLIMIT_NPROC), since this program may not raise it.
 */
int update_container(const struct store *s, struct container *c, const struct plan *asked, bool *ret_old,
                     struct err *e);
