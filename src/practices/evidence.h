/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: what `casemate explain` prints. Each line is one fact about one container with where it was read. A line says what the
 * kernel does, not what was asked for; where the two differ the line is EVIDENCE_BROKEN.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

enum evidence_state {
    EVIDENCE_HOLDS,        /* as the practice has it by default, or as the user tightened it */
    EVIDENCE_GRANTED,      /* weaker than the default, by an explicit grant */
    EVIDENCE_BROKEN,       /* the kernel says otherwise than the plan */
    EVIDENCE_UNKNOWN,      /* could not be read; the value says why */
    EVIDENCE_NOT_ENFORCED, /* no mechanism yet */
    EVIDENCE_DRIFTED,      /* what runs is not what the image has */
    EVIDENCE_REFUSED,      /* what the container has asked for in vain; the value says what would allow it */
};

struct evidence_line {
    int practice; /* 1..14 */
    enum evidence_state state;
    char *what;  /* "memory limit", "capabilities" */
    char *value; /* "512 MiB, no swap" */
    char *
        source; /* the file it was read from ("/proc/4711/status"), or where a grant came from ("--cap-add CHOWN"); "" */
    uint64_t record; /* of a grant: its number in the audit log; else 0 */
};

struct evidence {
    struct evidence_line *lines;
    size_t count;
};

void evidence_clear(struct evidence *ev);
#define _cleanup_evidence_ _cleanup_(evidence_clear)

/* "holds", "granted", "broken", "unknown", "not enforced yet", "drifted", "refused". */
const char *evidence_state_name(enum evidence_state state);

int evidence_add(struct evidence *ev, int practice, enum evidence_state state, const char *what,
                 const char *source, struct err *e, const char *value, ...)
    __attribute__((format(printf, 7, 8)));
