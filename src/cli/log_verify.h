/* SPDX-License-Identifier: Apache-2.0 */
/* casemate log verify for logs of containers. */
#pragma once

#include "cli/verbs.h"
#include "store/root.h"

/* Each container that `names` has, by name or id, removed ones too; says of each what it found. The exit status: 1 when any log is not
 * intact, or a negative errno. */
int log_verify_named(const struct store *s, char *const *names, size_t count, struct err *e);

/* Every container, and what is kept of removed ones. As above. */
int log_verify_all(const struct store *s, struct err *e);
