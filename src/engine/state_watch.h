/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching the engine's own files with inotify(7), for as long as `casemate tend` runs: the data root, the run directory and the audit log
 * (owner and mode: whatever is wrong there every command refuses as well, store/root.h), the policy and Casemate's programs (that they
 * were changed at all).
 *
 * inotify does not say who: a change by root's editor, by an upgrade and by an intruder look the same, so each is told, and the engine's
 * own writing is told by no content of its files but by owner and mode alone. That a record of the audit log was changed is found by its
 * hashes (audit_log.h). What happens while nobody watches is found by the next command as far as it shows in owner and mode.
 */
#pragma once

#include "store/root.h"

#define STATE_WATCHES_MAX 8

struct state_watch {
    int fd; /* becomes readable */
    struct {
        int id;           /* of the watch; -1: none */
        const char *path; /* of the directory; owned */
        unsigned kind;
    } dirs[STATE_WATCHES_MAX];
    size_t count;
    char *last; /* what was told last about the data root, so that it is told once */
};

#define STATE_WATCH_INIT \
    {                    \
        .fd = -1         \
    }

/* What cannot be watched is left out: fd is -1 when nothing can. */
void state_watch_open(const struct store *s, struct state_watch *ret);
void state_watch_close(struct state_watch *w);

/* Judges what has happened and alerts. */
void state_watch_read(const struct store *s, struct state_watch *w);
