/* SPDX-License-Identifier: Apache-2.0 */
/* base/ipc: what a subverted worker may put on the socket: any packet is a whole message or an error. */
#include "base/ipc.h"

#include "base/cleanup.h"
#include "base/messages.h"
#include "fuzz.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ipc_message m;
    struct err e = {0};
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    _cleanup_close_ int worker = pair[0], engine = pair[1];
    if (size == 0 || size > 2 * IPC_PAYLOAD_MAX || send(worker, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return 0;
    int r = ipc_receive(engine, &m, &e);
    if (r < 0) {
        MUST(e.text[0]);
        return 0;
    }
    MUST(r == 1 && m.length <= IPC_PAYLOAD_MAX && m.length + sizeof(struct ipc_header) == size &&
         m.fd_count == 0);
    if (ipc_expect(&m, MESSAGE_FAILED, sizeof(struct message_failed), 0, &e) >= 0)
        MUST(m.type == MESSAGE_FAILED && m.length == sizeof(struct message_failed));
    ipc_message_clear(&m);
    return 0;
}
