/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which paths of the host may be bound into a container (practice 5). Judged on the opened descriptor, never on the text that was
 * asked for: links, "..", magic links and other mounts of the same files (mount --bind) all lead to the same answer. What contains a
 * protected path, by directory or by a mount below, is protected as well.
 *
 * Casemate's own state can never be bound. Everything else can be allowed by `allow-host-path = PATH` in the policy.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "plan/policy.h"

/* At each start, on the descriptor that is mounted (O_PATH will do). -EPERM with practice 5 when it is refused. The policy is read only
 * when the path needs a line of it, so a line that was taken out counts from the next start on. */
int bind_source_check(int fd, const char *source, bool read_only, struct err *e);

/* When a container is created. `source` need not exist: what is missing is judged by where it would be made. *ret_right is the right that
 * allows it (borrowed from rights), or NULL when none is needed. */
int bind_source_judge(const char *source, bool read_only, const struct policy_rights *rights,
                      const struct policy_right **ret_right, struct err *e);
