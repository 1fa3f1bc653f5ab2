/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with registries (fetch.h). Trusted. */
#include "image/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/ids.h"
#include "base/io.h"
#include "image/documents.h"

#define CERTIFICATES_MAX (4U << 20)
#define PIPE_SIZE (1 << 20)

static const struct worker_profile profile = {
    .program = "casemate-fetch",
    .uid = IDS_WORKER_FETCH,
    .keep_network = true,
    .memory_max = 1ULL << 30,
    .cpu_seconds = 3600,
    .files_max = 64,
    .file_size_max = 0,
};

void fetch_close(struct fetch *f)
{
    worker_stop(&f->worker);
}

/* certs.d/HOST/ca.crt beside the policy file, or Docker's /etc/docker/certs.d/HOST/ca.crt. 1: read, 0: there is none. */
static int read_own_certificates(const char *host, const struct pull_options *o, struct buf *ret,
                                 struct err *e)
{
    _cleanup_free_ char *own = NULL;
    _cleanup_free_ char *docker = NULL;
    if (o->ca_file)
        return io_read_path(o->ca_file, CERTIFICATES_MAX, ret, e) < 0 ? err_wrap(e, "CA file %s", o->ca_file)
                                                                      : 1;
    const char *conf = dirs_conf();
    const char *slash = strrchr(conf, '/');
    int r = str_format(&own, e, "%.*s/certs.d/%s/ca.crt", slash ? (int)(slash - conf) : 1, slash ? conf : ".",
                       host);
    if (r == 0)
        r = str_format(&docker, e, "/etc/docker/certs.d/%s/ca.crt", host);
    if (r < 0)
        return r;
    const char *const places[] = {own, docker};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct err absent = {0};
        r = io_read_path(places[i], CERTIFICATES_MAX, ret, &absent);
        if (r == 0)
            return 1;
        if (r != -ENOENT && r != -ENOTDIR) {
            *e = absent;
            return r;
        }
    }
    return 0;
}

/* No error repeats a text that has a password in it. */
static int put_secret(char *field, size_t size, const char *text, const char *what, struct err *e)
{
    if (strlen(text) >= size)
        return err_set(e, ENAMETOOLONG, "%s is longer than %zu characters", what, size - 1);
    return str_put(field, size, text, e);
}

static int set_credentials(const char *host, const struct pull_options *o, struct message_fetch_session *m,
                           struct err *e)
{
    _cleanup_credentials_ struct credentials found = {0};
    const struct credentials *c = o->credentials;
    int r = 0;
    if (!c) {
        r = credentials_find(host, &found, e);
        c = r > 0 ? &found : NULL;
    }
    if (r < 0 || !c)
        return r;
    r = str_put(m->user, sizeof(m->user), c->user, e);
    if (r == 0)
        r = put_secret(m->password, sizeof(m->password), c->password, "the password", e);
    if (r == 0)
        r = str_put(m->token_host, sizeof(m->token_host), o->token_host ? o->token_host : c->token_host, e);
    return r;
}

/* As other programs read them; the names in lower case go first. HTTP_PROXY has no part: HTTP without TLS goes to loopback only. */
static int set_proxy(struct message_fetch_session *m, struct err *e)
{
    const char *proxy = getenv("https_proxy");
    const char *none = getenv("no_proxy");
    proxy = proxy ? proxy : getenv("HTTPS_PROXY");
    none = none ? none : getenv("NO_PROXY");
    int r = m->plain_http ? 0 : put_secret(m->proxy, sizeof(m->proxy), proxy ? proxy : "", "HTTPS_PROXY", e);
    if (r == 0)
        r = put_secret(m->no_proxy, sizeof(m->no_proxy), none ? none : "", "NO_PROXY", e);
    return r;
}

static int fill_session(const char *host, const char *path, const struct pull_options *o,
                        struct message_fetch_session *m, struct err *e)
{
    if (o->plain_http && !reference_host_is_loopback(host))
        return err_set(e, EPERM,
                       "plain HTTP to %s is refused: only registries on loopback may do without TLS "
                       "(practice 14); give the registry "
                       "a certificate, and its CA to certs.d/%s/ca.crt",
                       host, host);
    m->plain_http = o->plain_http;
    int r = str_put(m->host, sizeof(m->host), reference_api_host(host), e);
    if (r == 0)
        r = str_put(m->repository, sizeof(m->repository), path, e);
    if (r == 0)
        r = set_credentials(host, o, m, e);
    return r < 0 ? r : set_proxy(m, e);
}

static int start(struct fetch *f, struct message_fetch_session *m, const struct buf *certificates,
                 struct err *e)
{
    _cleanup_close_ int file = -1;
    if (m->own_ca) {
        file = documents_memory_file(certificates->data ? certificates->data : "", certificates->length, e);
        if (file < 0)
            return file;
    }
    int r = worker_start(&profile, &f->worker, e);
    return r < 0 ? r
                 : ipc_send(f->worker.socket, MESSAGE_FETCH_SESSION, m, sizeof(*m), &file, m->own_ca ? 1 : 0,
                            e);
}

