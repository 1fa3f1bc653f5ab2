/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of the audit log, judged over text in memory: each record must follow the one before it by number and hash. Lines that are
 * no records are accepted in one case: a writer was killed, or the disk was full, in the middle of a write. The next writer has then
 * closed off the region of those lines with a record `log.torn` that has its length and, as `prev`, its hash; the last region of the
 * log need not be closed off yet.
 */
#pragma once

#include "engine/audit_record.h"

/* Longest torn region: what one write can leave, behind what another has left. */
#define AUDIT_TORN_MAX (2U << 20)

struct audit_scan {
    struct audit_chain chain; /* as of the last record */
    bool begun;            /* false: the first record is taken as it comes, and says where the chain begins */
    uint64_t first;        /* number of the first record */
    uint64_t watch;        /* the hash of the record with this number is kept … */
    struct digest watched; /* … here */
    bool torn;             /* a region of lines that are no records is at the end of the text: */
    size_t torn_start;     /* where it begins */
    size_t torn_length;    /* without a newline that ends it */
    bool torn_ended;       /* such a newline is there */
};

/* Told each good record, in order; a negative result ends the scan. May be NULL. */
typedef int (*audit_visit)(const struct audit_record *r, void *context, struct err *e);

/* Goes on with the chain. -EBADMSG names the first bad record; the chain then stands at the last good one. `file` is for the message. */
int audit_scan_text(struct audit_scan *s, const char *file, const char *text, size_t length,
                    audit_visit visit, void *context, struct err *e);
