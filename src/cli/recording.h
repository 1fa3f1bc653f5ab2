/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the audit log for what no function of the engine does, or happens before there is an open store. Failures are kept for
 * audit_log_warning. */
#pragma once

#include "engine/audit_log.h"
#include "image/load.h"

/* A refusal by a practice that is not recorded yet, such as one of a word of the command line. Without the right to open the
 * store (the caller is not root): does nothing. */
void record_refusal(struct err *refused);

/* login and logout, which need no store; user may be NULL. As above when there is no right to open it. */
void record_registry(enum audit_kind kind, const char *host, const char *user);

/* Each image that a load has brought. */
void record_load(const struct store *s, const struct load_result *loaded);
