/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses, in the form in which runc's `events` prints it and schedulers read it. */
#pragma once

#include <json-c/json.h>

#include "base/err.h"
#include "oci/cgroup.h"

/* {"cpu": {...}, "memory": {...}, "pids": {...}, "blkio": {...}, "hugetlb": {...}}; *ret is the caller's. */
int oci_stats(const struct oci_cgroup *g, struct json_object **ret, struct err *e);

/* How often the kernel has ended a process of the group for memory; 0 when it does not say. */
uint64_t oci_oom_kills(const struct oci_cgroup *g);
