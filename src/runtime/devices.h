/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's /dev: a small tmpfs that the supervisor makes and fills on the host side, because nodes cannot be made inside
 * a user namespace. Nothing of the host's /dev is used: six nodes, the usual links, and mount points for pts, shm and mqueue.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Returns a detached mount whose files belong to `owner` (uid and gid on the host: the container's root). The calling thread's
 * file system ids are used for that and restored. */
int devices_make(uid_t owner, struct err *e);
