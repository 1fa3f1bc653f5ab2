/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of a container that somebody else schedules: at the path that config.json names, in every hierarchy of the host (v1,
 * hybrid, v2). Unlike runtime/cgroup.h, which has one fixed place and Casemate's own limits, this is all of linux.resources.
 *
 * A hierarchy counts only when its mount point is a cgroup file system; a directory that merely looks like one is never written to.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/config.h"

#define OCI_HIERARCHIES_MAX 24
#define OCI_CONTROLLERS_MAX 96

struct oci_hierarchy {
    char controllers[OCI_CONTROLLERS_MAX]; /* "cpu,cpuacct", "name=systemd"; "" for the unified one */
    char *path;                            /* of the group, from the root of the hierarchy: "/docker/ID" */
    int dir; /* the group's directory; -1: it could not be made, and was not needed */
};

struct oci_cgroup {
    bool v2; /* the unified hierarchy has the controllers */
    struct oci_hierarchy all[OCI_HIERARCHIES_MAX];
    size_t count;
};

void oci_cgroup_close(struct oci_cgroup *g);
#define _cleanup_oci_cgroup_ _cleanup_(oci_cgroup_close)

/* Where the group will be in each hierarchy. `path` as linux.cgroupsPath: absolute is from the root of each hierarchy, relative from the
 * caller's own group, NULL is ID below the caller's own group. Nothing is made yet, so that the places can be written down first. */
int oci_cgroup_find(const char *path, const char *id, struct oci_cgroup *ret, struct err *e);

/* Makes the groups. For an ordinary user a hierarchy that cannot be written is left out. */
int oci_cgroup_make(struct oci_cgroup *g, struct err *e);

/* The same group again, from what oci_cgroup_describe has written. Hierarchies that are gone have no directory. */
int oci_cgroup_open(const struct str_list *description, struct oci_cgroup *ret, struct err *e);

/* "CONTROLLERS:PATH" for each hierarchy. */
int oci_cgroup_describe(const struct oci_cgroup *g, struct str_list *ret, struct err *e);

/* Opens the group's directory again, by the mounts of the calling process. */
int oci_hierarchy_open(const struct oci_cgroup *g, const struct oci_hierarchy *h, struct err *e);

/* The directory of a v1 controller ("memory"), or of the unified group on v2 with any name; -1 when there is none. */
int oci_cgroup_dir(const struct oci_cgroup *g, const char *controller);

/* The unified group's directory, on hybrid hosts too; -1 when there is none. */
int oci_cgroup_unified(const struct oci_cgroup *g);

/* Sets what is set in the resources (cgroup_resources.c). -ENOSYS names a limit for which the host has no controller. */
int oci_cgroup_set(const struct oci_cgroup *g, const struct oci_resources *r, struct err *e);

/* The device rules, first to last; a later one wins (cgroup_devices.c). */
int oci_cgroup_set_devices(const struct oci_cgroup *g, const struct schema_list *rules, struct err *e);

/* Files through which a process that has not left this program yet joins the v1 groups by itself (runtime/cgroup_join.h says why). */
struct oci_cgroup_join {
    int tasks[OCI_HIERARCHIES_MAX];
    size_t count;
};
int oci_cgroup_join_open(const struct oci_cgroup *g, struct oci_cgroup_join *ret, struct err *e);
int oci_cgroup_join_self(struct oci_cgroup_join *j, struct err *e);
void oci_cgroup_join_close(struct oci_cgroup_join *j);

/* Moves a process into the unified group. */
int oci_cgroup_attach_unified(const struct oci_cgroup *g, pid_t pid, struct err *e);

/* All processes of the group and of groups below it; *ret is the caller's to free. */
int oci_cgroup_pids(const struct oci_cgroup *g, pid_t **ret, size_t *ret_count, struct err *e);

/* Stops or continues all processes, and waits until that is so. */
int oci_cgroup_freeze(const struct oci_cgroup *g, bool frozen, struct err *e);
bool oci_cgroup_is_frozen(const struct oci_cgroup *g);

/* Sends a signal to every process of the group. */
int oci_cgroup_signal(const struct oci_cgroup *g, int sig, struct err *e);

/* Ends what is left in it and removes the group and all below it, in every hierarchy. Absent: success. */
int oci_cgroup_remove(struct oci_cgroup *g, struct err *e);

/* Mounts the view of control groups on `target` (cgroup_view.c): of the own cgroup namespace, or of the group alone without one. */
int oci_cgroup_show(const struct oci_cgroup *g, bool own_namespace, int target, uint64_t attr, struct err *e);
