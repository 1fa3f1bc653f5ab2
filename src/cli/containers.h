/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that do one thing to each container that is named: they go on after an error, which they print, and exit with 1 then. */
#pragma once

#include "cli/verbs.h"
#include "engine/container.h"

/* `word` is how the user named it. Errors are printed by the caller. */
typedef int (*containers_act)(const struct store *s, struct container *c, const char *word, void *context,
                              struct err *e);

/* Opens the store and acts on each argument of the verb. The exit status, or a negative errno when not even the store opens.
 * `missing_ok`: a container that does not exist is told, and no failure. */
int containers_each(const struct invocation *in, bool missing_ok, containers_act act, void *context,
                    struct err *e);

/* Opens the store and the container. */
int containers_open(struct store *ret_store, const char *word, struct container *ret_container,
                    struct err *e);
