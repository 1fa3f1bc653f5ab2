/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a D-Bus (dbus.h): its address, authentication, calls. */
#include "oci/dbus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define ANSWER_MS 25000 /* the limit that libraries of D-Bus have */
#define LINE_MAX_BYTES 512
#define NS_PER_MS 1000000
#define MESSAGES_MAX 10000 /* that are not for us, while an answer is awaited */

void dbus_close(struct dbus *b)
{
    close_fd(&b->fd);
    buf_clear(&b->in);
}

/* ---- the address ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Up to ',' or ';' (specification, "Server Addresses"); %XX stands for a byte. */
static int read_value(const char *text, char *ret, size_t size)
{
    size_t n = 0;
    while (*text && *text != ',' && *text != ';') {
        char c = *text++;
        if (c == '%') {
            int high = hex_digit(text[0]);
            int low = high < 0 ? -1 : hex_digit(text[1]);
            if (low < 0)
                return -1;
            c = (char)(high << 4 | low);
            text += 2;
        }
        if (n + 1 >= size || !c)
            return -1;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return (int)n;
}

/* The first of the addresses that is a UNIX socket. */
static int parse_address(const char *text, struct sockaddr_un *ret, socklen_t *ret_length)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    for (const char *at = text; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        const char *path = str_after(at, "unix:path=");
        const char *abstract = str_after(at, "unix:abstract=");
        int n = path       ? read_value(path, ret->sun_path, sizeof(ret->sun_path))
                : abstract ? read_value(abstract, ret->sun_path + 1, sizeof(ret->sun_path) - 1)
                           : -1;
        if (n > 0) {
            *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
            return 0;
        }
    }
    return -1;
}

static int find_address(bool user, char *text, size_t size, struct err *e)
{
    const char *session = getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *directory = getenv("XDG_RUNTIME_DIR");
    int n = 0;
    if (!user)
        n = snprintf(text, size, SYSTEM_BUS);
    else if (str_set(session))
        n = snprintf(text, size, "%s", session);
    else if (str_set(directory))
        n = snprintf(text, size, "unix:path=%s/bus", directory);
    if (n > 0 && (size_t)n < size)
        return 0;
    return err_set(
        e, ENOENT,
        "--systemd-cgroup: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR names the user's bus (log "
        "in through systemd-logind, or use the cgroupfs driver)");
}

static int connect_to(bool user, struct err *e)
{
    char text[1024];
    struct sockaddr_un address;
    socklen_t length = 0;
    int r = find_address(user, text, sizeof(text), e);
    if (r < 0)
        return r;
    if (parse_address(text, &address, &length) < 0)
        return err_set(e, EINVAL, "--systemd-cgroup: \"%.200s\" is no address of a D-Bus", text);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(e, "socket");
    if (connect(fd, (const struct sockaddr *)&address, length) < 0)
        return err_errno(
            e,
            "--systemd-cgroup: no D-Bus at %.200s (is systemd the init here? else set the scheduler's "
            "cgroup driver to cgroupfs)",
            text);
    return steal_fd(&fd);
}

/* ---- bytes, with a time limit ---- */

static int64_t now_ms(void)
{
    return clock_monotonic() / NS_PER_MS;
}

static int wait_for(int fd, short events, int64_t until, struct err *e)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = until - now_ms();
        int n = left <= 0 ? 0 : poll(&p, 1, (int)left);
        if (n > 0)
            return 0;
        if (n == 0)
            return err_set(e, ETIMEDOUT, "systemd does not answer over the D-Bus");
        if (errno != EINTR)
            return err_errno(e, "poll");
    }
}

