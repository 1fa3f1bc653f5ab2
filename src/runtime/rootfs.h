/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's view of files, built by its first process in its own namespaces: overlay root, /proc, /sys, /dev, cgroup view, masks,
 * mounts. Descriptors everywhere: a path of the container is only ever resolved by the kernel inside the new root.
 */
#pragma once

#include "base/err.h"
#include "runtime/cgroup.h"
#include "runtime/devices.h"
#include "runtime/overlay.h"
#include "runtime/spec.h"

/* What the supervisor has made ready on the host side. */
struct rootfs_parts {
    struct overlay_trees trees;
    int dev;                  /* detached /dev */
    int nodes[DEVICES_COUNT]; /* what is to be mounted in it (runtime/devices.h) */
    int sys; /* detached copy of the host's /sys, where the network is the host's: only its owner may mount a fresh one; else -1 */
    int shm; /* detached /dev/shm of the container that IPC is shared with, else -1 */
    int *mounts; /* detached tree per spec mount; -1: made inside, or (by owner) asked for later */
    enum cgroup_mode cgroup_mode;
};

struct rootfs {
    int root; /* O_PATH of / */
    int proc;
    int sys;
    int dev;
    int pts;
    int image; /* the root without anything mounted on it, for volumes that are filled from it; -1: none is */
};

#define ROOTFS_INIT            \
    {                          \
        -1, -1, -1, -1, -1, -1 \
    }

void rootfs_close(struct rootfs *f);

/* Makes the root and pivots into it, with /proc, /sys, /dev and the cgroup view attached, not yet masked. */
int rootfs_enter(const struct spec *s, const struct rootfs_parts *parts, struct rootfs *ret, struct err *e);

/* Before the first mount, when one of them is a volume that is filled from the image. */
int rootfs_keep_image(struct rootfs *f, struct err *e);

/* Attaches mount i. `tree` is the detached tree for a bind; tmpfs ones are made here. */
int rootfs_add_mount(const struct rootfs *f, const struct spec_mount *m, int tree, struct err *e);

/* Sysctls, masks, working directory, read-only root: after this nothing of the view changes. */
int rootfs_finish(const struct rootfs *f, const struct spec *s, struct err *e);
