/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.db: which names stand for which image, and which layers an image has. SQLite in WAL mode; opened only by what needs
 * it, for as short as possible. Names are full references ("docker.io/library/busybox:latest", "…@sha256:…"), ids and layers
 * 64 hexadecimal digits. Facts of an image (its record) are files; a row without its files, or the other way round, is mended
 * by image_mend (image/image.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "store/root.h"

#define INDEX_SCHEMA 2 /* user_version of the database; 1 had no origins */

/* Whose word a name is. The numbers stand in the database. */
enum index_origin {
    INDEX_ARCHIVE = 0,  /* an archive calls itself so: no policy goes by it */
    INDEX_REGISTRY = 1, /* the registry of that name served it */
    INDEX_USER = 2,     /* a user gave it: tag, commit, import; or it is part of the installation */
};

struct index;

/* Opens, and makes what is missing. */
int index_open(const struct store *s, struct index **ret_index, struct err *e);
void index_close(struct index *x);
DEFINE_CLEANUP(struct index *, index_close);
#define _cleanup_index_ _cleanup_(index_closep)

/* A write transaction; waits for others. A transaction that is open when the index is closed is undone. */
int index_begin(struct index *x, struct err *e);
int index_commit(struct index *x, struct err *e);

struct index_image {
    char id[DIGEST_HEX_LENGTH + 1];
    int64_t created; /* ns, by the image's own account */
    int64_t pulled;  /* ns, when it came in */
};

struct index_layer {
    char layer[DIGEST_HEX_LENGTH + 1];
    uint64_t size;
};

/* 1: found, 0: not. ret_id: DIGEST_HEX_LENGTH + 1 bytes. */
int index_find_name(struct index *x, const char *name, char *ret_id, struct err *e);
int index_find_image(struct index *x, const char *id, struct index_image *ret_image, struct err *e);
/* As above; 2 when several ids start like that. `prefix`: lower-case hexadecimal digits. */
int index_find_prefix(struct index *x, const char *prefix, char *ret_id, struct err *e);

/* Names of an image in order, ids of all images (newest first), layers of an image (lowest first; size left out). */
int index_list_names(struct index *x, const char *id, struct str_list *names, struct err *e);
/* Only those that are not an archive's own word. */
int index_list_vouched(struct index *x, const char *id, struct str_list *names, struct err *e);
int index_list_images(struct index *x, struct str_list *ids, struct err *e);
int index_list_layers(struct index *x, const char *id, struct str_list *layers, struct err *e);

/* How many images have this layer. */
int index_count_layer(struct index *x, const char *layer, uint64_t *ret_count, struct err *e);

/* Within a transaction. An image that is there keeps its `pulled`; a name that is there is moved. What a name of this very image is known by
 * stays when an archive says the same. */
int index_put_image(struct index *x, const struct index_image *image, const struct index_layer *layers,
                    size_t layer_count, struct err *e);
int index_put_name(struct index *x, const char *name, const char *id, enum index_origin origin,
                   struct err *e);
int index_delete_name(struct index *x, const char *name, struct err *e);
/* With its names and layers. */
int index_delete_image(struct index *x, const char *id, struct err *e);
