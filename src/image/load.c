/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading image archives (load.h). Trusted: moves bytes between the archive and the workers and compares digests; what the archive says is
 * read by casemate-unpack (where its members are) and casemate-parse (its documents).
 */
#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "image/archive.h"
#include "image/documents.h"
#include "image/layers.h"
#include "image/reference.h"

#define DOCKER_INDEX "manifest.json"
#define OCI_INDEX "index.json"
#define INDEX_NESTING_MAX 4 /* an index that leads to an index */
#define HASH_BUFFER (256U << 10)
#define PROGRESS_NAME_LENGTH 12
#define BLOB_NAME_SIZE (sizeof("blobs/sha256/") + DIGEST_HEX_LENGTH)

struct load {
    const struct store *store;
    const struct load_options *options;
    struct load_result *result;
    struct archive archive;
    struct documents documents;
};

void load_result_clear(struct load_result *r)
{
    str_list_clear(&r->names);
    str_list_clear(&r->ids);
}

static const struct message_unpack_member *need_member(const struct load *l, const char *name, struct err *e)
{
    const struct message_unpack_member *m = archive_find(&l->archive, name);
    if (!m)
        (void)err_set(e, EBADMSG, "the archive has no %.300s", name);
    return m;
}

/* A document of the archive: its bytes, their digest, and a memory file for casemate-parse. */
struct document {
    struct buf text;
    struct digest digest;
    int fd;
};

#define DOCUMENT_INIT  \
    {                  \
        {0}, {{0}}, -1 \
    }

static void document_clear(struct document *d)
{
    buf_clear(&d->text);
    close_fd(&d->fd);
}
#define _cleanup_document_ _cleanup_(document_clear)

static int read_document(const struct load *l, const char *name, size_t max, struct document *ret,
                         struct err *e)
{
    const struct message_unpack_member *m = need_member(l, name, e);
    int r = m ? archive_read(&l->archive, m, max, &ret->text, e) : -e->code;
    if (r < 0)
        return err_wrap(e, "%s", name);
    const char *text = ret->text.data ? ret->text.data : "";
    digest_of(text, ret->text.length, &ret->digest);
    ret->fd = documents_memory_file(text, ret->text.length, e);
    return ret->fd < 0 ? ret->fd : 0;
}

static void blob_name(const struct digest *d, char ret_name[BLOB_NAME_SIZE])
{
    (void)strcpy(ret_name, "blobs/sha256/");
    digest_format_hex(d, ret_name + strlen(ret_name));
}

/* A document that is named by its digest, which it must have. */
static int read_blob(const struct load *l, const struct digest *digest, size_t max, struct document *ret,
                     struct err *e)
{
    char name[BLOB_NAME_SIZE];
    blob_name(digest, name);
    int r = read_document(l, name, max, ret, e);
    if (r == 0 && !digest_equal(&ret->digest, digest))
        r = err_set(e, EBADMSG, "%s does not have the digest that it is named by", name);
    return r;
}

/* --- layers -------------------------------------------------------------------------------------------------------- */

struct layer_progress {
    const struct load_options *options;
    char name[PROGRESS_NAME_LENGTH + 1];
};

static void tell(uint64_t done, uint64_t total, void *context)
{
    const struct layer_progress *p = context;
    p->options->progress(p->name, done, total, p->options->context);
}

static int import_layer(const struct load *l, const struct image_layer *layer,
                        const struct message_unpack_member *m, struct err *e)
{
    char hex[DIGEST_HEX_LENGTH + 1];
    struct layer_progress progress = {.options = l->options};
    const struct layer_request request = {.blob = layer->blob,
                                          .size = layer->size,
                                          .diff_id = layer->diff_id,
                                          .compression = layer->compression};
    digest_format_hex(&layer->blob, hex);
    memcpy(progress.name, hex, PROGRESS_NAME_LENGTH);
    _cleanup_close_ int fd = archive_member_fd(&l->archive, m, e);
    if (fd < 0)
        return fd;
    int r = layer_import(l->store, &request, fd, l->options->progress ? tell : NULL, &progress, e);
    return r < 0 ? r : 0;
}

