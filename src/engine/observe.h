/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a container's traces in the kernel are found: for explain, inspect and audit. */
#pragma once

#include "engine/container.h"

/* Name of the parent control group: "casemate", or with a suffix when the run directory is not the default one. */
const char *observe_cgroup_parent(void);

/* After a start: where an ordinary user's groups are, for commands that are elsewhere. Failure is not an error. */
struct store;
struct cgroup;
void observe_note_groups(const struct store *s, const struct cgroup *group);
