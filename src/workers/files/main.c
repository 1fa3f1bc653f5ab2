/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-files: packs, unpacks and looks at files of a container, of the store or of the caller's. One session says where, then
 * requests follow. What it reads is hostile; what it answers is believed only as far as it concerns those files.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/ipc.h"
#include "base/worker.h"
#include "workers/files/assemble.h"
#include "workers/files/changes.h"
#include "workers/files/find.h"
#include "workers/files/limits.h"
#include "workers/files/pack.h"
#include "workers/files/place.h"
#include "workers/files/sandbox.h"
#include "workers/files/show.h"

struct session {
    int root;
    int lower[FILES_LAYERS_MAX];
    size_t lower_count;
};

static int malformed(struct err *e)
{
    return err_set(e, EBADMSG, "malformed request");
}

static int add_lower(struct session *s, struct ipc_message *m, struct err *e)
{
    if (m->length != 0 || s->lower_count + m->fd_count > FILES_LAYERS_MAX)
        return malformed(e);
    for (size_t i = 0; i < m->fd_count; i++)
        s->lower[s->lower_count++] = ipc_take_fd(m, i);
    return 0;
}

static int open_session(struct session *s, struct ipc_message *m, struct err *e)
{
    struct message_files_session request;
    if (m->fd_count < 1 || m->fd_count > 2)
        return malformed(e);
    int r = ipc_expect(m, MESSAGE_FILES_SESSION, sizeof(request), m->fd_count, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    int readable = m->fd_count > 1 ? m->fds[1] : -1;
    s->root = sandbox_enter_session(&request, m->fds[0], readable, s->lower, s->lower_count, e);
    return s->root < 0 ? s->root : ipc_send(WORKER_SOCKET, MESSAGE_DONE, NULL, 0, NULL, 0, e);
}

/* Layers come first, then the session itself. */
static int start(struct session *s, struct ipc_message *m, struct err *e)
{
    for (;;) {
        int r = ipc_receive(WORKER_SOCKET, m, e);
        if (r == 0)
            _exit(0);
        if (r > 0)
            r = m->type == MESSAGE_FILES_LOWER ? add_lower(s, m, e) : open_session(s, m, e);
        ipc_message_clear(m);
        if (r < 0 || s->root >= 0)
            return r;
    }
}

static int send_counts(const struct message_files_counts *counts, struct err *e)
{
    return ipc_send(WORKER_SOCKET, MESSAGE_FILES_COUNTS, counts, sizeof(*counts), NULL, 0, e);
}

static int serve_stat(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_path request;
    struct message_files_found found;
    int r = ipc_expect(m, MESSAGE_FILES_STAT, sizeof(request), 0, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (!message_text_ok(request.path, sizeof(request.path)))
        return malformed(e);
    r = find_path(s->root, &request, &found, e);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_FILES_FOUND, &found, sizeof(found), NULL, 0, e);
}

static int serve_pack(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_pack request;
    struct message_files_counts counts = {0};
    int r = ipc_expect(m, MESSAGE_FILES_PACK, sizeof(request), 1, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (!message_text_ok(request.path, sizeof(request.path)) ||
        !message_text_ok(request.name, sizeof(request.name)))
        return malformed(e);
    r = pack_path(s->root, &request, m->fds[0], &counts, e);
    return r < 0 ? r : send_counts(&counts, e);
}

static int serve_place(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_place request;
    struct message_files_counts counts = {0};
    int r = ipc_expect(m, MESSAGE_FILES_PLACE, sizeof(request), 1, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (!message_text_ok(request.path, sizeof(request.path)))
        return malformed(e);
    r = place_archive(s->root, &request, m->fds[0], &counts, e);
    return r < 0 ? r : send_counts(&counts, e);
}

static int serve_changes(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_changes request;
    struct message_files_counts counts = {0};
    int r = ipc_expect(m, MESSAGE_FILES_CHANGES, sizeof(request), 1, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    r = changes_write(s->root, s->lower, s->lower_count, &request, m->fds[0], &counts, e);
    return r < 0 ? r : send_counts(&counts, e);
}

static int serve_assemble(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_counts counts = {0};
    int r = ipc_expect(m, MESSAGE_FILES_ASSEMBLE, 0, 2, e);
    if (r == 0)
        r = assemble_layer(s->root, m->fds[0], m->fds[1], &counts, e);
    return r < 0 ? r : send_counts(&counts, e);
}

static int serve_show(const struct session *s, const struct ipc_message *m, struct err *e)
{
    struct message_files_show request;
    struct message_files_counts counts = {0};
    int r = ipc_expect(m, m->type, sizeof(request), 1, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (!message_text_ok(request.path, sizeof(request.path)))
        return malformed(e);
    r = m->type == MESSAGE_FILES_LIST ? show_list(s->root, &request, m->fds[0], &counts, e)
                                      : show_file(s->root, &request, m->fds[0], &counts, e);
    return r < 0 ? r : send_counts(&counts, e);
}

static int serve(const struct session *s, const struct ipc_message *m, struct err *e)
{
    switch (m->type) {
    case MESSAGE_FILES_STAT:
        return serve_stat(s, m, e);
    case MESSAGE_FILES_PACK:
        return serve_pack(s, m, e);
    case MESSAGE_FILES_PLACE:
        return serve_place(s, m, e);
    case MESSAGE_FILES_CHANGES:
        return serve_changes(s, m, e);
    case MESSAGE_FILES_ASSEMBLE:
        return serve_assemble(s, m, e);
    case MESSAGE_FILES_LIST:
    case MESSAGE_FILES_READ:
        return serve_show(s, m, e);
    default:
        return malformed(e);
    }
}

/* A path that is not there is an answer; the session goes on. Other failures end it. */
static int answer_missing(const struct err *e)
{
    struct message_failed f = {.code = e->code};
    struct err ignored = {0};
    memcpy(f.text, e->text, sizeof(f.text));
    return ipc_send(WORKER_SOCKET, MESSAGE_FAILED, &f, sizeof(f), NULL, 0, &ignored);
}

int main(void)
{
    static struct ipc_message m;
    static struct session s = {.root = -1};
    struct err e = {0};
    (void)umask(0);
    (void)signal(SIGPIPE, SIG_IGN);
    int r = start(&s, &m, &e);
    while (r >= 0 && (r = ipc_receive(WORKER_SOCKET, &m, &e)) > 0) {
        bool stat_only = m.type == MESSAGE_FILES_STAT;
        r = serve(&s, &m, &e);
        ipc_message_clear(&m);
        if (r < 0 && stat_only && (r = answer_missing(&e)) >= 0)
            err_clear(&e);
    }
    if (r < 0)
        worker_fail(&e);
    return 0;
}
