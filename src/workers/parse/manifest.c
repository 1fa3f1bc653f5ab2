/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes and manifests (OCI image-spec 1.1 image-index.md and manifest.md; Docker image manifest version 2, schema 2).
 * A document must be the one thing that it was announced as: what could be read as both is refused (CVE-2021-41190).
 */
#include "workers/parse/parse.h"

#include <errno.h>
#include <string.h>

#include "base/compression.h"
#include "base/json.h"

#define SCHEMA_VERSION 2

static const struct {
    const char *media_type;
    enum document_type type;
} documents[] = {
    {"application/vnd.oci.image.index.v1+json", DOCUMENT_INDEX},
    {"application/vnd.docker.distribution.manifest.list.v2+json", DOCUMENT_INDEX},
    {"application/vnd.oci.image.manifest.v1+json", DOCUMENT_MANIFEST},
    {"application/vnd.docker.distribution.manifest.v2+json", DOCUMENT_MANIFEST},
};

static const struct {
    const char *media_type;
    enum layer_compression compression;
} layer_types[] = {
    {"application/vnd.oci.image.layer.v1.tar", LAYER_PLAIN},
    {"application/vnd.oci.image.layer.v1.tar+gzip", LAYER_GZIP},
    {"application/vnd.oci.image.layer.v1.tar+zstd", LAYER_ZSTD},
    {"application/vnd.docker.image.rootfs.diff.tar", LAYER_PLAIN},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_GZIP},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD},
};

static const char *const config_types[] = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
};

/* Variants that are what the architecture means when it is said alone. */
static const struct {
    const char *architecture;
    const char *variant;
} plain_variants[] = {{"amd64", "v1"}, {"arm64", "v8"}, {"arm", "v7"}};

enum document_type document_type_of(const char *media_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
        if (str_equal(media_type, documents[i].media_type))
            return documents[i].type;
    return DOCUMENT_UNKNOWN;
}

static bool has_member(struct json_object *o, const char *key)
{
    return json_object_object_get_ex(o, key, NULL);
}

int descriptor_read(struct json_object *o, uint64_t size_max, struct descriptor *ret_descriptor,
                    struct err *e)
{
    struct descriptor d = {.media_type = ""};
    const char *digest = NULL;
    struct json_object *urls = NULL;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "a descriptor is not an object");
    int r = json_get_string(o, "mediaType", &d.media_type, e);
    if (r >= 0)
        r = json_get_array(o, "urls", &urls, e);
    if (r < 0)
        return r;
    if (urls && json_object_array_length(urls) > 0)
        return err_set(
            e, EINVAL,
            "a descriptor names other places to fetch from (urls); foreign layers are not supported");
    r = json_get_string(o, "digest", &digest, e);
    if (r == 0)
        return err_set(e, EINVAL, "a descriptor has no digest");
    if (r > 0)
        r = digest_parse(digest, &d.digest, e);
    if (r < 0)
        return r;
    r = json_get_u64(o, "size", &d.size, e);
    if (r < 0)
        return r;
    if (r == 0 || d.size == 0)
        return err_set(e, EINVAL, "a descriptor has no size");
    if (d.size > size_max)
        return err_set(e, EFBIG, "a descriptor has size %llu, more than the limit of %llu",
                       (unsigned long long)d.size, (unsigned long long)size_max);
    *ret_descriptor = d;
    return 0;
}

/* The document says the same of itself as its sender, is of version 2, and has no member of the other kind. */
static int check_identity(struct json_object *o, const char *announced, enum document_type type,
                          struct err *e)
{
    static const char *const not_in_index[] = {"layers", "config", "fsLayers", "history", "signatures"};
    static const char *const not_in_manifest[] = {"manifests", "fsLayers", "history", "signatures"};
    const char *const *alien = type == DOCUMENT_INDEX ? not_in_index : not_in_manifest;
    size_t alien_count = type == DOCUMENT_INDEX ? ARRAY_SIZE(not_in_index) : ARRAY_SIZE(not_in_manifest);
    const char *own = NULL;
    uint64_t version = 0;
    int r = json_get_string(o, "mediaType", &own, e);
    if (r < 0)
        return r;
    if (own && !str_equal(own, announced))
        return err_set(e, EINVAL, "it calls itself '%.120s' but was announced as '%.120s'", own, announced);
    r = json_get_u64(o, "schemaVersion", &version, e);
    if (r < 0)
        return r;
    if (version != SCHEMA_VERSION)
        return err_set(e, EINVAL, "schemaVersion is not %d", SCHEMA_VERSION);
    for (size_t i = 0; i < alien_count; i++)
        if (has_member(o, alien[i]))
            return err_set(e, EINVAL, "ambiguous: '%s' does not belong in %s", alien[i],
                           type == DOCUMENT_INDEX ? "an index" : "a manifest");
    return 0;
}

