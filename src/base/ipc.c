/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over a socket pair (ipc.h). The peer may be subverted: nothing in a packet is believed before it is checked. */
#include "base/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"

int ipc_pair(int ret_pair[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) < 0)
        return err_errno(e, "socketpair");
    return 0;
}

int ipc_send(int sock, uint16_t type, const void *payload, size_t length, const int *fds, size_t fd_count,
             struct err *e)
{
    if (length > IPC_PAYLOAD_MAX || fd_count > IPC_FDS_MAX)
        return err_set(e, EMSGSIZE, "message of type %u is too large", type);
    struct ipc_header header = {.version = IPC_VERSION, .type = type, .length = (uint32_t)length};
    struct iovec parts[2] = {
        {.iov_base = &header, .iov_len = sizeof(header)},
        {.iov_base = (void *)(uintptr_t)payload, .iov_len = length},
    };
    union {
        char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof(control));
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = length ? 2 : 1};
    if (fd_count > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    ssize_t n;
    do
        n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(e, "send message of type %u", type);
    return 0;
}

static void take_descriptors(struct msghdr *msg, struct ipc_message *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (m->fd_count < IPC_FDS_MAX)
                m->fds[m->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

int ipc_receive(int sock, struct ipc_message *m, struct err *e)
{
    struct ipc_header header;
    struct iovec parts[2] = {
        {.iov_base = &header, .iov_len = sizeof(header)},
        {.iov_base = m->payload, .iov_len = sizeof(m->payload)},
    };
    union {
        char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
        struct cmsghdr align;
    } control;
    struct msghdr msg = {.msg_iov = parts,
                         .msg_iovlen = 2,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    m->type = 0;
    m->length = 0;
    m->fd_count = 0;
    ssize_t n;
    do
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == ECONNRESET)
        return 0;
    if (n < 0)
        return err_errno(e, "receive a message");
    if (n == 0)
        return 0;
    take_descriptors(&msg, m);
    if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || (size_t)n < sizeof(header) ||
        header.version != IPC_VERSION || header.length != (size_t)n - sizeof(header)) {
        ipc_message_clear(m);
        return err_set(e, EBADMSG, "malformed message");
    }
    m->type = header.type;
    m->length = header.length;
    return 1;
}

int ipc_expect(const struct ipc_message *m, uint16_t type, size_t length, size_t fd_count, struct err *e)
{
    if (m->type != type || m->length != length || m->fd_count != fd_count)
        return err_set(e, EBADMSG, "unexpected message (type %u, %u bytes, %zu descriptors)", m->type,
                       m->length, m->fd_count);
    return 0;
}

int ipc_take_fd(struct ipc_message *m, size_t i)
{
    int fd = m->fds[i];
    m->fds[i] = -1;
    return fd;
}

void ipc_message_clear(struct ipc_message *m)
{
    for (size_t i = 0; i < m->fd_count; i++)
        close_fd(&m->fds[i]);
    m->fd_count = 0;
}
