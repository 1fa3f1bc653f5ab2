/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands do with containers. Everything is synchronous; one lock per container directory orders commands. A command that
 * is killed at any point leaves a state that the next command mends (engine/mend.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/container.h"
#include "image/image.h"
#include "plan/plan.h"
#include "store/root.h"

/* Merges the image into the plan, lets the fourteen practices tighten or refuse it, claims the name and writes the directory.
 * `plan` is changed in place (id, name and what the practices did) and stays the caller's.
 *
 * ret_waiter: NULL for a container that is to stay as created. Otherwise the caller means to start it at once, and gets a lock
 * for the `waiter` of the struct container that it opens: a --rm container stays until lifecycle_wait or container_close lets go of it, and
 * goes with a caller that dies before it has started it. */
int lifecycle_create(const struct store *s, struct plan *plan, const struct image *image, int *ret_waiter,
                     struct err *e);

/* How a start ended that did not get as far as the program: the status for the user (125 engine, 126 not executable, 127 not found). */
struct lifecycle_start {
    int fail_status; /* 0 when the program runs */
    int attach; /* connected socket to the shim when `attach_want` was given, else -1; the caller closes it */
};

/* Starts a created or exited container. attach_want: enum shim_hello_flags to connect before the program runs (its first byte of output is not
 * lost), 0: none. Already running: -EALREADY. On failure e says why, ret->fail_status the exit status; a --rm
 * container is gone then. */
int lifecycle_start(const struct store *s, struct container *c, uint32_t attach_want,
                    struct lifecycle_start *ret, struct err *e);

/* As above for who holds the container's lock and has refreshed it, and it does not run: for those who start it without the user
 * (engine/lifecycle_restart.c). Nothing of engine/live.h is changed. */
int lifecycle_start_locked(const struct store *s, struct container *c, uint32_t attach_want,
                           struct lifecycle_start *ret, struct err *e);

/* Stops it as lifecycle_stop does when it runs, then starts it as the user. A --rm container stays. */
int lifecycle_restart(const struct store *s, struct container *c, uint64_t timeout_seconds,
                      struct lifecycle_start *ret, struct err *e);

/* Blocks while its policy is about to start it (CONTAINER_RESTARTING); refreshes c. */
int lifecycle_await_restart(struct container *c, struct err *e);

/* What is to be done with a container that has ended: starts it when its restart policy wants that (`boot`: restarting.h), else releases it and
 * takes it off the list of `casemate tend`. Running: does nothing. */
int lifecycle_revive(const struct store *s, struct container *c, bool boot, struct err *e);

/* Sends a signal to the first process. One that is meant to end it (KILL, TERM, INT, QUIT, its stop signal) holds off its restart policy. Not running: -ESRCH "Container X is not running". */
int lifecycle_kill(const struct store *s, struct container *c, int signal, struct err *e);

/* Holds off its restart policy. Stop signal, up to `timeout_seconds` (PLAN_UNSET: the container's own, default 10), then SIGKILL. Not running: success. */
int lifecycle_stop(const struct store *s, struct container *c, uint64_t timeout_seconds, struct err *e);

/* The same with the container's own time, while its restart policy goes on to hold: as the machine goes down. */
int lifecycle_halt(const struct store *s, struct container *c, struct err *e);

/* Blocks until the container is not running; refreshes c (exit_code …) and releases what the run held. */
int lifecycle_wait(const struct store *s, struct container *c, struct err *e);

/* Removes a container that is not running (`force`: kills it first) with its name, writable layer, logs and (`volumes`) anonymous volumes. */
int lifecycle_remove(const struct store *s, struct container *c, bool force, bool volumes, struct err *e);

/* Releases cgroup, ids and the mark of a container that has ended; removes it when it is --rm. Idempotent. */
int lifecycle_release(const struct store *s, struct container *c, struct err *e);

/* As above, without removing, when the caller holds the container's lock (engine/lock.h) and it is not running. */
int lifecycle_release_locked(const struct store *s, struct container *c, struct err *e);
/* Likewise: releases and removes. */
int lifecycle_remove_locked(const struct store *s, struct container *c, bool volumes, struct err *e);

/* Its removal has begun, and the command that did was killed: it is not started any more. */
bool lifecycle_removing(const struct container *c);
/* Finishes that, for who holds the container's lock. */
int lifecycle_finish_removal(const struct store *s, struct container *c, struct err *e);

/* Predicate for image removal: name of a container that uses the image, in ret_name (ID_LENGTH + 1 bytes), 1; else 0. */
int lifecycle_image_user(const struct store *s, const char *image_id, char *ret_id, struct err *e);
