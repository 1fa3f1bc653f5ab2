/* SPDX-License-Identifier: Apache-2.0 */
/* Making the user namespace of an ordinary user's engine, with the help of newuidmap(1) and newgidmap(1). */
#pragma once

#include "base/err.h"

/* Puts this process (of one thread) in a new user namespace with the map of identity_engine_map. What is missing on this machine
 * is said in one line, with the command that mends it. */
int rootless_map_make(struct err *e);
