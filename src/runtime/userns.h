/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces that only carry an id map, for idmapped mounts, and the maps of a container's own. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* One line of a map: ids first..first+count-1 on the left are shown as outside..outside+count-1. */
struct userns_map {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

/* Writes uid_map and gid_map of a process that sits in a fresh user namespace. */
int userns_write_maps(pid_t pid, const struct userns_map *uids, size_t uid_count,
                      const struct userns_map *gids, size_t gid_count, struct err *e);

/* A user namespace with these maps; nobody lives in it. For MOUNT_ATTR_IDMAP: `inside` is the id on disk, `outside` the host id
 * that it is shown as. Returns its descriptor. */
int userns_for_idmap(const struct userns_map *uids, size_t uid_count, const struct userns_map *gids,
                     size_t gid_count, struct err *e);
