/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that do one thing to each argument: they go on after an error, which they print, and exit with 1 then. */
#pragma once

#include "cli/verbs.h"

typedef int (*arguments_act)(const char *word, void *context, struct err *e);

/* The exit status. `missing_ok`: what does not exist (-ENOENT) is told, and no failure. */
int arguments_each(const struct invocation *in, bool missing_ok, arguments_act act, void *context);
