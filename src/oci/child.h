/* SPDX-License-Identifier: Apache-2.0 */
/* The container's first process from its birth to casemate-enter: a fork of the command in the container's namespaces. */
#pragma once

#include "oci/cgroup.h"
#include "oci/config.h"
#include "oci/container.h"
#include "oci/rootfs.h"

struct oci_child {
    const struct oci_config *config;
    const struct oci_sources *sources;
    const struct oci_cgroup *cgroup;
    struct oci_cgroup_join *join;    /* v1 groups that it joins by itself */
    struct oci_container *container; /* for the state that createContainer hooks get */
    int sync;                        /* its end (sync.h) */
    int enter, job, start;           /* casemate-enter, its job, and the socket that it waits on */
    bool no_pivot;
    bool may_set_groups;
    bool awaits_maps; /* oci_namespaces_need_maps_of_user */
};

_Noreturn void oci_child_run(const struct oci_child *c);

/* Becomes casemate-enter, for a first process and for exec. The descriptors are kept open in it. Does not return. */
_Noreturn void oci_child_enter(int sync, int enter, int job, int start);

/* The id that a new user namespace's root has; makes this process that. */
int oci_child_become_root(bool may_set_groups, struct err *e);

/* A terminal of the devpts that is mounted in the container: the slave becomes this session's terminal and standard streams, the master is
 * sent over `sync`. With `console` the slave is shown at /dev/console too. */
int oci_child_open_terminal(const struct oci_rootfs *f, const struct oci_process *p, int sync, bool console,
                            struct err *e);

/* Writes it when it is set (oom_score.c). An ordinary user's request that the kernel refuses is passed over. */
int oci_oom_score_set(pid_t pid, const struct schema_number *score, struct err *e);

/* Pipes and files among the standard streams are given to the user, so that /dev/stdout can be opened again. */
int oci_child_give_streams(const struct oci_process *p, struct err *e);
