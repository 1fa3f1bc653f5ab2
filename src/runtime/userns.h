/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces that only carry an id map, for idmapped mounts, and the maps of a container's own. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/identity.h"

/* Writes uid_map and gid_map of a process that sits in a fresh user namespace. */
int userns_write_maps(pid_t pid, const struct id_map *uids, size_t uid_count, const struct id_map *gids,
                      size_t gid_count, struct err *e);

/* A user namespace with these maps; nobody lives in it. For MOUNT_ATTR_IDMAP: `inside` is the id on disk, `outside` the host id
 * that it is shown as. Returns its descriptor. */
int userns_for_idmap(const struct id_map *uids, size_t uid_count, const struct id_map *gids, size_t gid_count,
                     struct err *e);