static bool is_plain_variant(const char *architecture, const char *variant)
{
    if (!*variant)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(plain_variants); i++)
        if (str_equal(architecture, plain_variants[i].architecture) &&
            str_equal(variant, plain_variants[i].variant))
            return true;
    return false;
}

/* How well an entry's platform fits: 0 not at all; more is better. */
static int rank_platform(const struct message_parse_request *want, const char *os, const char *architecture,
                         const char *variant)
{
    if (!str_equal(os, want->os) || !str_equal(architecture, want->architecture))
        return 0;
    if (str_equal(variant, want->variant))
        return 3;
    if (is_plain_variant(architecture, variant) && is_plain_variant(architecture, want->variant))
        return 2;
    return want->variant[0] ? 0 : 1; /* better than nothing when no special variant is wanted */
}

/* 1: this entry may be chosen, with *ret_rank; 0: it is something else. */
static int judge_entry(struct json_object *entry, const struct message_parse_request *want,
                       struct descriptor *ret_descriptor, int *ret_rank, struct err *e)
{
    struct descriptor d;
    struct json_object *platform = NULL;
    const char *os = "";
    const char *architecture = "";
    const char *variant = "";
    int r = descriptor_read(entry, PARSE_DOCUMENT_MAX, &d, e);
    if (r < 0)
        return r;
    if (document_type_of(d.media_type) == DOCUMENT_UNKNOWN)
        return 0;
    r = json_get_object(entry, "platform", &platform, e);
    if (r > 0) {
        r = json_get_string(platform, "os", &os, e);
        if (r >= 0)
            r = json_get_string(platform, "architecture", &architecture, e);
        if (r >= 0)
            r = json_get_string(platform, "variant", &variant, e);
    }
    if (r < 0)
        return r;
    *ret_descriptor = d;
    *ret_rank = platform ? rank_platform(want, os, architecture, variant) : 0;
    return *ret_rank > 0;
}

static int choose(struct json_object *index, const struct message_parse_request *want,
                  struct message_parse_chosen *ret_chosen, struct err *e)
{
    struct json_object *manifests = NULL;
    struct descriptor best = {0};
    int best_rank = 0;
    int r = json_get_array(index, "manifests", &manifests, e);
    if (r < 0)
        return r;
    size_t count = manifests ? json_object_array_length(manifests) : 0;
    if (count == 0 || count > PARSE_INDEX_MAX)
        return err_set(e, EINVAL, "the index has %s manifests", count ? "too many" : "no");
    for (size_t i = 0; i < count; i++) {
        struct descriptor d;
        int rank = 0;
        r = judge_entry(json_object_array_get_idx(manifests, i), want, &d, &rank, e);
        if (r < 0)
            return err_wrap(e, "manifest %zu of the index", i + 1);
        if (r > 0 && rank > best_rank) {
            best = d;
            best_rank = rank;
        }
    }
    if (best_rank == 0)
        return err_set(e, ENOENT, "no matching manifest for %s/%s%s%s in the manifest list entries", want->os,
                       want->architecture, want->variant[0] ? "/" : "", want->variant);
    struct message_parse_chosen c = {.size = best.size};
    memcpy(c.digest, best.digest.bytes, sizeof(c.digest));
    r = str_put(c.media_type, sizeof(c.media_type), best.media_type, e);
    if (r < 0)
        return r;
    *ret_chosen = c;
    return 0;
}

