/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of an ordinary user: what the administrator or systemd has delegated, which is what belongs to the user on the way
 * from the root of a hierarchy to the group of this process (cgroups(7), "cgroup delegation"). Used by cgroup.c only.
 */
#pragma once

#include "runtime/cgroup.h"

/* The highest group of the user's, opened below the root of a hierarchy (`where`: enum cgroup_controller, CGROUP_CONTROLLERS for the
 * unified one); -1 when nothing is delegated. With `join` only one into which this process, and so its children, can go: on the way
 * to its own group. Without it also the one that systemd keeps for the user, where an earlier command may have been. */
int cgroup_delegated(int root, int where, bool join);

/* Forgets the limits for which the group has no controller. */
void cgroup_forget_missing(const struct cgroup *g, struct spec_resources *r);
