/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: a fork of the engine that makes the container, gives up its privileges and becomes casemate-shim. */
#pragma once

#include "engine/container.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

/* The container's lock, which the caller holds, is the supervisor's too until it becomes the shim: when the caller is killed, nobody
 * starts the container once more meanwhile. */
struct supervise_request {
    const struct store *store;
    const struct container *container;
    const struct spec *spec;
    const struct cgroup *cgroup;
    unsigned block;
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

/* Forks. Returns the read end of the report pipe for report_await_start (runtime/report.h). */
int supervise_start(const struct supervise_request *request, const struct supervise_shim *shim,
                    struct err *e);
