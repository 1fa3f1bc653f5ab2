/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers of casemate-parse. Every byte of a document is hostile. A document that is not exactly what it should be is
 * refused with a text that says why; nothing is guessed, except where registries are known to leave something out (noted there).
 */
#pragma once

#include <json-c/json.h>

#include "base/digest.h"
#include "base/messages.h"

#define PARSE_DOCUMENT_MAX (4U << 20) /* bytes of any document */
#define PARSE_ANSWER_MAX \
    (16U << 20)              /* bytes of a text answer (escapes can make it longer than the document) */
#define PARSE_INDEX_MAX 1024 /* manifests in an index */
#define PARSE_ARCHIVE_IMAGES_MAX 256
#define PARSE_ARCHIVE_TAGS_MAX 256
#define PARSE_CONFIG_SIZE_MAX (4U << 20)
#define PARSE_HISTORY_TEXT_MAX 65536 /* bytes of one text of a history; the rest is cut */
#define PARSE_LAYER_SIZE_MAX (1ULL << 40)

/* A descriptor (OCI image-spec, descriptor.md). */
struct descriptor {
    const char *media_type; /* borrowed; "" when absent */
    struct digest digest;
    uint64_t size;
};

/* Members mediaType, digest, size of `o`. Descriptors that name other places (urls) are refused. */
int descriptor_read(struct json_object *o, uint64_t size_max, struct descriptor *ret_descriptor,
                    struct err *e);

enum document_type {
    DOCUMENT_UNKNOWN,
    DOCUMENT_INDEX,
    DOCUMENT_MANIFEST,
};
enum document_type document_type_of(const char *media_type);

/* Index or manifest: one of the two is filled. 1: *ret_chosen, 2: *ret_manifest. */
int parse_manifest(const char *text, size_t length, const struct message_parse_request *request,
                   struct message_parse_chosen *ret_chosen, struct message_parse_manifest *ret_manifest,
                   struct err *e);

/* Image configuration -> the "config" object of image/record.h, with "diffIds". */
int parse_config(const char *text, size_t length, const struct message_parse_request *request,
                 struct json_object **ret_answer, struct err *e);

/* Image configuration -> [{"created", "createdBy", "comment", "author", "emptyLayer"}…], members left out where there is nothing. */
int parse_history(const char *text, size_t length, struct json_object **ret_answer, struct err *e);

/* manifest.json of a Docker archive -> [{"config", "tags", "layers"}…]. */
int parse_docker_archive(const char *text, size_t length, struct json_object **ret_answer, struct err *e);

/* index.json of an OCI layout -> [{"digest", "size", "mediaType", "tags"}…]. */
int parse_oci_layout(const char *text, size_t length, struct json_object **ret_answer, struct err *e);
