/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a control group, as v1 and v2 spell them. Used by cgroup.c only. Sources: kernel Documentation/admin-guide/cgroup-v1, cgroup-v2.rst. */
#pragma once

#include "runtime/cgroup.h"

/* Readies PARENT in one v1 hierarchy. Done at every start: the command that made PARENT may have been killed before it was ready. */
int cgroup_v1_prepare(enum cgroup_controller c, int root, int parent, uint64_t total_memory, struct err *e);
/* A new v1 cpuset has no processors and no memory nodes: takes the parent's. */
int cgroup_v1_inherit_cpuset(int parent, int dir, struct err *e);
int cgroup_v1_set(const struct cgroup *g, const struct spec_resources *r, struct err *e);
/* Only the nodes of runtime/devices.c and those of r may be opened, none may be made (cgroup_devices.c). Where the kernel cannot judge devices by control
 * group it is an error for those that were granted in part only. */
int cgroup_restrict_devices(const struct cgroup *g, const struct spec_resources *r, struct err *e);

/* A number in a file that takes "max" for no limit (v2, and pids on v1). */
int cgroup_set_maximum(int dir, const char *file, uint64_t value, struct err *e);

/* Hands the controllers that exist down to PARENT and to its children. */
int cgroup_v2_prepare(int root, int parent, uint64_t total_memory, struct err *e);
/* Block I/O on either (cgroup_io.c). */
int cgroup_set_io(const struct cgroup *g, const struct spec_resources *r, struct err *e);

int cgroup_v2_set(const struct cgroup *g, const struct spec_resources *r, struct err *e);