int fetch_open(const char *host, const char *path, const struct pull_options *options, struct fetch *ret,
               struct err *e)
{
    _cleanup_buf_ struct buf certificates = {0};
    struct fetch f = FETCH_INIT;
    struct message_fetch_session *m = calloc(1, sizeof(*m));
    if (!m)
        return err_oom(e);
    int r = fill_session(host, path, options, m, e);
    if (r == 0)
        r = read_own_certificates(host, options, &certificates, e);
    m->own_ca = r > 0;
    if (r >= 0)
        r = start(&f, m, &certificates, e);
    explicit_bzero(m, sizeof(*m));
    free(m);
    if (r < 0) {
        fetch_close(&f);
        return r;
    }
    *ret = f;
    return 0;
}

/* One answer of the expected type; its payload in *ret (length bytes). */
static int hear(struct fetch *f, uint16_t type, void *ret, size_t length, struct err *e)
{
    struct ipc_message *m = calloc(1, sizeof(*m));
    if (!m)
        return err_oom(e);
    int r = worker_receive(&f->worker, m, NULL, NULL, e);
    if (r == 0)
        r = ipc_expect(m, type, length, 0, e);
    if (r == 0 && length > 0)
        memcpy(ret, m->payload, length);
    ipc_message_clear(m);
    free(m);
    return r;
}

/* Sends a request together with the end of a pipe; returns the other end. */
static int ask(struct fetch *f, uint16_t type, const void *request, size_t length, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    _cleanup_close_ int ours = ends[0];
    _cleanup_close_ int theirs = ends[1];
    int r = ipc_send(f->worker.socket, type, request, length, &theirs, 1, e);
    if (r == 0)
        return steal_fd(&ours);
    /* The worker has ended: it has said why. */
    struct err said = {0};
    if (hear(f, MESSAGE_DONE, NULL, 0, &said) < 0 && said.code)
        *e = said;
    return r;
}

int fetch_ping(struct fetch *f, struct err *e)
{
    int r = ipc_send(f->worker.socket, MESSAGE_FETCH_PING, NULL, 0, NULL, 0, e);
    return r < 0 ? r : hear(f, MESSAGE_DONE, NULL, 0, e);
}

int fetch_manifest(struct fetch *f, const char *name, size_t max, struct buf *ret_text,
                   struct message_fetch_found *ret_found, struct err *e)
{
    struct message_fetch_manifest q = {.size_max = max};
    int r = str_put(q.name, sizeof(q.name), name, e);
    _cleanup_close_ int from = r < 0 ? r : ask(f, MESSAGE_FETCH_MANIFEST, &q, sizeof(q), e);
    if (from < 0)
        return from;
    struct err reading = {0};
    int got = io_read_to_end(from, max, ret_text, &reading);
    close_fd(&from);
    r = hear(f, MESSAGE_FETCH_FOUND, ret_found, sizeof(*ret_found), e);
    if (r < 0)
        return r;
    if (got < 0) {
        *e = reading;
        return got;
    }
    if (!message_text_ok(ret_found->media_type, sizeof(ret_found->media_type)) ||
        !message_text_ok(ret_found->digest, sizeof(ret_found->digest)) || ret_found->size != ret_text->length)
        return err_set(e, EBADMSG, "malformed answer of casemate-fetch");
    return 0;
}

int fetch_begin(struct fetch *f, const struct digest *digest, uint64_t size, struct err *e)
{
    struct message_fetch_blob q = {.size = size};
    digest_format(digest, q.digest);
    return ask(f, MESSAGE_FETCH_BLOB, &q, sizeof(q), e);
}

int fetch_finish(struct fetch *f, struct err *e)
{
    return hear(f, MESSAGE_DONE, NULL, 0, e);
}

int fetch_blob(struct fetch *f, const struct digest *digest, uint64_t size, struct buf *ret_data,
               struct err *e)
{
    struct digest is;
    struct err reading = {0};
    _cleanup_close_ int from = fetch_begin(f, digest, size, e);
    if (from < 0)
        return from;
    int got = io_read_to_end(from, (size_t)size, ret_data, &reading);
    close_fd(&from);
    int r = fetch_finish(f, e);
    if (r == 0 && got < 0) {
        *e = reading;
        r = got;
    }
    if (r < 0)
        return r;
    digest_of(ret_data->data ? ret_data->data : "", ret_data->length, &is);
    if (ret_data->length != size || !digest_equal(&is, digest))
        return err_set(e, EBADMSG, "the registry sends other bytes than those of the digest asked for");
    return 0;
}
