/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a running container, for who enters it, joins its namespaces or looks through its eyes. It is recorded before its
 * root is complete: at first it even has the host's, in namespaces that are the container's already. So nobody takes it for the container
 * until the kernel says that it has executed the container's program.
 */
#pragma once

#include "engine/container.h"

#define FIRST_PROCESS_WAIT_MS \
    10000 /* a start whose volumes are filled needs milliseconds from its record to the program */

/* A pidfd of it, waiting while its start is on the way. Not running, or it ends meanwhile: -ESRCH "Container X is not running". */
int first_process_open(const struct container *c, struct err *e);
