/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over a SOCK_SEQPACKET pair: one packet, one message, with up to IPC_FDS_MAX descriptors. Message types and
 * payload layouts stand in messages.h; a receiver checks type and exact length before it looks at a payload.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IPC_VERSION 1
#define IPC_PAYLOAD_MAX 32768
#define IPC_FDS_MAX 8

struct ipc_header {
    uint16_t version; /* IPC_VERSION */
    uint16_t type;
    uint32_t length; /* of the payload, in bytes */
};

struct ipc_message {
    uint16_t type;
    uint32_t length;
    size_t fd_count;
    int fds[IPC_FDS_MAX]; /* owned; ipc_message_clear closes what was not taken */
    unsigned char payload[IPC_PAYLOAD_MAX] __attribute__((aligned(8)));
};

/* A connected pair, both ends O_CLOEXEC. */
int ipc_pair(int ret_pair[2], struct err *e);

int ipc_send(int sock, uint16_t type, const void *payload, size_t length, const int *fds, size_t fd_count,
             struct err *e);

/* Blocks. 1: a message is in m; 0: the peer has closed; negative: error. Malformed packets are -EBADMSG. */
int ipc_receive(int sock, struct ipc_message *m, struct err *e);

/* -EBADMSG unless m is of this type, exactly this long, and brought exactly this many descriptors. */
int ipc_expect(const struct ipc_message *m, uint16_t type, size_t length, size_t fd_count, struct err *e);

/* Takes descriptor i out of the message. */
int ipc_take_fd(struct ipc_message *m, size_t i);

void ipc_message_clear(struct ipc_message *m);
