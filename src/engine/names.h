/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers: names/<name> is a symbolic link whose text is the container's id. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "store/root.h"

/* Takes the lock that orders claims (released by closing the descriptor). Between lock and rename of the finished directory a
 * claim is safe; a link to an id without a directory is then what a killed command has left, and is taken over. */
int names_lock(const struct store *s, struct err *e);

/* -EEXIST, with Docker's words, when another container has it. The lock is held by the caller. */
int names_claim(const struct store *s, const char *name, const char *id, struct err *e);

/* Claims a random free name (two words), in *ret_name. */
int names_claim_random(const struct store *s, const char *id, char **ret_name, struct err *e);

/* The id behind a name: 1 and ret_id (ID_LENGTH + 1 bytes), or 0. */
int names_find(const struct store *s, const char *name, char *ret_id, struct err *e);

/* What leads to a container that is not there, or is called otherwise: left by a command that was killed half-way. Such a name is
 * nobody's: it is not found, and who wants it claims it. */
bool names_stale(const struct store *s, const char *name, const char *id);

/* Gives the name back if this container has it. */
void names_release(const struct store *s, const char *name, const char *id);

/* Removes names whose containers are gone (their commands were killed half-way). */
void names_sweep(const struct store *s);
