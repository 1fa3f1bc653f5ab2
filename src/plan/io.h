/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of block I/O with a disk that is named: --device-read-bps PATH:RATE and its like, as "KIND PATH NUMBER" in a plan. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum plan_io_kind {
    PLAN_IO_READ_BPS,
    PLAN_IO_WRITE_BPS,
    PLAN_IO_READ_IOPS,
    PLAN_IO_WRITE_IOPS,
    PLAN_IO_WEIGHT,
    PLAN_IO_KINDS,
};

struct plan_io {
    enum plan_io_kind kind;
    char *path; /* owned */
    uint64_t number;
};

/* "read-bps" …: also the flag without "device-", but for the weight. */
const char *plan_io_name(enum plan_io_kind kind);

/* "PATH:NUMBER" of the command line, into `list`; a later one for the same path and kind takes the place of an earlier one. */
int plan_io_add(struct str_list *list, enum plan_io_kind kind, const char *value, struct err *e);

/* An entry of a plan. */
int plan_io_parse(const char *entry, struct plan_io *ret, struct err *e);
void plan_io_clear(struct plan_io *io);
#define _cleanup_plan_io_ _cleanup_(plan_io_clear)
