/* SPDX-License-Identifier: Apache-2.0 */
/* What a running group does: stopping all its processes and letting them go on, what it uses, who is in it. Sources of the files:
 * Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of the kernel. */
#pragma once

#include "runtime/cgroup.h"

/* Stops every process of the group, or lets them go on; returns when the kernel has done it. -ENOSYS where the kernel has no freezer. */
int cgroup_freeze(const struct cgroup *g, bool frozen, struct err *e);

/* True while its processes are stopped, or about to be. */
bool cgroup_is_frozen(const struct cgroup *g);

/* Lets PARENT/ID go on, if it is there: killed processes of a stopped v1 group stay until then. */
void cgroup_thaw(const char *parent, const char *id);

struct cgroup_use {
    uint64_t cpu_ns; /* processor time since the group was made */
    uint64_t
        memory; /* bytes, without what the kernel could drop at once (inactive file pages), as Docker counts */
    uint64_t memory_limit; /* SPEC_UNSET: none */
    uint64_t processes;
    uint64_t read_bytes, written_bytes; /* of block devices */
};

/* What cannot be read is 0. */
void cgroup_read_use(const struct cgroup *g, struct cgroup_use *ret);

/* Calls visit for every process of the group, by its id on the host. */
int cgroup_for_each_process(const struct cgroup *g, void (*visit)(pid_t pid, void *context), void *context,
                            struct err *e);
