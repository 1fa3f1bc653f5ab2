/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first process that shares process ids or IPC with another container: it is born in that container's user namespace, with everything else
 * of its own, as a child of the supervisor.
 */
#pragma once

#include <sys/types.h>

#include "runtime/cgroup_join.h"
#include "runtime/create.h"
#include "runtime/rootfs.h"

/* `sync` is the socket of the first process; ours is closed in it. The process runs first_run with `groups`. On success *ret_pidfd and *ret_pid
 * are its own, and it waits to be equipped. */
int join_clone_first(const struct runtime_start *start, const struct rootfs_parts *parts,
                     struct cgroup_join *groups, int sync, int ours, int *ret_pidfd, pid_t *ret_pid,
                     struct err *e);