static int read_config_descriptor(struct json_object *o, struct message_parse_manifest *m, struct err *e)
{
    struct json_object *config = NULL;
    struct descriptor d;
    int r = json_get_object(o, "config", &config, e);
    if (r == 0)
        return err_set(e, EINVAL, "the manifest has no config");
    if (r > 0)
        r = descriptor_read(config, PARSE_CONFIG_SIZE_MAX, &d, e);
    if (r < 0)
        return err_wrap(e, "config");
    for (size_t i = 0; i < ARRAY_SIZE(config_types); i++)
        if (str_equal(d.media_type, config_types[i])) {
            memcpy(m->config, d.digest.bytes, sizeof(m->config));
            m->config_size = d.size;
            return 0;
        }
    return err_set(e, EINVAL, "it is not an image: its config is of type '%.120s'", d.media_type);
}

static int read_layer(struct json_object *o, struct message_parse_layer *ret_layer, struct err *e)
{
    struct descriptor d;
    int r = descriptor_read(o, PARSE_LAYER_SIZE_MAX, &d, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
        if (str_equal(d.media_type, layer_types[i].media_type)) {
            *ret_layer =
                (struct message_parse_layer){.size = d.size, .compression = layer_types[i].compression};
            memcpy(ret_layer->digest, d.digest.bytes, sizeof(ret_layer->digest));
            return 0;
        }
    return err_set(e, EINVAL, "layers of type '%.120s' are not supported", d.media_type);
}

/* The same blob may come twice (two equal steps of a build), but only as the same thing. */
static int check_repeated(const struct message_parse_manifest *m, size_t last, struct err *e)
{
    for (size_t i = 0; i < last; i++)
        if (memcmp(m->layers[i].digest, m->layers[last].digest, sizeof(m->layers[i].digest)) == 0 &&
            (m->layers[i].size != m->layers[last].size ||
             m->layers[i].compression != m->layers[last].compression))
            return err_set(e, EINVAL, "layers %zu and %zu are one blob with two descriptions", i + 1,
                           last + 1);
    return 0;
}

static int read_manifest(struct json_object *o, struct message_parse_manifest *ret_manifest, struct err *e)
{
    struct message_parse_manifest m = {0};
    struct json_object *layers = NULL;
    int r = read_config_descriptor(o, &m, e);
    if (r == 0)
        r = json_get_array(o, "layers", &layers, e);
    if (r < 0)
        return r;
    size_t count = layers ? json_object_array_length(layers) : 0;
    if (count == 0)
        return err_set(e, EINVAL, "the image has no layers: there is nothing to run");
    if (count > MESSAGE_LAYERS_MAX)
        return err_set(e, E2BIG, "the image has %zu layers; at most %d are supported", count,
                       MESSAGE_LAYERS_MAX);
    for (size_t i = 0; i < count; i++) {
        r = read_layer(json_object_array_get_idx(layers, i), &m.layers[i], e);
        if (r == 0)
            r = check_repeated(&m, i, e);
        if (r < 0)
            return err_wrap(e, "layer %zu", i + 1);
    }
    m.layer_count = (uint32_t)count;
    *ret_manifest = m;
    return 0;
}

int parse_manifest(const char *text, size_t length, const struct message_parse_request *request,
                   struct message_parse_chosen *ret_chosen, struct message_parse_manifest *ret_manifest,
                   struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    enum document_type type = document_type_of(request->media_type);
    if (type == DOCUMENT_UNKNOWN && strstr(request->media_type, "manifest.v1"))
        return err_set(e, EINVAL,
                       "it is a manifest of Docker's schema 1, which is not supported: push the image again");
    if (type == DOCUMENT_UNKNOWN)
        return err_set(e, EINVAL, "it is of type '%.120s', not an image manifest", request->media_type);
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "it is not a JSON object");
    r = check_identity(o, request->media_type, type, e);
    if (r < 0)
        return r;
    if (type == DOCUMENT_INDEX)
        r = choose(o, request, ret_chosen, e);
    else
        r = read_manifest(o, ret_manifest, e);
    return r < 0 ? r : (type == DOCUMENT_INDEX ? 1 : 2);
}
