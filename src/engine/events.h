/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event log: what happens to containers, images and volumes, as lines of JSON in Docker's shape, for `casemate events`. It is no
 * evidence (that is the audit log): a record is one write(2) without a flush, failures are ignored, and of what is older than two
 * files of EVENTS_FILE_MAX bytes nothing is kept.
 *
 *   events/log, events/log.1     {"status","id","from","Type","Action","Actor":{"ID","Attributes":{…}},"scope","time","timeNano"}
 *
 * Writers hold a shared lock (flock) on the file while they append; it is rotated under an exclusive one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/container.h"
#include "plan/plan.h"
#include "store/root.h"

#define EVENTS_DIR "events"
#define EVENTS_FILE "log"
#define EVENTS_FILE_OLD "log.1"
#define EVENTS_FILE_MAX (4U << 20)
#define EVENTS_LINE_MAX 65536 /* longer records are left out */

struct event_attribute {
    const char *key, *value; /* a value may be NULL: the attribute is left out */
};

/* Actions are Docker's: create start attach detach die oom kill stop restart pause unpause rename update resize exec_create exec_start
 * exec_die health_status destroy …; "health_status: healthy" and "exec_start: sh" carry their detail in the action. Image, name
 * and labels of the container are attributes; `extra` comes on top. */
void events_container(const struct store *s, const struct plan *p, const char *action,
                      const struct event_attribute *extra, size_t count);

/* pull push tag untag delete load import save commit: `id` is an image id with or without "sha256:", or a name when no id is known; `name`
 * may be NULL. */
void events_image(const struct store *s, const char *action, const char *id, const char *name);

/* create destroy mount unmount; container (an id) may be NULL. */
void events_volume(const struct store *s, const char *action, const char *name, const char *container);

/* alert: about the file or directory `path` of the engine itself (state_alert.h). Docker's type for what concerns no object. */
void events_daemon(const struct store *s, const char *action, const char *path, const char *what);

/* The end of a container's run, once for each: "oom" where memory was the reason, and "die" with its exit code. Under the container's lock;
 * does nothing for one that is running or was never started. */
void events_end(const struct store *s, const struct container *c);

/* A new run begins: its end is yet to be told. */
void events_forget_end(const struct container *c);
