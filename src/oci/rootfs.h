/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's file system, built by its first process in its mount namespace: the root, mounts, devices, masks, pivot_root. Nothing
 * below the root is resolved as a string: every target is opened inside the root by the kernel (base/path.h), and mounted on by descriptor.
 */
#pragma once

#include "base/err.h"
#include "oci/cgroup.h"
#include "oci/config.h"

/* Which parts of it are done by whom: what needs the host's rights is opened before the first process exists. */
struct oci_sources {
    const char *
        bundle; /* absolute path of the bundle, where relative paths begin; borrowed. Not a descriptor: one of another mount
                         * namespace leads to mounts that the kernel does not let be cloned */
    int *trees; /* for each mount of the configuration: a detached tree, or -1 */
    size_t count;
};

#define OCI_SOURCES_INIT \
    {                    \
        NULL, NULL, 0    \
    }

/* Opens the sources of binds as detached trees, with their ids mapped, where the caller may do that (CAP_SYS_ADMIN). */
int oci_sources_open(const struct oci_config *c, const char *bundle, struct oci_sources *ret, struct err *e);
void oci_sources_close(struct oci_sources *s);

/* What of the file system is open while it is built. */
struct oci_rootfs {
    int root; /* O_PATH: the container's root */
    int proc,
        sys; /* O_PATH: what was mounted on /proc and /sys, wherever the names lead by now; -1: nothing */
    char path[4096]; /* of the root, while the host's files are there */
};

#define OCI_ROOTFS_INIT \
    {                   \
        -1, -1, -1, ""  \
    }

void oci_rootfs_close(struct oci_rootfs *f);

/* Everything up to, and without, the change of root. */
int oci_rootfs_build(const struct oci_config *c, const struct oci_sources *sources,
                     const struct oci_cgroup *cgroup, struct oci_rootfs *ret, struct err *e);

/* Changes the root: pivot_root(2), or with no_pivot MS_MOVE and chroot(2), or chroot(2) alone without a mount namespace. */
int oci_rootfs_enter(const struct oci_config *c, struct oci_rootfs *f, bool no_pivot, struct err *e);

/* With no_pivot (rootfs_move.c). Weaker: what else the host has mounted stays in the namespace, out of reach of names only. */
int oci_rootfs_move(const struct oci_rootfs *f, struct err *e);

/* Inside: propagation of the root, read-only root, settings (sysctl), masked and read-only paths. */
int oci_rootfs_finish(const struct oci_config *c, const struct oci_rootfs *f, struct err *e);

/* One mount (rootfs_mount.c). `tree` is its detached source, or -1. */
int oci_mount_add(const struct oci_config *c, struct oci_rootfs *f, const struct oci_sources *sources,
                  size_t index, const struct oci_cgroup *cgroup, struct err *e);

/* Nodes and links of /dev (rootfs_dev.c). */
int oci_devices_make(const struct oci_config *c, const struct oci_rootfs *f, struct err *e);

/* Attaches the pty slave on /dev/console (rootfs_dev.c). */
int oci_console_attach(const struct oci_rootfs *f, int slave, struct err *e);

/* Opens (O_PATH) a file of the container by its path. What is below /proc and /sys is looked for in the file systems that were mounted there: others who
 * have the root's files may rename a mount point meanwhile. */
int oci_rootfs_open(const struct oci_rootfs *f, const char *path, struct err *e);

/* Opens a file of the container's /proc for writing, which is that file and no other (CVE-2025-52881). `name` is below /proc. */
int oci_rootfs_open_proc(const struct oci_rootfs *f, const char *name, struct err *e);

/* Masked and read-only paths (rootfs_masks.c). */
int oci_masks_apply(const struct oci_config *c, const struct oci_rootfs *f, struct err *e);
