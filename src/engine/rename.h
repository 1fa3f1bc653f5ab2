/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a container that was renamed: containers/<id>/name, one line; it takes the place of the plan's, which never changes. */
#pragma once

#include "engine/container.h"

#define RENAME_FILE "name"

/* Gives it another name; -EEXIST with Docker's words when a container has it. Works while it runs. */
int rename_container(const struct store *s, struct container *c, const char *name, struct err *e);

/* Replaces p->name when the container was renamed. */
int rename_read(int dir, struct plan *p, struct err *e);

/* Docker's grammar of names. */
int rename_check(const char *name, struct err *e);
