/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of containers on cgroup v1, hybrid and v2: PARENT/ID in each hierarchy. PARENT holds the limits of all
 * containers together. Files are written by descriptor; every directory is checked to be a cgroup file system.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/spec.h"

enum cgroup_mode {
    CGROUP_V1,
    CGROUP_HYBRID,
    CGROUP_V2,
    CGROUP_NONE, /* an ordinary user to whom nothing is delegated: containers have no group of their own */
};

/* Controllers that Casemate uses. On v1 each may be a hierarchy of its own. */
enum cgroup_controller {
    CGROUP_MEMORY,
    CGROUP_CPU,
    CGROUP_CPUACCT, /* v1 only */
    CGROUP_CPUSET,
    CGROUP_PIDS,
    CGROUP_BLKIO,   /* v2: io */
    CGROUP_DEVICES, /* v1 only; v2: a program */
    CGROUP_FREEZER, /* v1 only; v2: part of every group */
    CGROUP_CONTROLLERS,
};

struct cgroup {
    enum cgroup_mode mode;
    int dirs
        [CGROUP_CONTROLLERS]; /* v1 and hybrid: the container's directory per controller, -1 where there is none */
    int unified;              /* v2 and hybrid: the container's directory, else -1 */
};

#define CGROUP_INIT                                     \
    {                                                   \
        CGROUP_V1, {-1, -1, -1, -1, -1, -1, -1, -1}, -1 \
    }

void cgroup_close(struct cgroup *g);
#define _cleanup_cgroup_ _cleanup_(cgroup_close)

/* Name of the controller's directory on v1 ("memory"). */
const char *cgroup_controller_name(enum cgroup_controller c);

int cgroup_detect_mode(enum cgroup_mode *ret_mode, struct err *e);

/* For an ordinary user's command that is where nothing is delegated: the group of the unified hierarchy in which an earlier one has made
 * PARENT, as a path from the root of the hierarchy. Groups there can be opened and removed, not joined. */
void cgroup_remember_base(const char *path);

/* That path of a group which cgroup_make has made for an ordinary user; -ENOENT when there is none. Ends with a NUL. */
int cgroup_base(const struct cgroup *g, char *ret, size_t size, struct err *e);

/* Makes PARENT (with `total_memory` bytes for all containers together, when it is new) and PARENT/ID with the limits. What an earlier
 * PARENT/ID still holds is ended. */
int cgroup_make(const char *parent, const char *id, const struct spec_resources *r, uint64_t total_memory,
                struct cgroup *ret_group, struct err *e);

/* Opens what exists of PARENT/ID. -ENOENT when nothing does; CGROUP_NONE for an ordinary user's container that was started where nothing is
 * delegated. */
int cgroup_open(const char *parent, const char *id, struct cgroup *ret_group, struct err *e);

/* -ENOSYS, and why, for CGROUP_NONE. */
int cgroup_need(const struct cgroup *g, struct err *e);

/* Moves a process into the unified group, where there is one. For v1: cgroup_join.h. */
int cgroup_attach_unified(const struct cgroup *g, pid_t pid, struct err *e);

/* Sets the limits of an existing group; SPEC_UNSET ones stay. */
int cgroup_set(const struct cgroup *g, const struct spec_resources *r, struct err *e);

/* True when the group has a controller that limits this. */
bool cgroup_limits(const struct cgroup *g, enum cgroup_controller c);

/* A descriptor of the file with a line "oom_kill N" (memory.events, memory.oom_control), -1 when there is none. */
int cgroup_open_oom(const struct cgroup *g);

/* A descriptor of the directory with pids.max, pids.peak and pids.events, -1 when there is none. */
int cgroup_open_pids(const struct cgroup *g);

/* Ends every process in the group and removes it in every hierarchy. Absent: success. */
int cgroup_remove(const char *parent, const char *id, struct err *e);

/* fork(2) into PARENT/shims, made when it is not there: not into the caller's group, with which a service manager may end the child. In the
 * caller's where that cannot be (v1 alone; nothing delegated). The caller has no other threads. */
pid_t cgroup_fork_shim(const struct cgroup *g);
