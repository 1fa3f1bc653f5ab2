/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules for the controller of v1 (cgroup_devices_v1.c). */
#pragma once

#include "runtime/device_program.h"

/* Has the group, whose directory that is, judge as the rules say, first to last. */
int oci_devices_write_v1(int dir, const struct device_rule *rules, size_t count, struct err *e);
