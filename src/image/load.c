/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading image archives (load.h). Trusted; reads no foreign text itself: the table of contents comes from casemate-unpack, the
 * documents are judged by casemate-parse. An image is what its configuration's digest says; layers are held to its diff ids,
 * and in an OCI layout every blob to the digest by which it is called.
 */
#include "image/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "image/archive.h"
#include "image/documents.h"
#include "image/image.h"
#include "image/load_layers.h"
#include "image/reference.h"

#define BLOBS "blobs/sha256/"
#define INDEX_DEPTH_MAX 3 /* index.json -> index of platforms -> manifest, and one to spare */

struct loading {
    const struct store *store;
    const struct load_options *options;
    struct archive archive;
    struct documents documents;
    struct load_result *result;
};

/* One document of an image: its bytes, and a sealed memory file of them for the parser. */
struct document {
    struct buf text;
    int fd;
    struct digest digest;
};

#define DOCUMENT_INIT \
    {                 \
        .fd = -1      \
    }

static void document_clear(struct document *d)
{
    buf_clear(&d->text);
    close_fd(&d->fd);
}
#define _cleanup_document_ _cleanup_(document_clear)

void load_result_clear(struct load_result *r)
{
    str_list_clear(&r->names);
    str_list_clear(&r->ids);
}

static int read_document(struct loading *l, const char *name, size_t max, struct document *d, struct err *e)
{
    const struct message_unpack_member *m = archive_find(&l->archive, name);
    if (!m)
        return err_set(e, ENOENT, "%s is not in the archive", name);
    document_clear(d);
    int r = archive_read(&l->archive, m, max, &d->text, e);
    if (r < 0)
        return err_wrap(e, "%s", name);
    digest_of(d->text.data, d->text.length, &d->digest);
    d->fd = documents_memory_file(d->text.data, d->text.length, e);
    return d->fd < 0 ? d->fd : 0;
}

static void blob_name(const struct digest *digest, char *ret_name)
{
    memcpy(ret_name, BLOBS, sizeof(BLOBS) - 1);
    digest_format_hex(digest, ret_name + sizeof(BLOBS) - 1);
}
#define BLOB_NAME_SIZE (sizeof(BLOBS) + DIGEST_HEX_LENGTH)

/* A document that is called by its digest. */
static int read_blob(struct loading *l, const struct digest *digest, size_t max, struct document *d,
                     struct err *e)
{
    char name[BLOB_NAME_SIZE];
    blob_name(digest, name);
    int r = read_document(l, name, max, d, e);
    if (r == 0 && !digest_equal(&d->digest, digest))
        r = err_set(e, EBADMSG, "%s does not have the digest by which it is called", name);
    return r;
}

