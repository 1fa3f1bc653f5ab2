/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The volumes of a container that is being made. Named ones are made when they are missing, and stay, whatever becomes of the container.
 * Anonymous ones get their names here and are made by each start that misses them (compose_volumes.h): a command that is killed now leaves
 * none that belongs to nobody.
 */
#pragma once

#include "engine/volume.h"
#include "plan/plan.h"

/* Shared locks on the volumes, held until the container is in its place. */
struct create_volumes {
    int *locks;
    size_t count;
};

#define _cleanup_create_volumes_ _cleanup_(create_volumes_clear)
void create_volumes_clear(struct create_volumes *v);

/* Notes the container as user of each volume that exists. The plan has its id. */
int create_volumes(const struct store *s, struct plan *p, struct create_volumes *ret, struct err *e);

/* The container is there, or was not made: then it is no user. */
void create_volumes_end(struct create_volumes *v, const char *container, bool made);
