/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health of containers as Docker has it: a command that runs in the container again and again. What is known stands in two files of the
 * container's directory, each replaced by rename: health.state, one line for `ps`
 * ("casemate-health 1 START STATUS STREAK"; START is that of the run it belongs to), and health.json with the last results. What
 * a check writes comes from the container: it is kept as text and never interpreted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/container.h"

#define HEALTH_RESULTS 5
#define HEALTH_OUTPUT_MAX \
    4096 /* bytes of output that are kept of a check; "..." behind says that there was more */
#define HEALTH_EXIT_TIMEOUT (-1) /* exit code of a check that took too long, or could not be run */

enum health_status { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health_result {
    int64_t start, end; /* ns since the epoch */
    int exit_code;
    char *output;
};

struct health {
    enum health_status status;
    uint64_t streak;                              /* failures in a row */
    struct health_result results[HEALTH_RESULTS]; /* oldest first */
    size_t count;
};

/* In nanoseconds, with Docker's defaults where the plan has none. */
struct health_times {
    uint64_t interval, timeout, start_period, start_interval;
    uint64_t retries;
};

/* The plan has a command to run. */
bool health_wanted(const struct plan *p);
void health_times(const struct plan *p, struct health_times *ret);

/* "none", "starting", "healthy", "unhealthy". */
const char *health_status_name(enum health_status status);

/* Status and streak only: cheap. HEALTH_NONE without a check, HEALTH_STARTING before the first result of this run. */
enum health_status health_status_of(const struct container *c);

/* Everything; the caller clears it. A file that cannot be read counts as none. */
void health_read(const struct container *c, struct health *ret);
void health_clear(struct health *h);
#define _cleanup_health_ _cleanup_(health_clear)

/* Takes a result in (and its output); true when the status has changed. */
bool health_add(struct health *h, const struct container *c, struct health_result *result);

int health_write(const struct container *c, const struct health *h, struct err *e);

/* When the next check is due; ns since the epoch. */
int64_t health_due(const struct container *c, int64_t now);

/* health_check.c: runs one check of a running container, and writes down how it went. Blocks for as long as the check may take. Another check of
 * the same container is under way, or it is paused: does nothing. */
int health_check(const struct store *s, struct container *c, struct err *e);
