/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes of a plan, opened for one start: in the order of their names, so that starts that wait for each other's volumes cannot lock up. */
#pragma once

#include "engine/container.h"
#include "engine/volume.h"
#include "runtime/spec.h"

struct compose_volume {
    const char *name; /* borrowed from the plan */
    int data;         /* O_PATH */
    bool sync;        /* it outlives the container */
    struct volume_fill fill;
};

struct compose_volumes {
    struct compose_volume *items;
    size_t count;
};

void compose_volumes_clear(struct compose_volumes *v);
#define _cleanup_compose_volumes_ _cleanup_(compose_volumes_clear)

/* Makes the anonymous ones that are missing; a named one that is missing is an error. */
int compose_volumes_open(const struct store *s, const struct container *c, struct compose_volumes *ret,
                         struct err *e);

/* Adds the bind for a mount of type volume. The first mount that may fill the volume does. */
int compose_add_volume(struct compose_volumes *v, const struct plan_mount *m, struct spec *spec,
                       struct err *e);

/* MOUNT_ATTR_* of a bind or volume. */
uint64_t compose_mount_attr(const struct plan_mount *m);
