/* SPDX-License-Identifier: Apache-2.0 */
/* What a restart policy wants of a container that has ended. Judges records alone, so that everybody comes to the same answer: the
 * tender that does it, `ps` that shows it, the next command when the tender was killed. */
#pragma once

#include "engine/container.h"

#define RESTARTING_DELAY_MIN 100000000ULL   /* ns: of the first restart; each one doubles it */
#define RESTARTING_DELAY_MAX 60000000000ULL /* ns */
#define RESTARTING_RAN_WELL 10000000000LL   /* ns of running after which it begins anew */

/* Whether it is to be started again. Running: false. `boot`: the machine has just booted, so that `always` comes back although the user
 * had stopped it. */
bool restarting_wanted(const struct container *c, bool boot);

/* The last restart by its policy did not get as far as the program. */
bool restarting_failed(const struct container *c);

/* Names its newest end: the start of the run that has ended, or the time of a restart that failed. */
int64_t restarting_end(const struct container *c);

/* How long it waits after its end; ns. */
uint64_t restarting_delay(const struct container *c);

/* When that is over; ns since the epoch. Nobody knows when a lost one has ended: `now` counts. */
int64_t restarting_due(const struct container *c, int64_t now);
