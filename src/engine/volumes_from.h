/* SPDX-License-Identifier: Apache-2.0 */
/* --volumes-from: the volumes and binds of other containers. */
#pragma once

#include "plan/plan.h"
#include "store/root.h"

/* Adds the mounts of each container that plan->volumes_from names, where the plan has none of its own at that place; of two containers the
 * later one counts. Whether a bind may be had is for practice 5, as if it had been asked for. */
int volumes_from_merge(const struct store *s, struct plan *p, struct err *e);
