/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a container's log in the audit log (event "container.log"), where no shim can change it: written when the
 * engine sees that a run has ended, and for a running container whenever it is asked to.
 */
#pragma once

#include "engine/container.h"
#include "engine/logs_verify.h"

/* Records where the log of a run that has ended ends. A log without records is not told of; a failure is kept for audit_log_warning. */
void logs_anchor_end(const struct store *s, const struct container *c);

/* The same for a running container, when its log has grown since. */
void logs_anchor_now(const struct store *s, const struct container *c);

/* All that the audit log has of a container, in order; the caller frees *ret_anchors. */
int logs_anchors_read(const struct store *s, const char *id, struct logs_anchor **ret_anchors,
                      size_t *ret_count, struct err *e);
