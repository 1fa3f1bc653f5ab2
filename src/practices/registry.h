/* SPDX-License-Identifier: Apache-2.0 */
/* The fourteen, each defined in its own file. */
#pragma once

#include "practices/practice.h"

extern const struct practice practice_updates;
extern const struct practice practice_lean;
extern const struct practice practice_network;
extern const struct practice practice_limits;
extern const struct practice practice_isolation;
extern const struct practice practice_capabilities;
extern const struct practice practice_syscalls;
extern const struct practice practice_trust;
extern const struct practice practice_scanning;
extern const struct practice practice_minimal;
extern const struct practice practice_user;
extern const struct practice practice_secrets;
extern const struct practice practice_files;
extern const struct practice practice_encryption;

/* Block I/O, a part of practice 4. */
int limits_apply_io(struct practice_run *run, struct err *e);
/* An ordinary user's container whose control group has no such controller, since it is not delegated: 1 when a line has been added.
 * What is left to hold it, if anything, stands in `instead`. */
int limits_not_delegated(const struct subject *s, const char *controller, const char *v2, const char *what,
                         const char *instead, struct evidence *ret, struct err *e);
int limits_explain_io(const struct subject *s, struct evidence *ret, struct err *e);
/* limits_disk.c */
int limits_apply_disk(struct practice_run *run, struct err *e);
int limits_explain_disk(const struct subject *s, struct evidence *ret, struct err *e);

/* Evidence of two of them is long enough for files of its own. */
int limits_explain(const struct subject *s, struct evidence *ret, struct err *e);
int isolation_explain(const struct subject *s, struct evidence *ret, struct err *e);
