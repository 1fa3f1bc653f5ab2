/* SPDX-License-Identifier: Apache-2.0 */
/* Saving images (save.h). Documents are written by us; the raw configuration of an image goes through as it is. */
#include "engine/save.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "engine/archive_write.h"
#include "engine/save_layer.h"
#include "image/history.h"
#include "image/reference.h"

#define BLOBS "blobs/sha256/"
#define BLOB_NAME_SIZE (sizeof(BLOBS) + DIGEST_HEX_LENGTH)
#define MANIFEST_MAX (1U << 20)
#define OCI "application/vnd.oci.image."
#define LAYOUT "{\"imageLayoutVersion\": \"1.0.0\"}"

struct saved {
    struct image *image;
    struct str_list names; /* full references */
    struct buf config;
    struct digest config_digest;
    struct save_layer layers[IMAGE_LAYERS_MAX];
    struct buf manifest;
    struct digest manifest_digest;
};

struct save {
    const struct store *store;
    const struct save_options *options;
    struct archive_writer out;
    struct saved *items;
    size_t count;
    struct str_list written; /* names of blobs */
};

static void save_clear(struct save *v)
{
    for (size_t i = 0; i < v->count; i++) {
        image_free(v->items[i].image);
        str_list_clear(&v->items[i].names);
        buf_clear(&v->items[i].config);
        buf_clear(&v->items[i].manifest);
    }
    free(v->items);
    str_list_clear(&v->written);
}
#define _cleanup_save_ _cleanup_(save_clear)

static void blob_name(const struct digest *d, char *ret)
{
    memcpy(ret, BLOBS, sizeof(BLOBS) - 1);
    digest_format_hex(d, ret + sizeof(BLOBS) - 1);
}

/* --- which images, under which names ---------------------------------------------------------------------------- */

/* An id or its beginning gives no name. */
static int add_name(struct saved *x, const char *word, struct err *e)
{
    struct reference r;
    struct err none = {0};
    char full[REFERENCE_TEXT_MAX + 1];
    char familiar[REFERENCE_TEXT_MAX + 1];
    if (reference_parse(word, &r, &none) < 0 || !r.tag[0])
        return 0;
    reference_format_tagged(&r, full);
    r.has_digest = false;
    reference_format_familiar(&r, familiar);
    if (!str_list_has(&x->image->names, familiar) || str_list_has(&x->names, full))
        return 0;
    return str_list_add(&x->names, full, e);
}

static int add_image(struct save *v, const char *word, struct err *e)
{
    _cleanup_image_ struct image *i = NULL;
    int r = image_find(v->store, word, &i, e);
    if (r < 0)
        return r;
    for (size_t n = 0; n < v->count; n++)
        if (str_equal(v->items[n].image->id, i->id))
            return add_name(&v->items[n], word, e);
    v->items[v->count].image = steal_ptr(i);
    return add_name(&v->items[v->count++], word, e);
}

/* --- one image: its layers, its configuration, its manifest ----------------------------------------------------- */

static int measure_layers(struct save *v, struct saved *x, bool *ret_changed, struct err *e)
{
    for (size_t n = 0; n < x->image->layer_count; n++) {
        struct image_layer *l = &x->image->layers[n];
        int r = save_layer_measure(v->store, l, &x->layers[n], e);
        if (r < 0)
            return err_wrap(e, "image %.12s", x->image->id);
        if (!digest_equal(&x->layers[n].digest, &l->diff_id)) {
            *ret_changed = true;
            l->diff_id = x->layers[n].digest;
        }
    }
    return 0;
}

/* Layers that are packed anew have other digests: the configuration must name those. */
static int rewrite_config(struct save *v, struct saved *x, struct err *e)
{
    char id[DIGEST_HEX_LENGTH + 1];
    struct documents d = DOCUMENTS_INIT;
    _cleanup_image_history_ struct image_history h = {0};
    int r = documents_open(&d, e);
    if (r == 0)
        r = image_history_read(v->store, x->image, &d, &h, e);
    documents_close(&d);
    if (r == 0)
        r = image_config_format(x->image, &h, &x->config, e);
    if (r < 0)
        return r;
    digest_of(x->config.data, x->config.length, &x->config_digest);
    digest_format_hex(&x->config_digest, id);
    if (v->options->renamed)
        v->options->renamed(x->image->id, id, v->options->context);
    return 0;
}

