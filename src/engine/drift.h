/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drift: programs that processes of a container execute and that are not from its image. Each is judged by the file that the kernel has
 * open for it (/proc/PID/exe, opened as a descriptor): by its mount, and within the container's overlay by the layer it is in. Only
 * programs are seen, not what an interpreter reads, nor libraries; and only what runs while one looks.
 */
#pragma once

#include "engine/processes.h"

enum drift_origin {
    DRIFT_NONE,     /* it executes nothing any more: ended, or its link cannot be read */
    DRIFT_IMAGE,    /* a layer of the image */
    DRIFT_ENGINE,   /* Casemate's own: casemate-init, or a command of exec before its program */
    DRIFT_MOUNT,    /* a volume or a bind: the user has put it there */
    DRIFT_WRITABLE, /* the writable layer: new since the container was made, or changed */
    DRIFT_TMPFS,
    DRIFT_MEMORY,  /* memfd_create(2): a file that has no name anywhere */
    DRIFT_DELETED, /* a file of the overlay that has no name any more */
    DRIFT_UNKNOWN,
};

struct drift_program {
    enum drift_origin origin;
    char *path;  /* as the container names it, made visible; NULL for DRIFT_NONE */
    char *mount; /* where it is mounted, for DRIFT_MOUNT and DRIFT_TMPFS; else NULL */
};

/* One for each process, in the same order. */
struct drift {
    struct drift_program *items;
    size_t count;
};

void drift_clear(struct drift *d);
#define _cleanup_drift_ _cleanup_(drift_clear)

/* Of processes that processes_read has found for this container. */
int drift_read(const struct container *c, const struct process_list *list, struct drift *ret, struct err *e);

/* "image", "engine", "volume or bind", "writable layer", "tmpfs", "memory", "deleted", "unknown"; "" for DRIFT_NONE. */
const char *drift_origin_name(enum drift_origin origin);

/* From DRIFT_WRITABLE on. */
bool drift_is_drift(enum drift_origin origin);
