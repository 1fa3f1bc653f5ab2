/* SPDX-License-Identifier: Apache-2.0 */
/* The container's first process, from clone to exec. */
#pragma once

#include "runtime/cgroup_join.h"
#include "runtime/create.h"
#include "runtime/rootfs.h"

/* Runs in the fresh namespaces; `join` leads into the v1 control groups, `sync` is its end of the pair. Does not return. */
_Noreturn void first_run(const struct runtime_start *start, const struct rootfs_parts *parts,
                         struct cgroup_join *join, int sync);
