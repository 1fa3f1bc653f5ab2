/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a setuid bit give another user the identity of the file's owner?
 */
#pragma once

#include <stdbool.h>

/* The hidden verb with which the copy is executed. */
#define SETUID_REPORT_VERB "setuid-report"

/* What the copy does: its exit status says whether its effective uid differs from its real one. */
int setuid_report(void);

struct setuid_result {
    bool tried;          /* false: no place to put the copy, or no second identity to execute it with */
    bool escalates;      /* the copy ran with its owner's identity */
    const char *why_not; /* constant text when not tried */
};

/* Copies this program into a private directory, sets the bit, executes it as another user through its descriptor and removes it.
 * The directory is closed to others for as long as the copy exists, and such a copy does nothing but report. */
struct setuid_result try_setuid_copy(void);
