/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of /proc and /sys a container does not see or cannot write. A superset of the OCI runtime specification's default
 * lists (config-linux.md, maskedPaths and readonlyPaths) and of what Docker adds.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Covers the masked paths of the container's /proc and /sys and makes the read-only ones so. Descriptors are of the new mounts, so no
 * name is looked up in anything that an image could have made. `dev_fd` is the container's /dev. */
int masks_apply(int proc_fd, int sys_fd, int dev_fd, struct err *e);

/* Adds the paths that masks_apply makes read-only, or those that it covers, where the kernel has them. */
int masks_list(bool read_only, struct str_list *paths, struct err *e);
