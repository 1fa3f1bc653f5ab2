/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of a stored layer as a stream, for save.c. */
#pragma once

#include "image/image.h"

struct save_layer {
    struct digest blob;   /* names it in the store */
    struct digest digest; /* of the tar */
    uint64_t size;        /* of the tar */
    bool packed;          /* made anew from the files: no skeleton */
};

/* Finds out digest and size. A layer without a skeleton is read once for that. */
int save_layer_measure(const struct store *s, const struct image_layer *layer, struct save_layer *ret,
                       struct err *e);

/* Hands the tar to `take`, piece by piece, and checks size and digest at the end. */
int save_layer_stream(const struct store *s, const struct save_layer *layer,
                      int (*take)(const void *data, size_t length, void *context, struct err *e),
                      void *context, struct err *e);
