/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container's log is as it was written (base/logchain.h, docs/logs.md). The files may have been changed by
 * anyone who could write them, a subverted shim included: nothing in them is believed.
 *
 * What a shim, or whoever has its id, could make fit together again is held against what the audit log has of it
 * (logs_anchor.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/logchain.h"

/* The end of the log at some time, from where no shim can change it. */
struct logs_anchor {
    uint64_t before; /* number of the newest record that had been rotated away */
    struct logchain last;
};

struct logs_summary {
    uint64_t first, last; /* numbers of the records; 0: there is none */
    uint64_t unchained;   /* lines of a version without a chain */
    uint64_t lost;        /* bytes that the log itself says it has left out */
    bool torn;            /* half a record stands at the end: its shim was killed, or writes it now */
    struct logchain_state state;
};

/* `log_dir`: shim/log of a container, or what is kept of it. `anchors` in the order in which they were made.
 * 0, or -EBADMSG: e names the first bad record. */
int logs_verify(int log_dir, const char *id, const struct logs_anchor *anchors, size_t anchor_count,
                struct logs_summary *ret, struct err *e);

/* Where the log ends as its head has it: 1, 0 when there is no head. */
int logs_read_state(int log_dir, struct logchain_state *ret, struct err *e);
