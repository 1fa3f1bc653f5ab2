/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that run in the namespaces of the calling process (config.md, "POSIX-platform Hooks"). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "oci/config.h"

/* Runs them one after the other, each with the state (JSON) on its standard input. The first that fails or takes longer than its timeout
 * ends it: the error has what it wrote to its standard error. `name` is "createRuntime" and so on. */
int oci_hooks_run(const struct schema_list *hooks, const char *name, const char *state, struct err *e);

/* Runs them all, as hooks of a container that is no more: one that fails is a line in `warnings` (may be NULL). */
void oci_hooks_run_all(const struct schema_list *hooks, const char *name, const char *state,
                       struct str_list *warnings);
