/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the event log (events.h) from its oldest record on, and what is added later, across rotations. */
#pragma once

#include <json-c/json.h>

#include "base/buf.h"
#include "engine/events.h"

struct events_reader {
    int dir;
    int fd;          /* the file that is read; -1: none yet */
    struct buf line; /* a part of one */
};

#define EVENTS_READER_INIT                 \
    {                                      \
        .dir = -1, .fd = -1, .line = { 0 } \
    }

void events_reader_close(struct events_reader *r);
#define _cleanup_events_reader_ _cleanup_(events_reader_close)

int events_reader_open(const struct store *s, struct events_reader *ret, struct err *e);

/* Calls visit for each record that is there by now and has not been read; lines that are none are passed over. Non-zero ends it and is
 * returned. */
int events_reader_next(struct events_reader *r,
                       int (*visit)(struct json_object *record, void *context, struct err *e), void *context,
                       struct err *e);

/* A descriptor that becomes readable when there may be more to read, or when a container has ended (run/exited, engine/mark.h). */
int events_watch(const struct store *s, struct err *e);
/* Reads it empty; true when a container has ended. */
bool events_watch_clear(int fd);
