/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system: read-only layers and one writable layer, all stored in the neutral id range, joined by overlayfs.
 *
 * Two halves. The supervisor, with the host's privileges, makes detached id-mapped mounts of the directories. The container's
 * first process, with no privilege outside its own user namespace, joins them: the overlay is mounted with the container
 * root's credentials, so what overlayfs does on its behalf it could do itself.
 */
#pragma once

#include "base/err.h"
#include "runtime/spec.h"

struct overlay_trees {
    int layers[SPEC_LAYERS_MAX]; /* detached, id-mapped, read-only; topmost first */
    size_t layer_count;
    int writable; /* detached, id-mapped; holds upper/ and work/ */
};

void overlay_trees_clear(struct overlay_trees *t);

/* Supervisor half. `idmap` is a user namespace that shows the neutral range as the container's block. */
int overlay_prepare(const struct spec *s, int idmap, struct overlay_trees *ret_trees, struct err *e);

/* Container half: returns the descriptor of the overlay mount, detached. Uses /tmp of the (own) mount namespace. */
int overlay_mount(const struct overlay_trees *t, struct err *e);
