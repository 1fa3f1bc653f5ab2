/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits that this process's own control group shows, cgroup v1 and v2.
 */
#pragma once

#include <stdbool.h>

/* A limit is -1 when there is none, or none can be seen from inside. */
struct limits {
    const char *source; /* "cgroup2", "cgroup1", "both" or "none": where at least one was found */
    long long pids;
    long long memory;     /* bytes */
    long long swap;       /* bytes; v1: memory and swap together less memory */
    long long millicores; /* thousandths of a processor */
};

struct limits read_limits(void);
