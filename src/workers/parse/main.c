/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-parse: one document in, one fixed answer out, again and again until the engine closes the socket. Runs without
 * files, network and capabilities; what it answers is checked by the engine (image/documents.c).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "workers/parse/parse.h"

static int read_document(int fd, struct buf *text, struct err *e)
{
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(e, "seek");
    return io_read_to_end(fd, PARSE_DOCUMENT_MAX, text, e);
}

static int answer_text(struct json_object *answer, int out, struct err *e)
{
    size_t length = 0;
    const char *text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &length);
    if (!text)
        return err_oom(e);
    if (length > PARSE_ANSWER_MAX)
        return err_set(e, EFBIG, "the document is too large");
    int r = io_write_all(out, text, length, e);
    if (r < 0)
        return r;
    struct message_parse_text reply = {.length = length};
    return ipc_send(WORKER_SOCKET, MESSAGE_PARSE_TEXT, &reply, sizeof(reply), NULL, 0, e);
}

static int answer_manifest(const struct buf *text, const struct message_parse_request *request, struct err *e)
{
    struct message_parse_chosen chosen = {0};
    struct message_parse_manifest manifest = {0};
    int r = parse_manifest(text->data, text->length, request, &chosen, &manifest, e);
    if (r < 0)
        return r;
    if (r == 1)
        return ipc_send(WORKER_SOCKET, MESSAGE_PARSE_CHOSEN, &chosen, sizeof(chosen), NULL, 0, e);
    return ipc_send(WORKER_SOCKET, MESSAGE_PARSE_MANIFEST, &manifest, sizeof(manifest), NULL, 0, e);
}

static int serve(const struct message_parse_request *request, int document, int out, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *answer = NULL;
    int r = read_document(document, &text, e);
    if (r < 0)
        return r;
    if (text.length == 0)
        return err_set(e, EINVAL, "the document is empty");
    switch (request->kind) {
    case PARSE_IMAGE_MANIFEST:
        return answer_manifest(&text, request, e);
    case PARSE_IMAGE_CONFIG:
        r = parse_config(text.data, text.length, request, &answer, e);
        break;
    case PARSE_DOCKER_ARCHIVE:
        r = parse_docker_archive(text.data, text.length, &answer, e);
        break;
    case PARSE_OCI_LAYOUT:
        r = parse_oci_layout(text.data, text.length, &answer, e);
        break;
    case PARSE_IMAGE_HISTORY:
        r = parse_history(text.data, text.length, &answer, e);
        break;
    default:
        return err_set(e, EBADMSG, "unknown kind of document");
    }
    return r < 0 ? r : answer_text(answer, out, e);
}

static int serve_message(struct ipc_message *m, struct err *e)
{
    struct message_parse_request request;
    int r = ipc_expect(m, MESSAGE_PARSE_REQUEST, sizeof(request), 2, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (!message_text_ok(request.media_type, sizeof(request.media_type)) ||
        !message_text_ok(request.os, sizeof(request.os)) ||
        !message_text_ok(request.architecture, sizeof(request.architecture)) ||
        !message_text_ok(request.variant, sizeof(request.variant)))
        return err_set(e, EBADMSG, "malformed request");
    r = serve(&request, m->fds[0], m->fds[1], e);
    ipc_message_clear(m);
    return r;
}

int main(void)
{
    static struct ipc_message m;
    struct err e = {0};
    const struct sandbox_profile profile = {0};
    if (sandbox_enter(&profile, &e) < 0 || sandbox_filter("parse", &e) < 0)
        worker_fail(&e);
    for (;;) {
        int r = ipc_receive(WORKER_SOCKET, &m, &e);
        if (r == 0)
            return 0;
        if (r > 0)
            r = serve_message(&m, &e);
        if (r < 0)
            worker_fail(&e);
    }
}
