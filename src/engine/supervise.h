/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: a fork of the engine that makes the container, gives up its privileges and becomes casemate-shim. */
#pragma once

#include "engine/container.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

struct supervise_request {
    const struct store *store;
    const struct container *container;
    const struct spec *spec;
    const struct cgroup *cgroup;
    unsigned block;
    int lock;          /* of the container directory: not kept by the supervisor */
    bool await_client; /* an attach client is connected already */
};

/* Makes shim/ ready: owner, lock, log directory, listening socket; no exit record of an earlier run stays. */
struct supervise_shim {
    int lock; /* flock held */
    int listen;
};
#define SUPERVISE_SHIM_INIT \
    {                       \
        -1, -1              \
    }
int supervise_prepare(const struct container *c, uid_t shim_uid, struct supervise_shim *ret, struct err *e);
void supervise_shim_close(struct supervise_shim *x);

/* Forks. Returns the read end of the report pipe (runtime/report.h): its end without a report means that the program runs. */
int supervise_start(const struct supervise_request *request, const struct supervise_shim *shim,
                    struct err *e);
