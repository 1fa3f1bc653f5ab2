/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan's limits and devices to what the control group and /dev get. */
#pragma once

#include "plan/plan.h"
#include "runtime/spec.h"
#include "store/root.h"

/* Limits that can be changed while a container runs: all but block I/O and devices. */
int compose_limits(const struct plan *p, struct spec_resources *ret, struct err *e);

/* Adds block I/O: the disk of the data root, and those that are named. */
int compose_io(const struct store *s, const struct plan *p, struct spec_resources *ret, struct err *e);

/* Adds the devices that were granted, when they are still the same. */
int compose_devices(const struct plan *p, struct spec_resources *ret, struct err *e);

/* Containers go before anything else of the host; what plans of versions that had no such member get. */
#define COMPOSE_OOM_SCORE_ADJ 500
int compose_oom_score_adj(const struct plan *p);