static int send_all(int fd, const char *data, size_t length, int64_t until, struct err *e)
{
    while (length > 0) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return err_errno(e, "send to the D-Bus");
        int r = n < 0 ? wait_for(fd, POLLOUT, until, e) : 0;
        if (r < 0)
            return r;
        data += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int receive_all(int fd, void *data, size_t length, int64_t until, struct err *e)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = recv(fd, (char *)data + at, length - at, 0);
        if (n == 0)
            return err_set(e, ECONNRESET, "the D-Bus has ended the connection");
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return err_errno(e, "receive from the D-Bus");
        int r = n < 0 ? wait_for(fd, POLLIN, until, e) : 0;
        if (r < 0)
            return r;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* A line of the authentication. Byte by byte: what follows is no line any more. */
static int receive_line(int fd, char *line, size_t size, int64_t until, struct err *e)
{
    for (size_t n = 0; n + 1 < size;) {
        int r = receive_all(fd, line + n, 1, until, e);
        if (r < 0)
            return r;
        if (line[n++] == '\n') {
            line[n] = '\0';
            return 0;
        }
    }
    return err_set(e, EBADMSG, "the D-Bus does not authenticate as its specification says");
}

/* EXTERNAL with an empty identity: the bus asks the kernel who we are, also from inside a user namespace. */
static int authenticate(int fd, struct err *e)
{
    static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
    char line[LINE_MAX_BYTES];
    int64_t until = now_ms() + ANSWER_MS;
    int r = send_all(fd, words, sizeof(words) - 1, until, e);
    if (r == 0)
        r = receive_line(fd, line, sizeof(line), until, e);
    if (r == 0 && str_after(line, "DATA"))
        r = receive_line(fd, line, sizeof(line), until, e);
    if (r == 0 && !str_after(line, "OK "))
        r = err_set(e, EACCES, "the D-Bus does not let this user in");
    return r;
}

/* ---- messages ---- */

static int receive(struct dbus *b, int64_t until, struct dbus_message *ret, struct err *e)
{
    uint8_t head[DBUS_HEAD];
    size_t size = 0;
    int r = receive_all(b->fd, head, sizeof(head), until, e);
    if (r == 0)
        r = dbus_message_size(head, &size, e);
    b->in.length = 0;
    if (r == 0)
        r = buf_add(&b->in, head, sizeof(head), size, e);
    if (r == 0)
        r = buf_reserve(&b->in, size - sizeof(head), size, e);
    if (r == 0)
        r = receive_all(b->fd, b->in.data + sizeof(head), size - sizeof(head), until, e);
    if (r < 0)
        return r;
    b->in.length = size;
    return dbus_message_read((const uint8_t *)b->in.data, size, ret, e);
}

/* What an error says: the first string of its body. */
static int tell_error(const struct dbus_message *m, char *ret_error, size_t error_size, struct err *e)
{
    struct dbus_reader r = {.bytes = m->body, .length = m->body_length};
    const char *name = m->error_name ? m->error_name : "an error without a name";
    const char *text = NULL;
    struct err ignored = {0};
    if (ret_error)
        (void)snprintf(ret_error, error_size, "%s", name);
    if (!m->signature || *m->signature != 's' || dbus_get_string(&r, &text, &ignored) < 0)
        text = name;
    return err_set(e, EREMOTEIO, "%.300s", text);
}

int dbus_ask(struct dbus *b, struct dbus_call *c, struct dbus_message *ret, char *ret_error,
             size_t error_size, struct err *e)
{
    _cleanup_buf_ struct buf out = {0};
    struct dbus_message m = {0};
    int64_t until = now_ms() + ANSWER_MS;
    if (ret_error)
        *ret_error = '\0';
    c->serial = ++b->serial;
    int r = dbus_call_write(c, &out, e);
    if (r == 0)
        r = send_all(b->fd, out.data, out.length, until, e);
    for (int i = 0; r == 0 && i < MESSAGES_MAX; i++) {
        r = receive(b, until, &m, e);
        if (r < 0 || m.reply_serial != c->serial || (m.type != DBUS_RETURN && m.type != DBUS_ERROR))
            continue;
        (void)snprintf(b->service, sizeof(b->service), "%s", m.sender ? m.sender : "");
        if (m.type == DBUS_ERROR)
            return tell_error(&m, ret_error, error_size, e);
        if (ret)
            *ret = m;
        return 0;
    }
    return r < 0 ? r : err_set(e, EBADMSG, "the D-Bus answers nothing that was asked");
}

int dbus_await(struct dbus *b, const char *member, int timeout_ms, struct dbus_message *ret, struct err *e)
{
    struct dbus_message m = {0};
    int64_t until = now_ms() + timeout_ms;
    for (;;) {
        int r = receive(b, until, &m, e);
        if (r < 0)
            return r;
        if (m.type == DBUS_SIGNAL && m.member && str_equal(m.member, member) && m.sender &&
            str_equal(m.sender, b->service)) {
            *ret = m;
            return 0;
        }
    }
}

int dbus_open(bool user, struct dbus *ret, struct err *e)
{
    _cleanup_dbus_ struct dbus b = {.fd = connect_to(user, e)};
    struct dbus_call hello = {.destination = "org.freedesktop.DBus",
                              .path = "/org/freedesktop/DBus",
                              .interface = "org.freedesktop.DBus",
                              .member = "Hello"};
    int r = b.fd < 0 ? b.fd : authenticate(b.fd, e);
    if (r == 0)
        r = dbus_ask(&b, &hello, NULL, NULL, 0, e);
    if (r < 0)
        return r;
    *ret = b;
    b = (struct dbus)DBUS_INIT;
    return 0;
}
