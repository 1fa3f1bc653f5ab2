/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's /dev: a small tmpfs that the supervisor makes and fills: six nodes, those that were granted, the usual links, and mount points for pts, shm
 * and mqueue. Root makes nodes of its own. An ordinary user cannot: then the host's six nodes are mounted on files, which the
 * container's first process does, when /dev has its place.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "runtime/spec.h"

#define DEVICES_COUNT 6

/* Returns a detached mount whose files belong to `owner` (uid and gid on the host: the container's root). The calling thread's
 * file system ids are used for that and restored. nodes: detached mounts for devices_attach, -1 where the node is there; the caller
 * closes them, also on failure. */
int devices_make(uid_t owner, const struct spec_resources *r, int nodes[DEVICES_COUNT], struct err *e);

/* Mounts them in the attached /dev. */
int devices_attach(int dev_fd, const int nodes[DEVICES_COUNT], struct err *e);
