/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command finds undone it does: containers that have ended while nobody waited are released, --rm ones are removed; what killed
 * commands have left goes. Failures are left for the next time.
 */
#pragma once

#include <stdbool.h>

#include "engine/shown.h"
#include "store/root.h"

/* Looks at the marks in the run directory (engine/mark.h): costs nothing when nothing has ended. */
void mend_ended(const struct store *s);

/* Also staging directories, names, id blocks and control groups that no running container holds (their makers were killed). */
void mend_all(const struct store *s);

/* The same for a command that has just listed them all: names and blocks are gone through only when there are not as many of them as the containers
 * hold. True when they were: what was listed may be another now. */
bool mend_counted(const struct store *s, const struct shown_counts *counts);
