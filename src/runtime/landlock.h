/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second layer behind mounts and the filter, where the kernel has Landlock: no device node can be made, no file system can be
 * mounted or moved, and with a read-only root nothing outside the declared writable places can be changed, even by uid 0
 * and even if a mount turned out writable.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Restricts the calling process and what it starts. `writable`: absolute paths in the container (absent ones are skipped), used
 * when root_read_only. With `outside_sockets` abstract UNIX sockets that others listen on are out of reach (Linux 6.12). `program`: a file outside the root that may be executed, -1: none. Success without effect on kernels that have no
 * Landlock. */
int landlock_apply(int root_fd, bool root_read_only, const struct str_list *writable, int program,
                   bool outside_sockets, struct err *e);
