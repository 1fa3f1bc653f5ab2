/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemate-unpack: one request, one result. Either the stream of a layer becomes files below a directory, or an image
 * archive is read for where its members are. Every byte of the stream is hostile; what this process answers is believed only
 * as far as it concerns that stream.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "base/ipc.h"
#include "base/worker.h"
#include "workers/unpack/layer.h"
#include "workers/unpack/members.h"
#include "workers/unpack/sandbox.h"

static int serve_layer(struct ipc_message *m, struct err *e)
{
    struct message_unpack_layer request;
    struct message_unpack_layer_done done = {0};
    _cleanup_stream_ struct stream *stream = NULL;
    _cleanup_skeleton_ struct skeleton *skeleton = NULL;
    int r = ipc_expect(m, MESSAGE_UNPACK_LAYER, sizeof(request), 3, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    if (request.compression > LAYER_ZSTD || request.ids == 0 || request.ids > IDS_BLOCK_SIZE)
        return err_set(e, EBADMSG, "malformed request");
    r = sandbox_enter_unpack(m->fds[1], e);
    if (r == 0)
        r = stream_open(m->fds[0], (enum layer_compression)request.compression, true, &stream, e);
    if (r == 0)
        r = skeleton_open(m->fds[2], &skeleton, e);
    if (r == 0)
        r = layer_unpack(stream, m->fds[1], request.ids, skeleton, &done, e);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_UNPACK_LAYER_DONE, &done, sizeof(done), NULL, 0, e);
}

static int serve_index(struct ipc_message *m, struct err *e)
{
    struct message_unpack_index request;
    struct message_unpack_index_done done = {0};
    int r = ipc_expect(m, MESSAGE_UNPACK_INDEX, sizeof(request), 3, e);
    if (r < 0)
        return r;
    memcpy(&request, m->payload, sizeof(request));
    r = sandbox_enter_unpack(-1, e);
    if (r == 0)
        r = members_find(m->fds[0], request.seekable == 1, m->fds[1], m->fds[2], &done, e);
    return r < 0 ? r : ipc_send(WORKER_SOCKET, MESSAGE_UNPACK_INDEX_DONE, &done, sizeof(done), NULL, 0, e);
}

int main(void)
{
    static struct ipc_message m;
    struct err e = {0};
    (void)umask(0);
    int r = ipc_receive(WORKER_SOCKET, &m, &e);
    if (r == 0)
        return 0;
    if (r > 0)
        r = m.type == MESSAGE_UNPACK_INDEX ? serve_index(&m, &e) : serve_layer(&m, &e);
    if (r < 0)
        worker_fail(&e);
    return 0;
}