static int add_descriptor(struct json_object *to, const char *key, const char *media_type,
                          const struct digest *digest, uint64_t size, struct err *e)
{
    char text[DIGEST_TEXT_LENGTH + 1];
    _cleanup_json_ struct json_object *o = json_object_new_object();
    digest_format(digest, text);
    int r = o ? json_add_string(o, "mediaType", media_type, e) : err_oom(e);
    if (r == 0)
        r = json_add_string(o, "digest", text, e);
    if (r == 0)
        r = json_add_u64(o, "size", size, e);
    if (r < 0)
        return r;
    if (key)
        return json_add_object(to, key, steal_ptr(o), e);
    if (json_object_array_add(to, o) < 0)
        return err_oom(e);
    (void)steal_ptr(o);
    return 0;
}

static int put_text(struct json_object *o, struct buf *b, struct err *e)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return text ? buf_add(b, text, strlen(text), MANIFEST_MAX, e) : err_oom(e);
}

static int make_manifest(struct saved *x, struct err *e)
{
    _cleanup_json_ struct json_object *o = json_object_new_object();
    _cleanup_json_ struct json_object *layers = json_object_new_array();
    if (!o || !layers)
        return err_oom(e);
    int r = json_add_u64(o, "schemaVersion", 2, e);
    if (r == 0)
        r = json_add_string(o, "mediaType", OCI "manifest.v1+json", e);
    if (r == 0)
        r = add_descriptor(o, "config", OCI "config.v1+json", &x->config_digest, x->config.length, e);
    for (size_t n = 0; n < x->image->layer_count && r == 0; n++)
        r = add_descriptor(layers, NULL, OCI "layer.v1.tar", &x->layers[n].digest, x->layers[n].size, e);
    if (r == 0)
        r = json_add_object(o, "layers", steal_ptr(layers), e);
    if (r == 0)
        r = put_text(o, &x->manifest, e);
    digest_of(x->manifest.data ? x->manifest.data : "", x->manifest.length, &x->manifest_digest);
    return r;
}

static int prepare(struct save *v, struct saved *x, struct err *e)
{
    bool changed = false;
    int r = measure_layers(v, x, &changed, e);
    if (r < 0)
        return r;
    if (changed)
        r = rewrite_config(v, x, e);
    else if ((r = image_config_read(v->store, x->image, &x->config, e)) == 0)
        digest_of(x->config.data, x->config.length, &x->config_digest);
    return r < 0 ? r : make_manifest(x, e);
}

/* --- the archive ------------------------------------------------------------------------------------------------ */

/* 1: it is to be written now; 0: it has been. */
static int begin_blob(struct save *v, const struct digest *d, char *ret_name, struct err *e)
{
    blob_name(d, ret_name);
    if (str_list_has(&v->written, ret_name))
        return 0;
    int r = str_list_add(&v->written, ret_name, e);
    return r < 0 ? r : 1;
}

static int write_blob(struct save *v, const struct digest *d, const struct buf *b, struct err *e)
{
    char name[BLOB_NAME_SIZE];
    int r = begin_blob(v, d, name, e);
    return r <= 0 ? r : archive_write_member(&v->out, name, b->data, b->length, e);
}

static int take_data(const void *data, size_t length, void *context, struct err *e)
{
    return archive_write_data(context, data, length, e);
}

static int write_layer(struct save *v, const struct save_layer *l, struct err *e)
{
    char name[BLOB_NAME_SIZE];
    int r = begin_blob(v, &l->digest, name, e);
    if (r <= 0)
        return r;
    r = archive_write_begin(&v->out, name, l->size, e);
    if (r == 0)
        r = save_layer_stream(v->store, l, take_data, &v->out, e);
    return r < 0 ? r : archive_write_end(&v->out, e);
}

static int write_image(struct save *v, struct saved *x, struct err *e)
{
    int r = 0;
    for (size_t n = 0; n < x->image->layer_count && r == 0; n++)
        r = write_layer(v, &x->layers[n], e);
    if (r == 0)
        r = write_blob(v, &x->config_digest, &x->config, e);
    return r < 0 ? r : write_blob(v, &x->manifest_digest, &x->manifest, e);
}

/* One entry of index.json; name NULL: the image has none. */
static int add_index_entry(struct json_object *list, const struct saved *x, const char *name, struct err *e)
{
    int r = add_descriptor(list, NULL, OCI "manifest.v1+json", &x->manifest_digest, x->manifest.length, e);
    if (r < 0 || !name)
        return r;
    struct json_object *entry = json_object_array_get_idx(list, json_object_array_length(list) - 1);
    _cleanup_json_ struct json_object *notes = json_object_new_object();
    r = notes ? json_add_string(notes, "io.containerd.image.name", name, e) : err_oom(e);
    if (r == 0)
        r = json_add_string(notes, "org.opencontainers.image.ref.name", strrchr(name, ':') + 1, e);
    return r < 0 ? r : json_add_object(entry, "annotations", steal_ptr(notes), e);
}

