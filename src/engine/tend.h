/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `casemate tend`: one process per machine that does what needs rights and time while no command runs: restart policies and health
 * checks. Nothing depends on it: whoever starts a container that needs it starts it when nobody holds its lock (run/tend), so does every
 * command that mends; it ends by itself when no container is left to it, and may be killed at any instant.
 *
 * What it looks after are the marks run/tended/<id>. Who makes or touches a mark wakes it. The lock file says who holds it:
 * "casemate-tend 1 PID START-TIME VERSION". A tender of another version is asked to end and is replaced.
 */
#pragma once

#include <stdbool.h>

#include "engine/container.h"
#include "store/root.h"

/* The container has a restart policy or a health check. */
bool tend_needed(const struct container *c);

/* Puts a container on the list (idempotent, wakes the tender); takes it off. The caller holds the container's lock. */
int tend_register(const struct store *s, struct container *c, struct err *e);
void tend_unregister(const struct store *s, struct container *c);

/* Something has changed: a container that is on the list is looked at again. */
void tend_nudge(const struct store *s, const struct container *c);

/* Starts the tender when there is something for it and none of this version runs. Failure is left for the next command. */
void tend_ensure(const struct store *s);

/* The tender itself. `keep`: it stays when there is nothing to do, and takes over from one that does not. Returns when it is
 * to end, or when another does the work already. */
int tend_run(const struct store *s, bool keep, struct err *e);

/* The same work once: starts what is due, removes what has expired, mends. `boot`: starts what the policies want at boot, too. Errors of single
 * containers are given to `complain` and counted. Returns their number, or a negative errno. */
int tend_once(const struct store *s, bool boot, void (*complain)(struct err *e), struct err *e);

/* No tender works, and none is started, before a container is started again. */
void tend_dismiss(const struct store *s);

/* Stops all containers at once, as the machine goes down: their policies still hold at the next boot. Waits for them. */
int tend_shutdown(const struct store *s, void (*complain)(struct err *e), struct err *e);
