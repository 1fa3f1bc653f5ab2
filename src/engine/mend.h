/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command finds undone it does: containers that have ended while nobody waited are released, --rm ones are removed; what killed
 * commands have left goes. Failures are left for the next time.
 */
#pragma once

#include "store/root.h"

/* Looks at the marks in the run directory (engine/mark.h): costs nothing when nothing has ended. */
void mend_ended(const struct store *s);

/* Also staging directories, names, id blocks and control groups that no running container holds (their makers were killed). */
void mend_all(const struct store *s);
