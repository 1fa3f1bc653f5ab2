/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping all processes of a container for a while. A file `paused` in the container's directory says that somebody has wanted it, so that
 * nobody has to ask the kernel about containers that run; whether they are stopped is what the kernel says.
 */
#pragma once

#include "engine/container.h"

#define PAUSED_FILE "paused"

/* Not running: -ESRCH. Paused already: -EALREADY. */
int pause_container(const struct store *s, struct container *c, struct err *e);

/* Not paused: -EINVAL. */
int unpause_container(const struct store *s, struct container *c, struct err *e);

/* Lets a container go on that a signal must reach. */
void pause_end(const struct container *c);

/* What the kernel says of a container that runs. */
bool pause_holds(const struct container *c);

/* Before a start: what an earlier run has left. */
void pause_forget(const struct container *c);
