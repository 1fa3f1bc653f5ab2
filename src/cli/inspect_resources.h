/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a container's HostConfig and Config for limits, devices and names (inspect.c). */
#pragma once

#include "cli/inspect_json.h"
#include "plan/plan.h"

/* HostConfig: weights, block I/O, devices, names, annotations. */
void inspect_add_resources(struct members *host, const struct plan *p);

/* Config: ExposedPorts. */
void inspect_add_ports(struct members *config, const struct plan *p);
