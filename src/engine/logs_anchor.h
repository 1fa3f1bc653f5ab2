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

/* Those of all containers, read once: for who looks at many logs. */
struct logs_anchors {
    struct logs_anchor_of {
        char id[ID_LENGTH + 1];
        struct logs_anchor anchor;
    } * items;
    size_t count, capacity;
};

int logs_anchors_read_all(const struct store *s, struct logs_anchors *ret, struct err *e);
void logs_anchors_clear(struct logs_anchors *all);
#define _cleanup_logs_anchors_ _cleanup_(logs_anchors_clear)

/* As logs_anchors_read. */
int logs_anchors_of(const struct logs_anchors *all, const char *id, struct logs_anchor **ret_anchors,
                    size_t *ret_count, struct err *e);
