/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs of removed containers: logs/removed/<id>/ of the data root has the files of shim/log as they were, and removed.json that says whose
 * they are. They go by age and by the size of all (keys removed-logs… of the policy).
 */
#pragma once

#include <stdint.h>

#include "base/id.h"
#include "engine/container.h"
#include "plan/policy.h"

/* Puts the log of a container that is about to be removed aside, unless it is empty or not to be kept; expires others when all
 * together are too large, or when nobody has looked for an hour. That it fails is no reason not to remove the container. The caller holds
 * the container's lock. */
void logs_removed_keep(const struct store *s, const struct container *c);

struct logs_removed {
    char id[ID_LENGTH + 1];
    char *name, *image;       /* NULL: not known (the command that removed it was killed) */
    int64_t created, removed; /* ns since the epoch */
    int exit_code;
    uint64_t size; /* bytes */
};
void logs_removed_clear(struct logs_removed *r);
#define _cleanup_logs_removed_ _cleanup_(logs_removed_clear)

/* All, the one removed last first, until visit returns non-zero. `dir`: that of the log. */
int logs_removed_for_each(const struct store *s,
                          int (*visit)(const struct logs_removed *r, int dir, void *context, struct err *e),
                          void *context, struct err *e);

/* By name (the last one that had it), id or unique prefix of one: *ret_dir is the directory of its log. -ENOENT "No log of a removed container: X". */
int logs_removed_find(const struct store *s, const char *word, struct logs_removed *ret, int *ret_dir,
                      struct err *e);

/* Removes what is older, and the oldest of what is more, than the policy says. */
int logs_expire(const struct store *s, const struct policy *p, struct err *e);
