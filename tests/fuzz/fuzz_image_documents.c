/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers/parse: any bytes as manifest, index, image configuration and table of contents of an archive are what the engine takes or a
 * one-line error. What the worker makes of a configuration, the engine's strict reader must accept.
 */
#include "base/imagerules.h"
#include "base/json.h"
#include "fuzz.h"
#include "image/record.h"
#include "workers/parse/parse.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker.distribution.manifest."

static void must_be_an_error(int r, const struct err *e)
{
    MUST(r < 0 && e->code == -r && e->text[0] && !strchr(e->text, '\n'));
}

static void try_manifest(const char *text, size_t size, const char *media_type)
{
    struct err e = {0};
    struct message_parse_chosen chosen = {0};
    static struct message_parse_manifest m;
    struct message_parse_request request = {
        .kind = PARSE_IMAGE_MANIFEST, .os = "linux", .architecture = "amd64"};
    memcpy(request.media_type, media_type, strlen(media_type) + 1);
    int r = parse_manifest(text, size, &request, &chosen, &m, &e);
    if (r == 1)
        MUST(message_text_ok(chosen.media_type, sizeof(chosen.media_type)) && chosen.size > 0);
    else if (r == 2)
        MUST(m.layer_count >= 1 && m.layer_count <= MESSAGE_LAYERS_MAX && m.config_size > 0);
    else
        must_be_an_error(r, &e);
}

static void try_config(const char *text, size_t size)
{
    struct err e = {0};
    const struct message_parse_request request = {
        .kind = PARSE_IMAGE_CONFIG, .os = "linux", .architecture = "amd64"};
    _cleanup_json_ struct json_object *answer = NULL;
    _cleanup_image_ struct image *image = NULL;
    int r = parse_config(text, size, &request, &answer, &e);
    if (r < 0) {
        must_be_an_error(r, &e);
        return;
    }
    size_t length = 0;
    const char *json = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &length);
    MUST(json && length <= PARSE_ANSWER_MAX);
    r = image_record_parse_config(json, length, &image, &e);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", e.text);
    MUST(r == 0 && image->layer_count >= 1);
}

static void try_archive(const char *text, size_t size,
                        int (*parse)(const char *, size_t, struct json_object **, struct err *))
{
    struct err e = {0};
    _cleanup_json_ struct json_object *answer = NULL;
    int r = parse(text, size, &answer, &e);
    if (r < 0) {
        must_be_an_error(r, &e);
        return;
    }
    MUST(json_object_is_type(answer, json_type_array));
    MUST(json_object_array_length(answer) <= PARSE_ARCHIVE_IMAGES_MAX);
}

static void try_history(const char *text, size_t size)
{
    struct err e = {0};
    _cleanup_json_ struct json_object *answer = NULL;
    int r = parse_history(text, size, &answer, &e);
    if (r < 0)
        must_be_an_error(r, &e);
    else
        MUST(json_object_is_type(answer, json_type_array) &&
             json_object_array_length(answer) <= IMAGE_RULE_HISTORY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const media_types[] = {OCI "manifest.v1+json", OCI "index.v1+json", DOCKER "v2+json",
                                              DOCKER "list.v2+json", ""};
    const char *text = (const char *)data;
    for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
        try_manifest(text, size, media_types[i]);
    try_config(text, size);
    try_archive(text, size, parse_docker_archive);
    try_archive(text, size, parse_oci_layout);
    try_history(text, size);
    return 0;
}
