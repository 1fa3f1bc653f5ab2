/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of 65,536 host ids for containers (base/ids.h). A block is claimed by creating run/ids/<number> exclusively; the file
 * holds the container's id. Costs the same with one container or thousands. Blocks are handed out in turn, so that one that has just
 * been given back is not used again at once.
 */
#pragma once

#include "base/err.h"
#include "store/root.h"

#define IDPOOL_DIR "ids" /* in the run directory */
#define IDPOOL_JOINED_DIR "joined"

/* Claims a free block for the container; returns its number (1 and up) or -EUSERS. */
int idpool_claim(const struct store *s, const char *container_id, struct err *e);

/* One more container has the block that another one has claimed (run/joined/<number>.<id>): it lives in that one's user namespace. The caller holds
 * the lock of the one that has claimed it, and has seen it run. */
int idpool_join(const struct store *s, unsigned block, const char *container_id, struct err *e);

/* Gives a block back, if that container holds it; when others have joined it, it is theirs from now on. Not held: success. */
int idpool_release(const struct store *s, unsigned block, const char *container_id, struct err *e);

/* Calls visit for each claimed block with what its file holds (the container's id, or less while it is being claimed). */
void idpool_for_each(const struct store *s,
                     void (*visit)(unsigned block, const char *container_id, void *context), void *context);
