/* SPDX-License-Identifier: Apache-2.0 */
/* What run and create share: from options to a container that can be started. */
#pragma once

#include "cli/run_options.h"
#include "store/root.h"

/* Finds the image, lets the engine make the container (o->plan gets id, name and what the practices did), prints the practices' notes to stderr, writes
 * --cidfile. ret_waiter: as for lifecycle_create. */
int create_container(const struct store *s, struct run_options *o, int *ret_waiter, struct err *e);