static int note_result(struct loading *l, const struct image *i, const struct str_list *names, struct err *e)
{
    if (names->count == 0)
        return str_list_addf(&l->result->ids, e, "sha256:%s", i->id);
    for (size_t n = 0; n < names->count; n++) {
        struct reference reference;
        char text[REFERENCE_TEXT_MAX + 1];
        int r = reference_parse(names->items[n], &reference, e);
        if (r < 0)
            return r;
        reference_format_familiar(&reference, text);
        r = str_list_add(&l->result->names, text, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int store_image(struct loading *l, const struct image *i,
                       const struct message_unpack_member *const *members,
                       const struct image_documents *documents, const struct str_list *names, struct err *e)
{
    int r = load_layers(l->store, &l->archive, i, members, l->options, e);
    if (r == 0)
        r = image_commit(l->store, i, documents, names, l->options->installed ? INDEX_USER : INDEX_ARCHIVE,
                         e);
    return r < 0 ? r : note_result(l, i, names, e);
}

/* --- archives of `docker save` ---------------------------------------------------------------------------------- */

static int find_docker_layers(struct loading *l, const struct archive_image *a, struct image *i,
                              const struct message_unpack_member **members, struct err *e)
{
    if (a->layers.count != i->layer_count)
        return err_set(e, EBADMSG, "manifest.json names %zu layers, the image configuration %zu",
                       a->layers.count, i->layer_count);
    i->size = 0;
    for (size_t n = 0; n < i->layer_count; n++) {
        members[n] = archive_find(&l->archive, a->layers.items[n]);
        if (!members[n])
            return err_set(e, ENOENT, "%s is not in the archive", a->layers.items[n]);
        int r = load_layer_identify(&l->archive, members[n], &i->layers[n], e);
        if (r < 0)
            return r;
        i->size += i->layers[n].size;
    }
    return 0;
}

static int load_docker_image(struct loading *l, const struct archive_image *a, struct err *e)
{
    const struct message_unpack_member *members[IMAGE_LAYERS_MAX] = {0};
    _cleanup_document_ struct document config = DOCUMENT_INIT;
    _cleanup_image_ struct image *i = NULL;
    int r = read_document(l, a->config, DOCUMENTS_CONFIG_MAX, &config, e);
    if (r == 0)
        r = documents_parse_config(&l->documents, config.fd, &l->options->platform, NULL, &i, e);
    if (r < 0)
        return r;
    digest_format_hex(&config.digest, i->id);
    r = find_docker_layers(l, a, i, members, e);
    if (r < 0)
        return r;
    const struct image_documents documents = {.config = config.text.data,
                                              .config_length = config.text.length};
    return store_image(l, i, members, &documents, &a->tags, e);
}

/* --- OCI image layouts ------------------------------------------------------------------------------------------ */

/* Follows indexes to the manifest of the platform. */
static int find_manifest(struct loading *l, const struct archive_image *a, struct document *d,
                         struct manifest_choice *choice, struct err *e)
{
    struct digest digest = a->manifest;
    uint64_t size = a->manifest_size;
    char media_type[DOCUMENTS_MEDIA_TYPE_MAX + 1];
    memcpy(media_type, a->media_type, sizeof(media_type));
    for (unsigned depth = 0; depth < INDEX_DEPTH_MAX; depth++) {
        int r = read_blob(l, &digest, DOCUMENTS_MANIFEST_MAX, d, e);
        if (r == 0 && d->text.length != size)
            r = err_set(e, EBADMSG, "a manifest does not have the size that is said of it");
        if (r == 0)
            r = documents_parse_manifest(&l->documents, d->fd, media_type, &l->options->platform, choice, e);
        if (r < 0 || !choice->is_index)
            return r;
        digest = choice->chosen;
        size = choice->chosen_size;
        memcpy(media_type, choice->chosen_media_type, sizeof(media_type));
    }
    return err_set(e, EBADMSG, "more than %d indexes lead to a manifest", INDEX_DEPTH_MAX - 1);
}

static int find_layout_layers(struct loading *l, const struct image *i,
                              const struct message_unpack_member **members, struct err *e)
{
    char name[BLOB_NAME_SIZE];
    for (size_t n = 0; n < i->layer_count; n++) {
        blob_name(&i->layers[n].blob, name);
        members[n] = archive_find(&l->archive, name);
        if (members[n] && members[n]->size != i->layers[n].size)
            return err_set(e, EBADMSG, "%s has %llu bytes, the manifest says %llu", name,
                           (unsigned long long)members[n]->size, (unsigned long long)i->layers[n].size);
    }
    return 0;
}

static int load_layout_image(struct loading *l, const struct archive_image *a, struct err *e)
{
    const struct message_unpack_member *members[IMAGE_LAYERS_MAX] = {0};
    _cleanup_document_ struct document manifest = DOCUMENT_INIT;
    _cleanup_document_ struct document config = DOCUMENT_INIT;
    _cleanup_image_ struct image *i = NULL;
    _cleanup_free_ struct manifest_choice *choice = calloc(1, sizeof(*choice));
    if (!choice)
        return err_oom(e);
    int r = find_manifest(l, a, &manifest, choice, e);
    if (r == 0)
        r = read_blob(l, &choice->manifest.config, DOCUMENTS_CONFIG_MAX, &config, e);
    if (r == 0 && config.text.length != choice->manifest.config_size)
        r = err_set(e, EBADMSG, "the image configuration does not have the size that is said of it");
    if (r == 0)
        r = documents_parse_config(&l->documents, config.fd, &l->options->platform, &choice->manifest, &i, e);
    if (r < 0 || !i)
        return r;
    digest_format_hex(&config.digest, i->id);
    i->manifest = manifest.digest;
    r = find_layout_layers(l, i, members, e);
    if (r < 0)
        return r;
    const struct image_documents documents = {
        .manifest = manifest.text.data,
        .manifest_length = manifest.text.length,
        .config = config.text.data,
        .config_length = config.text.length,
    };
    return store_image(l, i, members, &documents, &a->tags, e);
}

/* --- both ------------------------------------------------------------------------------------------------------- */

static int load_images(struct loading *l, const struct archive_images *images,
                       int (*load)(struct loading *l, const struct archive_image *a, struct err *e),
                       struct err *e)
{
    for (size_t i = 0; i < images->count; i++) {
        const struct archive_image *a = &images->items[i];
        int r = load(l, a, e);
        if (r < 0)
            return images->count == 1 ? r : err_wrap(e, "image %zu of %zu", i + 1, images->count);
    }
    return 0;
}

/* Newer `docker save` writes both tables of contents; manifest.json has the names in full. */
static int load_opened(struct loading *l, struct err *e)
{
    _cleanup_document_ struct document contents = DOCUMENT_INIT;
    _cleanup_archive_images_ struct archive_images images = {0};
    bool docker = archive_find(&l->archive, "manifest.json") != NULL;
    if (!docker && !archive_find(&l->archive, "index.json"))
        return err_set(e, EBADMSG, "%s",
                       archive_find(&l->archive, "repositories")
                           ? "it is an archive of Docker before 1.10, which is not supported"
                           : "it is not an image archive: it has neither manifest.json nor index.json");
    int r = read_document(l, docker ? "manifest.json" : "index.json", DOCUMENTS_MANIFEST_MAX, &contents, e);
    if (r < 0)
        return r;
    r = docker ? documents_parse_docker_archive(&l->documents, contents.fd, &images, e)
               : documents_parse_oci_layout(&l->documents, contents.fd, &images, e);
    return r < 0 ? r : load_images(l, &images, docker ? load_docker_image : load_layout_image, e);
}

static int load_held(const struct store *s, int archive_fd, const struct load_options *options,
                     struct load_result *ret_result, struct err *e)
{
    struct loading l = {.store = s,
                        .options = options,
                        .archive = ARCHIVE_INIT,
                        .documents = DOCUMENTS_INIT,
                        .result = ret_result};
    _cleanup_close_ int hold = image_hold(s, e);
    if (hold < 0)
        return hold;
    int r = archive_open(s, archive_fd, &l.archive, e);
    if (r == 0)
        r = documents_open(&l.documents, e);
    if (r == 0)
        r = load_opened(&l, e);
    documents_close(&l.documents);
    archive_close(s, &l.archive);
    return r;
}

int image_load(const struct store *s, int archive_fd, const struct load_options *options,
               struct load_result *ret_result, struct err *e)
{
    struct err ignored = {0};
    *ret_result = (struct load_result){0};
    int r = load_held(s, archive_fd, options, ret_result, e);
    (void)image_mend(s, &ignored); /* layers of what has failed, now or earlier */
    return r < 0 ? err_wrap(e, "load") : 0;
}
