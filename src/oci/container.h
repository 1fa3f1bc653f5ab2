/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of the OCI runtime: a directory ROOT/ID of root's (0700) with
 *
 *   config.json   the configuration as it was at `create`; what is changed in the bundle later counts no more
 *   state.json    written by rename: process, bundle, control groups
 *   start.sock    there until the start: casemate-enter waits on it (base/enterproto.h)
 *   notify/       under a service manager: the container's /run/notify (notify.h)
 *
 * What its state is, the kernel says: the process with that id and start time, the freezer, and whether start.sock is there.
 * Commands that change a container hold a flock on its directory; one that is killed holds nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup.h"
#include "oci/config.h"

#define OCI_ROOT "/run/casemate-runtime" /* unless --root says otherwise */
#define OCI_ID_MAX 255
#define OCI_START_SOCKET "start.sock"

enum oci_status {
    OCI_CREATING,
    OCI_CREATED,
    OCI_RUNNING,
    OCI_PAUSED,
    OCI_STOPPED,
};

struct oci_container {
    int root; /* the directory of all containers */
    int dir;  /* this one's */
    char *id;
    char *bundle;           /* absolute */
    char *rootfs;           /* absolute */
    char *created;          /* RFC 3339 */
    uint64_t owner;         /* real uid of who has created it */
    pid_t pid;              /* 0: there is none yet */
    uint64_t pid_start;     /* base/proc.h */
    struct str_list cgroup; /* oci_cgroup_describe */
    char *scope;            /* of systemd that its group is of; NULL with the cgroupfs driver */
    struct oci_config config;
};

#define OCI_CONTAINER_INIT    \
    {                         \
        .root = -1, .dir = -1 \
    }

void oci_container_close(struct oci_container *c);
#define _cleanup_oci_container_ _cleanup_(oci_container_close)

/* The directory of all containers, made when it is missing. NULL: OCI_ROOT; for an ordinary user XDG_RUNTIME_DIR/casemate-runtime. */
int oci_root_open(const char *path, struct err *e);

/* A new container's directory, locked, with the configuration's text in it; reads the configuration. -EEXIST when there is one of that name. */
int oci_container_make(int root, const char *id, const char *bundle, const char *text, size_t length,
                       struct oci_container *ret, struct err *e);

/* An existing one. With `lock` other commands that change it are waited for. -ENOENT: "container ... does not exist". */
int oci_container_open(int root, const char *id, bool lock, struct oci_container *ret, struct err *e);

/* Writes state.json. */
int oci_container_save(const struct oci_container *c, struct err *e);

/* The document of the configuration was changed: reads it again, and keeps it as it is now. */
int oci_container_rewrite(struct oci_container *c, struct err *e);

enum oci_status oci_container_status(const struct oci_container *c);
const char *oci_status_name(enum oci_status s);

/* The state as the specification writes it, for hooks and seccomp agents (with_more: for `state`, with runc's members too). The text is the
 * caller's to free. */
int oci_container_state(const struct oci_container *c, enum oci_status status, bool with_more,
                        char **ret_text, struct err *e);

/* A pidfd of its process. -ESRCH: "container not running". */
int oci_container_process(const struct oci_container *c, struct err *e);

/* Removes the directory. */
int oci_container_remove(struct oci_container *c, struct err *e);

/* -EINVAL unless a name is one that containers can have. */
int oci_id_check(const char *id, struct err *e);
