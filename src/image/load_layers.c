/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of an archive (load_layers.h): a few threads, each feeds one casemate-unpack. */
#include "image/load_layers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "image/layers.h"

#define THREADS_MAX 4
#define MAGIC_LENGTH 4
#define HASH_SIZE (256U << 10)

struct jobs {
    const struct store *store;
    const struct archive *archive;
    const struct image *image;
    const struct message_unpack_member *const *members;
    const struct load_options *options;
    size_t order[IMAGE_LAYERS_MAX]; /* the largest first: the last one running is then a small one */
    pthread_mutex_t lock;           /* for all below, and for calls of progress */
    size_t next;
    int result;
    struct err error; /* the first one */
};

struct job {
    struct jobs *jobs;
    size_t index;
    char label[16];
};

static void tell(uint64_t done, uint64_t total, void *context)
{
    struct job *j = context;
    struct jobs *all = j->jobs;
    if (!all->options->progress)
        return;
    (void)pthread_mutex_lock(&all->lock);
    all->options->progress(j->label, done, total, all->options->context);
    (void)pthread_mutex_unlock(&all->lock);
}

static int import_one(struct job *j, struct err *e)
{
    const struct jobs *all = j->jobs;
    const struct image_layer *layer = &all->image->layers[j->index];
    const struct message_unpack_member *m = all->members[j->index];
    char hex[DIGEST_HEX_LENGTH + 1];
    digest_format_hex(&layer->diff_id, hex);
    (void)snprintf(j->label, sizeof(j->label), "%.12s", hex);
    if (layer_exists(all->store, &layer->blob))
        return 0;
    if (!m)
        return err_set(e, ENOENT, "layer %.12s is not in the archive", hex);
    const struct layer_request request = {.blob = layer->blob,
                                          .size = layer->size,
                                          .diff_id = layer->diff_id,
                                          .compression = layer->compression};
    _cleanup_close_ int fd = archive_member_fd(all->archive, m, e);
    if (fd < 0)
        return fd;
    int r = layer_import(all->store, &request, fd, tell, j, e);
    return r < 0 ? r : 0;
}

static void *work(void *context)
{
    struct jobs *all = context;
    for (;;) {
        struct job j = {.jobs = all};
        struct err e = {0};
        (void)pthread_mutex_lock(&all->lock);
        bool ended = all->result < 0 || all->next == all->image->layer_count;
        j.index = ended ? 0 : all->order[all->next++];
        (void)pthread_mutex_unlock(&all->lock);
        if (ended)
            return NULL;
        int r = import_one(&j, &e);
        (void)pthread_mutex_lock(&all->lock);
        if (r < 0 && all->result == 0) {
            all->result = r;
            all->error = e;
        }
        (void)pthread_mutex_unlock(&all->lock);
    }
}

static void sort_by_size(const struct image *i, size_t *order)
{
    for (size_t n = 0; n < i->layer_count; n++) {
        size_t at = n;
        for (; at > 0 && i->layers[order[at - 1]].size < i->layers[n].size; at--)
            order[at] = order[at - 1];
        order[at] = n;
    }
}

int load_layers(const struct store *s, const struct archive *a, const struct image *i,
                const struct message_unpack_member *const *members, const struct load_options *options,
                struct err *e)
{
    struct jobs all = {.store = s, .archive = a, .image = i, .members = members, .options = options};
    pthread_t threads[THREADS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = cpus > THREADS_MAX ? THREADS_MAX : cpus < 1 ? 1 : (size_t)cpus;
    size_t started = 0;
    (void)pthread_mutex_init(&all.lock, NULL);
    sort_by_size(i, all.order);
    if (wanted > i->layer_count)
        wanted = i->layer_count;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &all) == 0)
        started++;
    (void)work(&all);
    for (size_t n = 0; n < started; n++)
        (void)pthread_join(threads[n], NULL);
    (void)pthread_mutex_destroy(&all.lock);
    if (all.result < 0)
        *e = all.error;
    return all.result;
}

static int hash_member(const struct archive *a, const struct message_unpack_member *m,
                       struct digest *ret_digest, struct err *e)
{
    struct digest_state state;
    uint64_t left = m->size;
    _cleanup_close_ int fd = archive_member_fd(a, m, e);
    _cleanup_free_ char *data = malloc(HASH_SIZE);
    if (fd < 0)
        return fd;
    if (!data)
        return err_oom(e);
    digest_start(&state);
    while (left > 0) {
        ssize_t n = io_read_full(fd, data, left < HASH_SIZE ? (size_t)left : HASH_SIZE, e);
        if (n <= 0)
            return n < 0 ? (int)n : err_set(e, EBADMSG, "the archive ends in the middle of %s", m->name);
        digest_update(&state, data, (size_t)n);
        left -= (uint64_t)n;
    }
    digest_finish(&state, ret_digest);
    return 0;
}

int load_layer_identify(const struct archive *a, const struct message_unpack_member *m,
                        struct image_layer *layer, struct err *e)
{
    unsigned char magic[MAGIC_LENGTH] = {0};
    if (m->size == 0)
        return err_set(e, EBADMSG, "%s is empty", m->name);
    ssize_t n =
        pread(a->fd, magic, m->size < MAGIC_LENGTH ? (size_t)m->size : MAGIC_LENGTH, (off_t)m->offset);
    if (n < 0)
        return err_errno(e, "read the archive");
    layer->size = m->size;
    layer->compression = LAYER_PLAIN;
    if (memcmp(magic, "\x1f\x8b", 2) == 0)
        layer->compression = LAYER_GZIP;
    else if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        layer->compression = LAYER_ZSTD;
    if (layer->compression != LAYER_PLAIN)
        return hash_member(a, m, &layer->blob, e);
    layer->blob = layer->diff_id;
    return 0;
}
