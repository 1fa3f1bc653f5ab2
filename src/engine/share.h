/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --pid container:X and --ipc container:X: a container that shares namespaces of another one lives in that one's user namespace, with the same
 * block of host ids, and so can start while the other runs only.
 */
#pragma once

#include "engine/container.h"
#include "runtime/spec.h"

/* Before a container is made: names become ids. -EPERM when the other one does not share its IPC. */
int share_resolve(const struct store *s, struct plan *p, struct err *e);

/* The plan shares something. */
bool share_wanted(const struct plan *p);

/* At each start: the block of the other container, which is kept from being given to anybody else while this one has it. -ESRCH when the other one
 * does not run. */
int share_block(const struct store *s, const struct container *c, struct err *e);

/* What is joined, into the spec. The other container must still have the block. */
int share_compose(const struct store *s, const struct plan *p, unsigned block, struct spec *spec,
                  struct err *e);
