/* SPDX-License-Identifier: Apache-2.0 */
/* The system call filters of a container: the built-in ceiling, and a custom profile below it. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "seccomp/tables.h"

/* The built-in filter for a container with these capabilities. Borrowed, lives as long as the program. -ENOENT when it is not built in. */
int filter_cache_ceiling(int cache_fd, uint64_t capabilities, const struct filter **ret, struct err *e);