/* The first bytes of a compressed file (RFC 1952, RFC 8878). */
static enum layer_compression sniff(const uint8_t *data, size_t length)
{
    static const uint8_t gzip[] = {0x1f, 0x8b};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (length >= sizeof(gzip) && memcmp(data, gzip, sizeof(gzip)) == 0)
        return LAYER_GZIP;
    return length >= sizeof(zstd) && memcmp(data, zstd, sizeof(zstd)) == 0 ? LAYER_ZSTD : LAYER_PLAIN;
}

/* Docker archives name a layer's content, not its bytes: these are hashed here. Uncompressed, which is what `docker save` writes, they are
 * the content. */
static int measure_layer(const struct load *l, const struct message_unpack_member *m,
                         struct image_layer *layer, struct err *e)
{
    struct digest_state state;
    uint64_t done = 0;
    _cleanup_free_ uint8_t *data = malloc(HASH_BUFFER);
    _cleanup_close_ int fd = archive_member_fd(&l->archive, m, e);
    if (!data)
        return err_oom(e);
    if (fd < 0)
        return fd;
    layer->size = m->size;
    digest_start(&state);
    do {
        uint64_t left = m->size - done;
        ssize_t n = io_read_full(fd, data, left < HASH_BUFFER ? (size_t)left : HASH_BUFFER, e);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        if (done == 0 && (layer->compression = sniff(data, (size_t)n)) == LAYER_PLAIN) {
            layer->blob = layer->diff_id;
            return 0;
        }
        digest_update(&state, data, (size_t)n);
        done += (uint64_t)n;
    } while (done < m->size);
    if (done < m->size || done == 0)
        return err_set(e, EBADMSG, "the archive ends in the middle of %s", m->name);
    digest_finish(&state, &layer->blob);
    return 0;
}

/* --- one image ----------------------------------------------------------------------------------------------------- */

static int add_result(struct load *l, const struct image *i, const struct str_list *tags, struct err *e)
{
    int r = 0;
    for (size_t n = 0; n < tags->count && r == 0; n++) {
        struct reference ref;
        char text[REFERENCE_TEXT_MAX + 1];
        r = reference_parse(tags->items[n], &ref, e);
        if (r < 0)
            break;
        reference_format_familiar(&ref, text);
        r = str_list_add(&l->result->names, text, e);
    }
    if (r == 0 && tags->count == 0)
        r = str_list_addf(&l->result->ids, e, "sha256:%s", i->id);
    return r;
}

static int commit(struct load *l, struct image *i, const struct document *manifest,
                  const struct document *config, const struct str_list *tags, struct err *e)
{
    const struct image_documents documents = {.manifest = manifest ? manifest->text.data : NULL,
                                              .manifest_length = manifest ? manifest->text.length : 0,
                                              .config = config->text.data,
                                              .config_length = config->text.length};
    digest_format_hex(&config->digest, i->id);
    i->size = 0;
    for (size_t n = 0; n < i->layer_count; n++)
        i->size += i->layers[n].size;
    int r = image_commit(l->store, i, &documents, tags, e);
    return r < 0 ? r : add_result(l, i, tags, e);
}

static int load_docker_image(struct load *l, const struct archive_image *item, struct err *e)
{
    _cleanup_document_ struct document config = DOCUMENT_INIT;
    _cleanup_image_ struct image *i = NULL;
    int r = read_document(l, item->config, DOCUMENTS_CONFIG_MAX, &config, e);
    if (r == 0)
        r = documents_parse_config(&l->documents, config.fd, &l->options->platform, NULL, &i, e);
    if (r < 0)
        return r;
    if (i->layer_count != item->layers.count)
        return err_set(e, EBADMSG, "the archive has %zu layers for an image of %zu", item->layers.count,
                       i->layer_count);
    for (size_t n = 0; n < i->layer_count; n++) {
        const struct message_unpack_member *m = need_member(l, item->layers.items[n], e);
        r = m ? measure_layer(l, m, &i->layers[n], e) : -e->code;
        if (r == 0)
            r = import_layer(l, &i->layers[n], m, e);
        if (r < 0)
            return r;
    }
    return commit(l, i, NULL, &config, &item->tags, e);
}

