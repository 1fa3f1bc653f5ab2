/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that go to the machine's journal or syslog as well (--log-driver): one datagram each, on a socket that the engine has connected. Who
 * does not take them presses back like a full disk, or is passed over with mode=drop. A receiver that is gone cannot be reached again: what
 * it does not get is counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shimproto.h"

struct forward {
    uint32_t kind; /* enum shim_forward; 0: off */
    uint32_t facility;
    int32_t utc_offset; /* seconds, for a format in local time */
    bool blocked;       /* the receiver takes no more just now */
    uint64_t unsent;    /* bytes that it has not got and never will */
    size_t prefix_length;
    char prefix[SHIM_PREFIX_MAX];
};

enum forward_result { FORWARD_SENT, FORWARD_LATER, FORWARD_NEVER };

/* One line, its newline included if it has one; a line without is a part. */
enum forward_result forward_send(struct forward *f, const unsigned char *data, size_t length,
                                 bool from_stderr, int64_t now);
