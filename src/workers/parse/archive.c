/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of contents of image archives: manifest.json of `docker save`, index.json of an OCI image layout. */
#include "workers/parse/parse.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"

#define REFERENCE_TEXT_MAX 512 /* only a limit: the engine checks the grammar */
#define TYPE_INDEX "application/vnd.oci.image.index.v1+json"

/* Relative, of plain components: a member of an archive can only be what it says. */
static int check_member(const char *name, struct err *e)
{
    if (strlen(name) > PATH_LENGTH_MAX)
        return err_set(e, ENAMETOOLONG, "the name of a member is longer than %d bytes", PATH_LENGTH_MAX);
    for (const char *at = name;;) {
        char component[256];
        size_t n = strcspn(at, "/");
        if (n >= sizeof(component))
            return err_set(e, ENAMETOOLONG, "'%.100s' is not the name of a member", name);
        memcpy(component, at, n);
        component[n] = '\0';
        if (!path_is_component(component))
            return err_set(e, EINVAL, "'%.100s' is not the name of a member", name);
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)component[i] < 0x20 || component[i] == 0x7f)
                return err_set(e, EINVAL, "'%.100s' is not the name of a member", name);
        if (at[n] == '\0')
            return 0;
        at += n + 1;
    }
}

static int read_tags(struct json_object *o, const char *key, struct json_object *to, struct err *e)
{
    _cleanup_str_list_ struct str_list tags = {0};
    int r = json_get_strings(o, key, PARSE_ARCHIVE_TAGS_MAX, &tags, e);
    for (size_t i = 0; r >= 0 && i < tags.count; i++)
        if (strlen(tags.items[i]) > REFERENCE_TEXT_MAX)
            r = err_set(e, ENAMETOOLONG, "a name in '%s' is too long", key);
    return r < 0 ? r : json_add_strings(to, "tags", &tags, e);
}

static int read_archive_image(struct json_object *o, struct json_object *to, struct err *e)
{
    _cleanup_str_list_ struct str_list layers = {0};
    const char *config = NULL;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "not an object");
    int r = json_get_string(o, "Config", &config, e);
    if (r == 0)
        return err_set(e, EINVAL, "it has no Config");
    if (r > 0)
        r = check_member(config, e);
    if (r >= 0)
        r = json_add_string(to, "config", config, e);
    if (r >= 0)
        r = read_tags(o, "RepoTags", to, e);
    if (r >= 0)
        r = json_get_strings(o, "Layers", MESSAGE_LAYERS_MAX, &layers, e);
    if (r >= 0 && layers.count == 0)
        return err_set(e, EINVAL, "it has no layers: there is nothing to run");
    for (size_t i = 0; r >= 0 && i < layers.count; i++)
        r = check_member(layers.items[i], e);
    return r < 0 ? r : json_add_strings(to, "layers", &layers, e);
}

typedef int (*item_reader)(struct json_object *from, struct json_object *to, struct err *e);

/* Every item of an array through `read` into a new array. */
static int convert(struct json_object *array, item_reader read, struct json_object **ret_answer,
                   struct err *e)
{
    size_t count = json_object_array_length(array);
    if (count == 0 || count > PARSE_ARCHIVE_IMAGES_MAX)
        return err_set(e, EINVAL, "the archive has %s images", count ? "too many" : "no");
    _cleanup_json_ struct json_object *answer = json_object_new_array();
    if (!answer)
        return err_oom(e);
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_new_object();
        if (!item || json_object_array_add(answer, item) < 0) {
            json_object_put(item);
            return err_oom(e);
        }
        int r = read(json_object_array_get_idx(array, i), item, e);
        if (r < 0)
            return err_wrap(e, "image %zu of the archive", i + 1);
    }
    *ret_answer = steal_ptr(answer);
    return 0;
}

int parse_docker_archive(const char *text, size_t length, struct json_object **ret_answer, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_array))
        return err_set(e, EINVAL, "it is not a JSON array");
    return convert(o, read_archive_image, ret_answer, e);
}

/* A name with a repository in it; a bare tag names nothing by itself. */
static int read_annotated_name(struct json_object *o, struct json_object *to, struct err *e)
{
    static const char *const keys[] = {"io.containerd.image.name", "org.opencontainers.image.ref.name"};
    _cleanup_str_list_ struct str_list tags = {0};
    struct json_object *annotations = NULL;
    int r = json_get_object(o, "annotations", &annotations, e);
    for (size_t i = 0; r > 0 && tags.count == 0 && i < ARRAY_SIZE(keys); i++) {
        const char *name = NULL;
        if (json_get_string(annotations, keys[i], &name, e) < 0)
            return -EINVAL;
        if (str_set(name) && strlen(name) <= REFERENCE_TEXT_MAX && (strchr(name, '/') || strchr(name, ':')))
            r = str_list_add(&tags, name, e) < 0 ? -ENOMEM : 1;
    }
    return r < 0 ? r : json_add_strings(to, "tags", &tags, e);
}

static int read_layout_entry(struct json_object *o, struct json_object *to, struct err *e)
{
    struct descriptor d;
    char digest[DIGEST_TEXT_LENGTH + 1];
    int r = descriptor_read(o, PARSE_DOCUMENT_MAX, &d, e);
    if (r < 0)
        return r;
    if (document_type_of(d.media_type) == DOCUMENT_UNKNOWN)
        return err_set(e, EINVAL, "it is of type '%.120s', not an image", d.media_type);
    digest_format(&d.digest, digest);
    r = json_add_string(to, "digest", digest, e);
    if (r >= 0)
        r = json_add_u64(to, "size", d.size, e);
    if (r >= 0)
        r = json_add_string(to, "mediaType", d.media_type, e);
    return r < 0 ? r : read_annotated_name(o, to, e);
}

int parse_oci_layout(const char *text, size_t length, struct json_object **ret_answer, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct json_object *manifests = NULL;
    const char *own = NULL;
    uint64_t version = 0;
    int r = json_parse(text, length, &o, e);
    if (r < 0)
        return r;
    if (!json_object_is_type(o, json_type_object))
        return err_set(e, EINVAL, "it is not a JSON object");
    r = json_get_string(o, "mediaType", &own, e);
    if (r >= 0)
        r = json_get_u64(o, "schemaVersion", &version, e);
    if (r < 0)
        return r;
    if (version != 2 || (own && !str_equal(own, TYPE_INDEX)) ||
        json_object_object_get_ex(o, "layers", NULL) || json_object_object_get_ex(o, "config", NULL))
        return err_set(e, EINVAL, "it is not an image index of schema version 2");
    r = json_get_array(o, "manifests", &manifests, e);
    if (r <= 0)
        return r < 0 ? r : err_set(e, EINVAL, "the index has no manifests");
    return convert(manifests, read_layout_entry, ret_answer, e);
}
