/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a process with what it has started, as far as it can be found. */
#pragma once

#include <sys/types.h>

/* Kills the process, its descendants and what is in the session that it leads. A descendant that has left both the session and its
 * parents before is not found. The process itself is left for its parent to reap. */
void kill_tree(pid_t leader);
