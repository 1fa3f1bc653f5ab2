/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: who did what with containers and images, which defaults were relaxed by what, and what was refused. Records are chained
 * (audit_record.h) and appended with one write(2) under a lock, to files that audit_files.h names.
 *
 * What relaxes a default is recorded, and flushed to the disk, before it has an effect, and does not happen when that fails. What
 * relaxes nothing goes on without its record; the command says so once (audit_log_warning).
 */
#pragma once

#include "engine/audit_record.h"
#include "plan/plan.h"
#include "store/root.h"

/* Records the events in order, in one write. `sync`: they are on the disk when it returns. *ret_seq (may be NULL): number of the first one. */
int audit_log_append(const struct store *s, const struct audit_event *events, size_t count, bool sync,
                     uint64_t *ret_seq, struct err *e);

/* Records every grant of the plan, synced, and notes in each its number. No grants: does nothing. */
int audit_log_grants(const struct store *s, struct plan *p, struct err *e);

/* Several events in one write; a failure is kept for audit_log_warning. */
void audit_note_all(const struct store *s, const struct audit_event *events, size_t count);

/* The event of a container; a failure is kept for audit_log_warning. what may be NULL. */
void audit_note_container(const struct store *s, enum audit_kind kind, const struct plan *p,
                          const char *what);

/* A command of exec, likewise; user may be NULL. */
void audit_note_exec(const struct store *s, const struct plan *p, const struct str_list *command,
                     const char *user);

/* The event of an image or registry, likewise; image (an id) and what may be NULL. */
void audit_note_name(const struct store *s, enum audit_kind kind, const char *name, const char *image,
                     const char *what);

/* A refusal by a practice, likewise; p (may be NULL) is the plan that was refused. Does nothing for an error that is none, or that is recorded
 * already. */
void audit_note_refusal(const struct store *s, const struct plan *p, struct err *refused);

/* Why something could not be recorded since the program started; NULL: everything was. */
const char *audit_log_warning(void);
