/* SPDX-License-Identifier: Apache-2.0 */
/* What a shim is told about its container's log, made from the plan, and the socket of the journal or syslog. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/shimproto.h"
#include "plan/plan.h"

struct log_config {
    uint32_t flags;   /* enum shim_log_flags */
    uint32_t forward; /* enum shim_forward */
    uint32_t facility;
    int32_t utc_offset;
    uint64_t size, files;
    uint64_t pipe;     /* bytes of the pipes between container and shim */
    struct buf attrs;  /* JSON, "" for none */
    struct buf prefix; /* of each datagram */
    int socket;        /* connected; -1 when nothing is sent on */
};

#define LOG_CONFIG_INIT \
    {                   \
        .socket = -1    \
    }

void log_config_clear(struct log_config *c);
#define _cleanup_log_config_ _cleanup_(log_config_clear)

/* `*ret` is LOG_CONFIG_INIT. Fails when there is no journal or syslog to send to. The process that calls becomes the shim: its pid is in
 * what syslog gets. */
int log_config_make(const struct plan *p, struct log_config *ret, struct err *e);
