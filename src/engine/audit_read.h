/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit log: what `casemate log` shows and verifies. Writers go on meanwhile; what is read is the log as it was at the beginning. */
#pragma once

#include "engine/audit_scan.h"
#include "store/root.h"

struct audit_summary {
    uint64_t count; /* records */
    uint64_t first; /* number of the first; 0: there is none */
    uint64_t last;
    struct digest digest; /* of the last line: what a copy elsewhere is compared with */
    uint64_t torn;        /* lines that a killed writer has left, each closed off or at the very end */
};

/* Every record, file, region and the head must fit together. -EBADMSG names the first that does not. */
int audit_verify(const struct store *s, struct audit_summary *ret, struct err *e);

/* Visits what can be read as a record, in order, whatever stands between; *ret_skipped counts the lines that are none. */
int audit_for_each(const struct store *s, audit_visit visit, void *context, uint64_t *ret_skipped,
                   struct err *e);