static int write_index(struct save *v, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *o = json_object_new_object();
    _cleanup_json_ struct json_object *list = json_object_new_array();
    if (!o || !list)
        return err_oom(e);
    int r = json_add_u64(o, "schemaVersion", 2, e);
    if (r == 0)
        r = json_add_string(o, "mediaType", OCI "index.v1+json", e);
    for (size_t i = 0; i < v->count && r == 0; i++) {
        const struct saved *x = &v->items[i];
        if (x->names.count == 0)
            r = add_index_entry(list, x, NULL, e);
        for (size_t n = 0; n < x->names.count && r == 0; n++)
            r = add_index_entry(list, x, x->names.items[n], e);
    }
    if (r == 0)
        r = json_add_object(o, "manifests", steal_ptr(list), e);
    if (r == 0)
        r = put_text(o, &text, e);
    return r < 0 ? r : archive_write_member(&v->out, "index.json", text.data, text.length, e);
}

static int add_docker_entry(struct json_object *list, const struct saved *x, struct err *e)
{
    char name[BLOB_NAME_SIZE];
    _cleanup_str_list_ struct str_list tags = {0};
    _cleanup_str_list_ struct str_list layers = {0};
    struct json_object *entry = json_object_new_object();
    if (!entry || json_object_array_add(list, entry) < 0) {
        json_object_put(entry);
        return err_oom(e);
    }
    int r = 0;
    for (size_t n = 0; n < x->names.count && r == 0; n++) {
        struct reference reference;
        char familiar[REFERENCE_TEXT_MAX + 1];
        r = reference_parse(x->names.items[n], &reference, e);
        if (r == 0) {
            reference_format_familiar(&reference, familiar);
            r = str_list_add(&tags, familiar, e);
        }
    }
    for (size_t n = 0; n < x->image->layer_count && r == 0; n++) {
        blob_name(&x->layers[n].digest, name);
        r = str_list_add(&layers, name, e);
    }
    blob_name(&x->config_digest, name);
    if (r == 0)
        r = json_add_string(entry, "Config", name, e);
    if (r == 0)
        r = tags.count ? json_add_strings(entry, "RepoTags", &tags, e)
            : json_object_object_add(entry, "RepoTags", NULL) < 0 ? err_oom(e)
                                                                  : 0;
    return r < 0 ? r : json_add_strings(entry, "Layers", &layers, e);
}

static int write_docker_manifest(struct save *v, struct err *e)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_json_ struct json_object *list = json_object_new_array();
    int r = list ? 0 : err_oom(e);
    for (size_t i = 0; i < v->count && r == 0; i++)
        r = add_docker_entry(list, &v->items[i], e);
    if (r == 0)
        r = put_text(list, &text, e);
    return r < 0 ? r : archive_write_member(&v->out, "manifest.json", text.data, text.length, e);
}

static int write_archive(struct save *v, struct err *e)
{
    int r = archive_write_member(&v->out, "blobs/", "", 0, e);
    if (r == 0)
        r = archive_write_member(&v->out, BLOBS, "", 0, e);
    for (size_t i = 0; i < v->count && r == 0; i++)
        r = write_image(v, &v->items[i], e);
    if (r == 0)
        r = write_index(v, e);
    if (r == 0)
        r = write_docker_manifest(v, e);
    if (r == 0)
        r = archive_write_member(&v->out, "oci-layout", LAYOUT, sizeof(LAYOUT) - 1, e);
    return r < 0 ? r : archive_write_finish(&v->out, e);
}

int save_images(const struct store *s, char *const *words, size_t count, const struct save_options *options,
                struct err *e)
{
    _cleanup_save_ struct save v = {.store = s, .options = options, .out = {.fd = options->out}};
    if (count > SAVE_IMAGES_MAX)
        return err_set(e, E2BIG, "more than %d images at once", SAVE_IMAGES_MAX);
    v.items = calloc(count, sizeof(*v.items));
    if (!v.items)
        return err_oom(e);
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++)
        r = add_image(&v, words[i], e);
    for (size_t i = 0; i < v.count && r == 0; i++)
        r = prepare(&v, &v.items[i], e);
    return r < 0 ? r : write_archive(&v, e);
}
