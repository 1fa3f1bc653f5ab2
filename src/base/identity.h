/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose ids these are. Root has the whole pool of ids.h. An ordinary user has subordinate ids (subuid(5)), usually 65,536: then the
 * engine runs as id 0 of a user namespace (store/rootless.h) whose map shows those under the very numbers of ids.h, so that
 * nothing else of Casemate needs to know. What is different is said here and nowhere else:
 *
 *   - the neutral range is also the block of every container, since the kernel does not let an ordinary user map the ids of a mount;
 *   - where the user's range is small the block has a gap: its first ids, and 65534 ("nobody"), are there;
 *   - there are fewer single ids for shims, so fewer containers at once.
 *
 * All of it is read from the kernel (/proc/self/uid_map), so nothing that a caller says can change it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One line of a map of ids (user_namespaces(7)): ids inside.. on the left are shown as outside... */
struct id_map {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

#define IDENTITY_BLOCK_MAPS 4   /* most lines of a block's map */
#define IDENTITY_ENGINE_MAPS 5  /* lines of the map of the user namespace of an ordinary user's engine */
#define IDENTITY_RANGE_MIN 8192 /* fewer subordinate ids are refused */

/* True for an ordinary user, outside or inside the engine's own user namespace. */
bool identity_rootless(void);

/* True once this process is in that namespace, or is root: it can do what the engine does. */
bool identity_ready(void);

/* The map of a user namespace whose ids are the block (or the neutral range) that starts at `first`. Returns how many lines. */
size_t identity_block_map(uid_t first, struct id_map ret[IDENTITY_BLOCK_MAPS]);

/* The same, but `owner` (1 and up; 0: none) is the engine's own user, where mounts cannot show a bind's owner as the container's user. */
size_t identity_block_map_with(uid_t first, uint32_t owner, struct id_map ret[IDENTITY_BLOCK_MAPS]);

/* How many of a block's ids there are without a gap: IDS_BLOCK_SIZE, or fewer; 65534 is there besides. */
uint32_t identity_block_ids(void);

/* True for an id that a container can have. */
bool identity_block_has(uint32_t id);

/* How many containers there can be at once: they have the numbers 1 and up. */
unsigned identity_containers_max(void);

/* First id of the block of container number n, and the id of its shim. */
uid_t identity_block_first(unsigned n);
uid_t identity_shim(unsigned n);

/* True when mounts can show the ids on disk as others: else what is stored is in the ids that containers have. */
bool identity_maps_mounts(void);

/* What the kernel outside of the engine's namespace calls this id. -1 when it is nobody there. */
uid_t identity_host_uid(uid_t id);

gid_t identity_host_gid(gid_t id);

/* True for the owner of what the administrator has written: root, or from inside of the engine's namespace whoever is not in it; for the root of
 * another namespace of an ordinary user the overflow id, as which the host's root shows there. */
bool identity_is_administrator(uid_t owner);

/* The map of an engine's namespace for a user's id and `count` subordinate ids from `first`. */
void identity_engine_map(uint32_t user, uint32_t first, uint32_t count,
                         struct id_map ret[IDENTITY_ENGINE_MAPS]);
