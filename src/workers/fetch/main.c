/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-fetch: the only program of Casemate that talks to a network. One session with one registry, then requests one after the other
 * until the engine closes the socket. It may read what a TLS client and the C library's name service need, write nothing, and make no
 * process.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/ipc.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "workers/fetch/fetch.h"

#define CERTIFICATES_MAX (4U << 20)

static const struct sandbox_path readable[] = {{"/etc/ssl"},
                                               {"/etc/ca-certificates"},
                                               {"/usr/share/ca-certificates"},
                                               {"/usr/local/share/ca-certificates"},
                                               {"/usr/lib/ssl"},
                                               {"/etc/resolv.conf"},
                                               {"/run/systemd/resolve"},
                                               {"/etc/hosts"},
                                               {"/etc/host.conf"},
                                               {"/etc/nsswitch.conf"},
                                               {"/etc/gai.conf"},
                                               {"/etc/services"},
                                               {"/usr/lib"},
                                               {"/lib"},
                                               {"/lib64"},
                                               {"/etc/ld.so.cache"},
                                               {"/etc/localtime"},
                                               {"/usr/share/zoneinfo"},
                                               {"/dev/urandom"},
                                               {"/dev/null"},
                                               {"/proc/sys/crypto"},
                                               {NULL}};

static int enter_sandbox(struct err *e)
{
    const struct sandbox_profile profile = {.readable = readable, .allow_tcp = true};
    int r = sandbox_enter(&profile, e);
    if (r < 0)
        return r;
    return sandbox_filter("fetch", e);
}

#define TEXT_OK(field) message_text_ok(field, sizeof(field))

static int read_certificates(struct session *s, int fd, struct err *e)
{
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(e, "read the certificates");
    return io_read_to_end(fd, CERTIFICATES_MAX, &s->certificates, e);
}

static int start_session(struct session *s, struct err *e)
{
    static struct ipc_message m;
    int r = ipc_receive(WORKER_SOCKET, &m, e);
    if (r == 0)
        exit(0);
    if (r < 0)
        return r;
    if (m.type != MESSAGE_FETCH_SESSION || m.length != sizeof(s->settings))
        return err_set(e, EBADMSG, "malformed request");
    memcpy(&s->settings, m.payload, sizeof(s->settings));
    const struct message_fetch_session *q = &s->settings;
    if (!TEXT_OK(q->host) || !TEXT_OK(q->repository) || !TEXT_OK(q->user) || !TEXT_OK(q->password) ||
        !TEXT_OK(q->token_host) || !TEXT_OK(q->proxy) || !TEXT_OK(q->no_proxy) ||
        m.fd_count != (q->own_ca ? 1U : 0U))
        return err_set(e, EBADMSG, "malformed request");
    r = q->own_ca ? read_certificates(s, m.fds[0], e) : 0;
    explicit_bzero(m.payload, sizeof(m.payload));
    ipc_message_clear(&m);
    return r < 0 ? r : http_open(s, e);
}

static int serve_manifest(struct session *s, struct ipc_message *m, struct err *e)
{
    struct message_fetch_manifest q;
    struct message_fetch_found found = {0};
    int r = ipc_expect(m, MESSAGE_FETCH_MANIFEST, sizeof(q), 1, e);
    if (r < 0)
        return r;
    memcpy(&q, m->payload, sizeof(q));
    if (!TEXT_OK(q.name))
        return err_set(e, EBADMSG, "malformed request");
    r = registry_manifest(s, &q, m->fds[0], &found, e);
    ipc_message_clear(m); /* closes the pipe: the engine reads to its end first */
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_FETCH_FOUND, &found, sizeof(found), NULL, 0, e);
}

static int serve_blob(struct session *s, struct ipc_message *m, struct err *e)
{
    struct message_fetch_blob q;
    int r = ipc_expect(m, MESSAGE_FETCH_BLOB, sizeof(q), 1, e);
    if (r < 0)
        return r;
    memcpy(&q, m->payload, sizeof(q));
    if (!TEXT_OK(q.digest))
        return err_set(e, EBADMSG, "malformed request");
    r = registry_blob(s, &q, m->fds[0], e);
    ipc_message_clear(m);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_DONE, NULL, 0, NULL, 0, e);
}

static int serve_ping(struct session *s, struct err *e)
{
    int r = registry_ping(s, e);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_DONE, NULL, 0, NULL, 0, e);
}

static int serve(struct session *s, struct ipc_message *m, struct err *e)
{
    switch (m->type) {
    case MESSAGE_FETCH_PING:
        return serve_ping(s, e);
    case MESSAGE_FETCH_MANIFEST:
        return serve_manifest(s, m, e);
    case MESSAGE_FETCH_BLOB:
        return serve_blob(s, m, e);
    default:
        return err_set(e, EBADMSG, "malformed request");
    }
}

int main(void)
{
    static struct ipc_message m;
    static struct session s;
    struct err e = {0};
    (void)signal(SIGPIPE, SIG_IGN); /* the engine may stop reading */
    int r = enter_sandbox(&e);
    if (r == 0)
        r = start_session(&s, &e);
    while (r >= 0) {
        r = ipc_receive(WORKER_SOCKET, &m, &e);
        if (r == 0)
            break;
        if (r > 0)
            r = serve(&s, &m, &e);
    }
    ipc_message_clear(&m); /* a failed request's pipe: the engine reads to its end first */
    http_close(&s);
    if (r < 0)
        worker_fail(&e);
    return 0;
}
