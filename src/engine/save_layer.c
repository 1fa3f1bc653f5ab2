/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of layers (save_layer.h): casemate-files writes, here the bytes are counted and hashed. */
#include "engine/save_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/files.h"
#include "image/layers.h"

#define READ_SIZE (256U << 10)

struct passage {
    int (*take)(const void *data, size_t length, void *context, struct err *e); /* or NULL */
    void *context;
    struct digest digest;
    uint64_t size;
};

static int read_all(int stream, struct passage *p, struct err *e)
{
    struct digest_state state;
    _cleanup_free_ char *data = malloc(READ_SIZE);
    if (!data)
        return err_oom(e);
    digest_start(&state);
    for (;;) {
        ssize_t n = read(stream, data, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read a layer");
        if (n == 0)
            break;
        digest_update(&state, data, (size_t)n);
        p->size += (uint64_t)n;
        int r = p->take ? p->take(data, (size_t)n, p->context, e) : 0;
        if (r < 0)
            return r;
    }
    digest_finish(&state, &p->digest);
    return 0;
}

static int start(struct files *f, const struct store *s, const struct save_layer *l, int out, struct err *e)
{
    if (l->packed)
        return files_pack(f, ".", "", FILES_PACK_LAYER | FILES_PACK_CONTENT, out, e);
    _cleanup_close_ int skeleton = layer_open_skeleton(s, &l->blob, e);
    return skeleton < 0 ? skeleton : files_assemble(f, skeleton, out, e);
}

static int pass(const struct store *s, const struct save_layer *l, struct passage *p, struct err *e)
{
    int ends[2];
    struct message_files_counts counts;
    struct err failed = {0};
    _cleanup_files_ struct files f = FILES_INIT;
    _cleanup_close_ int dir = layer_open(s, &l->blob, e);
    int r = dir < 0 ? dir : files_open_store(dir, NULL, 0, &f, e);
    if (r < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "pipe");
    _cleanup_close_ int stream = ends[0];
    r = start(&f, s, l, ends[1], e);
    (void)close(ends[1]);
    if (r == 0)
        r = read_all(stream, p, e);
    if (r == 0 && files_wait(&f, NULL, NULL, &counts, &failed) < 0) {
        *e = failed;
        r = -failed.code;
    }
    return r;
}

int save_layer_measure(const struct store *s, const struct image_layer *layer, struct save_layer *ret,
                       struct err *e)
{
    struct layer_info info;
    struct err none = {0};
    struct save_layer l = {.blob = layer->blob};
    int r = layer_read_info(s, &layer->blob, &info, e);
    if (r < 0)
        return r;
    _cleanup_close_ int skeleton = layer_open_skeleton(s, &layer->blob, &none);
    if (skeleton < 0 && skeleton != -ENOENT) {
        *e = none;
        return skeleton;
    }
    l.packed = skeleton < 0;
    l.digest = info.diff_id;
    l.size = info.uncompressed;
    if (l.packed) {
        struct passage p = {.take = NULL};
        r = pass(s, &l, &p, e);
        l.digest = p.digest;
        l.size = p.size;
    }
    if (r == 0)
        *ret = l;
    return r;
}

int save_layer_stream(const struct store *s, const struct save_layer *layer,
                      int (*take)(const void *data, size_t length, void *context, struct err *e),
                      void *context, struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    struct passage p = {.take = take, .context = context};
    int r = pass(s, layer, &p, e);
    if (r == 0 && (p.size != layer->size || !digest_equal(&p.digest, &layer->digest)))
        r = err_set(e, EBADMSG,
                    "what is stored of it does not give the tar that it was: pull or load the image again");
    digest_format_hex(&layer->digest, hex);
    return r < 0 ? err_wrap(e, "layer %.12s", hex) : 0;
}
