/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a container's shim (base/shimproto.h). */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Returns a connected SOCK_SEQPACKET descriptor on which SHIM_HELLO has been sent; `want` is of enum shim_hello_flags. Works before the
 * shim runs, once its socket listens. -ECONNREFUSED when no shim lives. */
int attach_connect(int shim_dir_fd, uint32_t want, struct err *e);
