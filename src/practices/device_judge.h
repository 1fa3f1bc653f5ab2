/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices of the host a container may have. */
#pragma once

#include "plan/device.h"
#include "plan/policy.h"

/*
 * Looks at the source and fills type and numbers of d. Devices that act on nothing but the container, or on one thing that somebody
 * has plugged in, may be had by the flag; all others need the policy: *ret_right is its line then, else NULL. -EPERM with practice 5 when it is
 * missing, -EINVAL when the source is no device.
 */
int device_judge(struct plan_device *d, const struct policy_rights *rights,
                 const struct policy_right **ret_right, struct err *e);

/* The same device is still behind the source: -ESTALE when not. */
int device_check(const struct plan_device *d, struct err *e);
