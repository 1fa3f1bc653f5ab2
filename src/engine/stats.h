/* SPDX-License-Identifier: Apache-2.0 */
/* What a running container uses, from its control group, or where an ordinary user has none from its processes, and its network namespace. */
#pragma once

#include "engine/container.h"
#include "runtime/cgroup_state.h"

struct stats_sample {
    struct cgroup_use use;
    uint64_t received, sent; /* bytes over the interfaces of its network namespace, without loopback */
    int64_t time;            /* monotonic, ns */
};

/* -ENOENT when it does not run any more. */
int stats_read(const struct container *c, struct stats_sample *ret, struct err *e);

/* Hundredths of a percent of one processor between two samples. */
uint64_t stats_cpu(const struct stats_sample *before, const struct stats_sample *now);
