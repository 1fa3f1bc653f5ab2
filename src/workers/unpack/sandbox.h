/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of casemate-unpack. */
#pragma once

#include "base/err.h"

/* After the request, which comes from the engine, and before the first byte of the stream. Afterwards the process sees an empty
 * root, may make files below root_fd (-1: nowhere) and use the descriptors it has. */
int sandbox_enter_unpack(int root_fd, struct err *e);
