/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On cgroup v1 the first process that is moved after a while waits for an RCU grace period (5 to 10 ms: more than all the rest of a start);
 * moves that follow within about as much time do not. So a start begins with a move that changes nothing, of this process into the
 * control group where it is, in a thread beside everything else. On v2 the container is born in its group (CLONE_INTO_CGROUP), without a move.
 */
#pragma once

/* Returns at once. Failure only means that the start takes longer. */
void cgroup_warm_up(void);
