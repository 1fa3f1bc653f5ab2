/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the audit log, in audit/ of the data root (0700):
 *
 *   log, log.1 …   records, newest file first; at most AUDIT_FILES_MAX files
 *   head           number and hash of the last record, number of the first one that is kept, size of `log`: what was cut off
 *                  at either end of the log is missed there
 *
 * Writers hold flock(2) on the directory, exclusively; readers share it while they open the files.
 */
#pragma once

#include "engine/audit_record.h"
#include "store/root.h"

#define AUDIT_FILE_MAX (4U << 20)  /* bytes: a file that would grow beyond is rotated */
#define AUDIT_BATCH_MAX (1U << 20) /* bytes of one write */
#define AUDIT_READ_MAX \
    (AUDIT_FILE_MAX + AUDIT_BATCH_MAX) /* a torn line is closed off in its own file, whatever the size */
#define AUDIT_FILES_MAX 16
#define AUDIT_NAME_MAX 16 /* "log.15" */

struct audit_head {
    uint64_t first;           /* number of the first record that is kept, 1 when none was ever dropped */
    uint64_t size;            /* of `log` behind the last record */
    struct audit_chain chain; /* as of the last record */
};

/* Opens (and makes) audit/ and locks it. Returns a descriptor whose closing unlocks; -EBUSY when others hold the lock for seconds. */
int audit_lock(const struct store *s, bool exclusive, struct err *e);

/* "log" for 0, "log.N"; AUDIT_NAME_MAX bytes. */
void audit_file_name(unsigned number, char *ret_name);

/* 1: read; 0: there is none; -EBADMSG: it is no head. */
int audit_head_read(int dir, struct audit_head *ret, struct err *e);
int audit_head_write(int dir, const struct audit_head *head, bool sync, struct err *e);

/* Renames log to log.1 and so on; the oldest is dropped when there are AUDIT_FILES_MAX, and head->first says so before that. Killed on the
 * way it leaves a gap in the numbers, which the next rotation closes. */
int audit_rotate(int dir, struct audit_head *head, struct err *e);
