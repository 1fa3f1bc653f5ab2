/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of a container directory. All are flock(2): a killed command holds nothing. */
#pragma once

#include "engine/container.h"

/* Orders the commands that change a container: waits, and returns a descriptor whose closing unlocks. -ENOENT when the container has
 * been removed meanwhile. */
int lock_container(const struct store *s, const struct container *c, struct err *e);

/* "I still want to read how it ended": while anyone holds this, a --rm container stays. Returns a descriptor. */
int lock_waiter(const struct container *c, struct err *e);
/* The same for the directory of a container that is being made. */
int lock_waiter_at(int dir, struct err *e);

/* True when nobody holds lock_waiter. */
bool lock_no_waiter(const struct container *c);

/* Gives those who wait a moment to read; then the caller goes on. */
void lock_await_readers(const struct container *c);
