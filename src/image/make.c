/* SPDX-License-Identifier: Apache-2.0 */
/* Making images (make.h). Trusted; hashes streams, looks into none of them. */
#include "image/make.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "image/layers.h"
#include "image/platform.h"
#include "image/reference.h"

#define COPY_SIZE (256U << 10)
#define MAGIC_LENGTH 4

void make_spool_close(const struct store *s, struct make_spool *spool)
{
    struct err ignored = {0};
    close_fd(&spool->fd);
    if (spool->dir >= 0)
        (void)path_remove_tree_at(s->staging, spool->name, &ignored);
    close_fd(&spool->dir);
}

static int copy_stream(int stream, struct make_spool *spool,
                       void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                       struct err *e)
{
    struct digest_state state;
    _cleanup_free_ char *data = malloc(COPY_SIZE);
    if (!data)
        return err_oom(e);
    digest_start(&state);
    for (;;) {
        ssize_t n = read(stream, data, COPY_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "read the archive");
        if (n == 0)
            break;
        spool->size += (uint64_t)n;
        if (spool->size > MAKE_STREAM_MAX)
            return err_set(e, EFBIG, "the archive is larger than %llu bytes", MAKE_STREAM_MAX);
        digest_update(&state, data, (size_t)n);
        int r = io_write_all(spool->fd, data, (size_t)n, e);
        if (r < 0)
            return r;
        if (progress)
            progress(spool->size, 0, context);
    }
    digest_finish(&state, &spool->digest);
    return 0;
}

int make_spool_take(const struct store *s, int stream,
                    void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                    struct make_spool *ret_spool, struct err *e)
{
    struct make_spool spool = MAKE_SPOOL_INIT;
    spool.dir = store_staging_make(s, spool.name, e);
    if (spool.dir < 0)
        return spool.dir;
    spool.fd = openat(spool.dir, "layer", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r =
        spool.fd < 0 ? err_errno(e, "spool the archive") : copy_stream(stream, &spool, progress, context, e);
    if (r < 0) {
        make_spool_close(s, &spool);
        return r;
    }
    *ret_spool = spool;
    return 0;
}

int make_layer(const struct store *s, const struct make_spool *spool, struct image_layer *ret_layer,
               struct err *e)
{
    unsigned char magic[MAGIC_LENGTH] = {0};
    struct layer_info info;
    struct layer_request request = {.blob = spool->digest, .size = spool->size, .any_diff_id = true};
    if (pread(spool->fd, magic, sizeof(magic), 0) < 0 || lseek(spool->fd, 0, SEEK_SET) < 0)
        return err_errno(e, "read the archive");
    request.compression = memcmp(magic, "\x1f\x8b", 2) == 0           ? LAYER_GZIP
                          : memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 ? LAYER_ZSTD
                                                                      : LAYER_PLAIN;
    int r = layer_import(s, &request, spool->fd, NULL, NULL, e);
    if (r >= 0)
        r = layer_read_info(s, &request.blob, &info, e);
    if (r < 0)
        return r;
    *ret_layer = (struct image_layer){.blob = request.blob,
                                      .size = request.size,
                                      .diff_id = info.diff_id,
                                      .compression = request.compression};
    return 0;
}

/* What casemate-parse makes of our configuration is the image that is stored. */
static int reread(struct documents *d, const struct image *i, const struct buf *config, struct image **ret,
                  struct err *e)
{
    struct manifest m = {.layer_count = i->layer_count};
    struct platform platform = {0};
    int r = str_put(platform.os, sizeof(platform.os), i->os, e);
    if (r == 0)
        r = str_put(platform.architecture, sizeof(platform.architecture), i->architecture, e);
    memcpy(m.layers, i->layers, sizeof(m.layers));
    _cleanup_close_ int fd = r < 0 ? r : documents_memory_file(config->data, config->length, e);
    return fd < 0 ? fd : documents_parse_config(d, fd, &platform, &m, ret, e);
}

static int add_name(const char *name, struct str_list *names, struct err *e)
{
    struct reference reference;
    char full[REFERENCE_TEXT_MAX + 1];
    if (!name)
        return 0;
    int r = reference_parse(name, &reference, e);
    if (r == 0 && reference.has_digest)
        r = err_set(e, EINVAL, "'%s' has a digest: an image that is made here is named by a tag", name);
    if (r < 0)
        return r;
    reference_format_tagged(&reference, full);
    return str_list_add(names, full, e);
}

int make_image(const struct store *s, struct documents *d, struct image *i, const struct image_history *h,
               const char *name, char *ret_id, struct err *e)
{
    struct digest digest;
    _cleanup_buf_ struct buf config = {0};
    _cleanup_str_list_ struct str_list names = {0};
    _cleanup_image_ struct image *checked = NULL;
    int r = add_name(name, &names, e);
    if (r == 0)
        r = image_config_format(i, h, &config, e);
    if (r == 0)
        r = reread(d, i, &config, &checked, e);
    if (r < 0)
        return r;
    digest_of(config.data, config.length, &digest);
    digest_format_hex(&digest, checked->id);
    const struct image_documents documents = {.config = config.data, .config_length = config.length};
    r = image_commit(s, checked, &documents, &names, INDEX_USER, e);
    if (r == 0)
        memcpy(ret_id, checked->id, sizeof(checked->id));
    return r;
}
