/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits that `casemate update` has changed: containers/<id>/limits.json beside the plan, which never changes. It has all limits that can
 * be changed, and the grants. Whoever writes holds the container's lock.
 */
#pragma once

#include "base/err.h"
#include "plan/plan.h"

#define LIMITS_FILE "limits.json"

/* Puts what was changed over the plan's. `dir` is the container's. Absent: nothing was. */
int limits_read(int dir, struct plan *p, struct err *e);

/* Replaces the file; it is on the disk when this returns. */
int limits_write(int dir, const struct plan *p, struct err *e);