/* From a manifest, or the index that leads to it, to the manifest for our platform. */
static int choose_manifest(struct load *l, const struct archive_image *item, struct document *ret_document,
                           struct manifest_choice *choice, struct err *e)
{
    struct digest next = item->manifest;
    char media_type[DOCUMENTS_MEDIA_TYPE_MAX + 1];
    (void)snprintf(media_type, sizeof(media_type), "%s", item->media_type);
    for (int depth = 0; depth < INDEX_NESTING_MAX; depth++) {
        document_clear(ret_document);
        int r = read_blob(l, &next, DOCUMENTS_MANIFEST_MAX, ret_document, e);
        if (r == 0)
            r = documents_parse_manifest(&l->documents, ret_document->fd, media_type, &l->options->platform,
                                         choice, e);
        if (r < 0 || !choice->is_index)
            return r;
        next = choice->chosen;
        (void)snprintf(media_type, sizeof(media_type), "%s", choice->chosen_media_type);
    }
    return err_set(e, EBADMSG, "the archive's index leads to an index again and again");
}

static int load_oci_image(struct load *l, const struct archive_image *item, struct err *e)
{
    _cleanup_document_ struct document manifest = DOCUMENT_INIT;
    _cleanup_document_ struct document config = DOCUMENT_INIT;
    _cleanup_image_ struct image *i = NULL;
    _cleanup_free_ struct manifest_choice *choice = calloc(1, sizeof(*choice));
    if (!choice)
        return err_oom(e);
    int r = choose_manifest(l, item, &manifest, choice, e);
    if (r == 0)
        r = read_blob(l, &choice->manifest.config, DOCUMENTS_CONFIG_MAX, &config, e);
    if (r == 0)
        r = documents_parse_config(&l->documents, config.fd, &l->options->platform, &choice->manifest, &i, e);
    for (size_t n = 0; r == 0 && n < i->layer_count; n++) {
        char name[BLOB_NAME_SIZE];
        blob_name(&i->layers[n].blob, name);
        const struct message_unpack_member *m = need_member(l, name, e);
        r = !m ? -e->code
            : m->size != i->layers[n].size
                ? err_set(e, EBADMSG, "%s does not have the size that the manifest says", name)
                : import_layer(l, &i->layers[n], m, e);
    }
    if (r < 0)
        return r;
    i->manifest = manifest.digest;
    return commit(l, i, &manifest, &config, &item->tags, e);
}

/* --- the archive --------------------------------------------------------------------------------------------------- */

static int load_images(struct load *l, struct err *e)
{
    _cleanup_archive_images_ struct archive_images images = {0};
    _cleanup_document_ struct document index = DOCUMENT_INIT;
    bool docker = archive_find(&l->archive, DOCKER_INDEX) != NULL;
    if (!docker && !archive_find(&l->archive, OCI_INDEX))
        return err_set(e, EBADMSG,
                       "this is no image archive: it has neither " DOCKER_INDEX
                       " (docker save) nor " OCI_INDEX " (OCI layout)");
    int r = read_document(l, docker ? DOCKER_INDEX : OCI_INDEX, DOCUMENTS_MANIFEST_MAX, &index, e);
    if (r == 0)
        r = docker ? documents_parse_docker_archive(&l->documents, index.fd, &images, e)
                   : documents_parse_oci_layout(&l->documents, index.fd, &images, e);
    for (size_t n = 0; r == 0 && n < images.count; n++)
        r = docker ? load_docker_image(l, &images.items[n], e) : load_oci_image(l, &images.items[n], e);
    return r;
}

int image_load(const struct store *s, int archive_fd, const struct load_options *options,
               struct load_result *ret_result, struct err *e)
{
    struct load l = {.store = s,
                     .options = options,
                     .result = ret_result,
                     .archive = ARCHIVE_INIT,
                     .documents = DOCUMENTS_INIT};
    *ret_result = (struct load_result){0};
    _cleanup_close_ int hold = image_hold(s, e);
    if (hold < 0)
        return hold;
    int r = archive_open(s, archive_fd, &l.archive, e);
    if (r == 0)
        r = documents_open(&l.documents, e);
    if (r == 0)
        r = load_images(&l, e);
    documents_close(&l.documents);
    archive_close(s, &l.archive);
    return r;
}
