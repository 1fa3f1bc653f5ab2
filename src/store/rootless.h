/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine of an ordinary user: a user namespace in which the user is id 0 and the subordinate ids are those of base/ids.h
 * (base/identity.h). The command makes it once and executes itself again in it; nothing is left running for it. It lives for as long as a
 * command or a shim of that user lives in it, and the next command joins it there: all of a user's containers must have one parent
 * namespace, or one command could not command what another has started. Who lives in it is noted in run/members/; what is found there is
 * believed only if it is the process that was noted and its namespace belongs to the user.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "store/root.h"

/* For a process that is not ready (identity_ready): joins or makes the namespace and executes the program again with the same words.
 * Returns only on failure, with one line that says what to mend. */
int rootless_enter(char **argv, struct err *e);

/* Notes a child that lives on, before this process ends. Does nothing for root. */
int rootless_note(const struct store *s, pid_t child, struct err *e);

/* Notes this process, a child of `parent`, as one that lives on. Fails when the parent is gone, since nobody may have known of the
 * namespace for a moment. Does nothing for root. */
int rootless_note_self(const struct store *s, pid_t parent, struct err *e);
