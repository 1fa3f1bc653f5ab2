/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image documents (index, manifest, configuration, archive indexes), parsed by casemate-parse and nowhere else. The caller
 * hands over a descriptor of the document (a regular or memory file, read from its start) whose digest it has checked; what
 * comes back is fixed structs and texts that were checked on this side too.
 *
 * One session is one worker process and takes any number of documents; after an error it is of no more use.
 */
#pragma once

#include "base/buf.h"
#include "base/compression.h"
#include "base/digest.h"
#include "base/worker.h"
#include "image/image.h"
#include "image/platform.h"

#define DOCUMENTS_MANIFEST_MAX (4U << 20) /* bytes of an index or a manifest, and of an archive's index */
#define DOCUMENTS_CONFIG_MAX (4U << 20)   /* bytes of an image configuration */
#define DOCUMENTS_MEDIA_TYPE_MAX 127

struct documents {
    struct worker worker;
};

#define DOCUMENTS_INIT        \
    {                         \
        .worker = WORKER_INIT \
    }

int documents_open(struct documents *ret_documents, struct err *e);
void documents_close(struct documents *d);
#define _cleanup_documents_ _cleanup_(documents_close)

/* A sealed memory file with these bytes, for the functions below. */
int documents_memory_file(const void *data, size_t length, struct err *e);

/* What a manifest says. */
struct manifest {
    struct digest config;
    uint64_t config_size;
    struct image_layer layers[IMAGE_LAYERS_MAX]; /* diff_id is not set: the configuration has it */
    size_t layer_count;
};

/* A manifest, or the one that an index has for a platform. */
struct manifest_choice {
    bool is_index;
    struct digest chosen; /* is_index: the manifest to get next */
    uint64_t chosen_size;
    char chosen_media_type[DOCUMENTS_MEDIA_TYPE_MAX + 1];
    struct manifest manifest; /* otherwise */
};

/* `media_type` is what the sender says the document is (the HTTP header or the descriptor that led here); the document
 * must agree. */
int documents_parse_manifest(struct documents *d, int fd, const char *media_type, const struct platform *p,
                             struct manifest_choice *ret_choice, struct err *e);

/* An image configuration for the platform. With `m`, the number of its layers must be that of the manifest, which are then
 * joined with the diff ids; without, layers[] has diff ids only. *ret_image has everything but id and manifest digest. */
int documents_parse_config(struct documents *d, int fd, const struct platform *p, const struct manifest *m,
                           struct image **ret_image, struct err *e);

/* The history of an image configuration as a JSON text of ours (workers/parse/parse.h), for image/history.c. */
int documents_parse_history(struct documents *d, const void *config, size_t length, struct buf *ret_answer,
                            struct err *e);

/* One image of an archive. */
struct archive_image {
    char *config;           /* member of the archive (Docker) or NULL */
    struct str_list tags;   /* full references, checked */
    struct str_list layers; /* members of the archive, lowest first (Docker) */
    struct digest manifest; /* OCI: blobs/sha256/<hex>, a manifest or an index */
    uint64_t manifest_size;
    char media_type[DOCUMENTS_MEDIA_TYPE_MAX + 1];
};

#define DOCUMENTS_ARCHIVE_IMAGES_MAX 256

struct archive_images {
    struct archive_image *items;
    size_t count;
};

void archive_images_clear(struct archive_images *a);
#define _cleanup_archive_images_ _cleanup_(archive_images_clear)

/* manifest.json of a Docker archive. Member names are relative, clean and at most 4095 bytes. */
int documents_parse_docker_archive(struct documents *d, int fd, struct archive_images *ret_images,
                                   struct err *e);

/* index.json of an OCI layout: its manifests, with the names that annotations give them (org.opencontainers.image.ref.name,
 * io.containerd.image.name). A bare tag without a name gives no tag. */
int documents_parse_oci_layout(struct documents *d, int fd, struct archive_images *ret_images, struct err *e);
