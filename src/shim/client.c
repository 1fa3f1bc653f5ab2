/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attached clients (shimproto.h). They are engines of the same owner, yet the shim trusts none: every packet is checked
 * for its exact length, and a client that breaks a rule is dropped.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/shim.h"

/* Bytes of a socket that was closed with unread data arrive after one ECONNRESET. */
#define RECEIVE_TRIES 2

bool client_slot_free(const struct shim *s)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].fd < 0)
            return true;
    return false;
}

/* Root's engine, or the owner's own one where everything runs as one user. */
static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

void client_accept(struct shim *s)
{
    _cleanup_close_ int fd = accept4(SHIM_FD_LISTEN, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN)
            s->awaiting = false;
        return;
    }
    if (!is_allowed(fd))
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (s->clients[i].fd >= 0)
            continue;
        s->clients[i] = (struct client){.fd = steal_fd(&fd)};
        return;
    }
}

void client_drop(struct shim *s, size_t i)
{
    struct client *c = &s->clients[i];
    bool ends_input = c->hello && (c->wants & SHIM_WANT_STDIN) && !c->input_ended &&
                      (s->config.flags & SHIM_STDIN_ONCE) && !(s->config.flags & SHIM_TTY);
    close_fd(&c->fd);
    c->hello = false;
    s->awaiting = false;
    for (size_t k = 0; k < ARRAY_SIZE(s->streams); k++)
        s->streams[k].waiting &= ~(1U << i);
    if (ends_input)
        input_end(s);
}

enum send_result client_send(struct shim *s, size_t i, uint16_t type, const void *data, size_t length)
{
    struct shim_packet header = {.type = type, .length = (uint32_t)length};
    struct iovec parts[] = {
        {.iov_base = &header, .iov_len = sizeof(header)},
        {.iov_base = (void *)(uintptr_t)data, .iov_len = length},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};
    for (;;) {
        if (sendmsg(s->clients[i].fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return SEND_DONE;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
            return SEND_LATER;
        if (errno == EINTR)
            continue;
        client_drop(s, i);
        return SEND_GONE;
    }
}

/* False: the rules are broken. */
static bool handle_hello(struct shim *s, size_t i, const unsigned char *payload, size_t length)
{
    struct client *c = &s->clients[i];
    struct shim_hello hello;
    if (c->hello || length != sizeof(hello))
        return false;
    memcpy(&hello, payload, sizeof(hello));
    if (hello.version < 1 || hello.flags & ~(uint32_t)(SHIM_WANT_STDIN | SHIM_WANT_STDOUT | SHIM_WANT_STDERR))
        return false;
    c->wants = hello.flags;
    struct shim_hello welcome = {.version = SHIM_PROTOCOL, .flags = s->config.flags};
    if (client_send(s, i, SHIM_WELCOME, &welcome, sizeof(welcome)) != SEND_DONE)
        return false;
    c->hello = true;
    s->awaiting = false;
    return true;
}

static bool handle_resize(const struct shim *s, const unsigned char *payload, size_t length)
{
    struct shim_resize resize;
    if (length != sizeof(resize))
        return false;
    memcpy(&resize, payload, sizeof(resize));
    struct winsize size = {.ws_row = resize.rows, .ws_col = resize.columns};
    if (s->config.flags & SHIM_TTY)
        (void)ioctl(SHIM_FD_STDIN, TIOCSWINSZ, &size);
    return true;
}

static bool handle_input_end(struct shim *s, struct client *c)
{
    if (!(c->wants & SHIM_WANT_STDIN))
        return false;
    c->input_ended = true;
    if (s->config.flags & SHIM_STDIN_ONCE)
        input_end(s);
    return true;
}

static bool handle(struct shim *s, size_t i, uint16_t type, size_t length)
{
    struct client *c = &s->clients[i];
    const size_t offset = sizeof(struct shim_packet);
    const unsigned char *payload = s->input.packet + offset;
    if (type == SHIM_HELLO)
        return handle_hello(s, i, payload, length);
    if (!c->hello)
        return false;
    if (type == SHIM_RESIZE)
        return handle_resize(s, payload, length);
    if (type == SHIM_STDIN_END)
        return length == 0 && handle_input_end(s, c);
    if (type != SHIM_STDIN || !(c->wants & SHIM_WANT_STDIN) || c->input_ended)
        return false;
    input_put(s, offset, length);
    return true;
}

void client_receive(struct shim *s, size_t i)
{
    ssize_t n = -1;
    for (int tries = 0; tries < RECEIVE_TRIES && n < 0; tries++) {
        n = recv(s->clients[i].fd, s->input.packet, sizeof(s->input.packet), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno != ECONNRESET)
            break;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct shim_packet header;
    if (n < (ssize_t)sizeof(header) || (size_t)n > sizeof(s->input.packet)) {
        client_drop(s, i);
        return;
    }
    memcpy(&header, s->input.packet, sizeof(header));
    size_t length = (size_t)n - sizeof(header);
    if (header.reserved != 0 || header.length != length || !handle(s, i, header.type, length))
        client_drop(s, i);
}
