/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empty files named by a container's id, in directories of the run directory: what a later command has to look at, so that none has to
 * look at every container.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "store/root.h"

/* Containers that have ended; made by their shims (which may only create there). */
#define MARK_EXITED "exited"
/* --rm containers that the command which has made them is about to start, and what is about to be removed. */
#define MARK_STARTING "starting"

/* Containers that run and have a restart policy or a health check, or wait for a restart: for `casemate tend` (tend.h). */
#define MARK_TENDED "tended"

/* Descriptor of the directory, made when missing. */
int mark_open_dir(const struct store *s, const char *kind, struct err *e);

int mark_make(const struct store *s, const char *kind, const char *id, struct err *e);
void mark_remove(const struct store *s, const char *kind, const char *id);
bool mark_exists(const struct store *s, const char *kind, const char *id);
