/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images as an archive that is an OCI layout and what `docker save` writes in one: blobs/sha256/…, index.json, manifest.json.
 *
 * The store keeps layers unpacked. A layer's tar is put together again from its skeleton and its files, and has the digest that the
 * image's configuration names: the image keeps its id. A layer without a skeleton (its tar had the same name twice) is packed anew; the
 * image then gets a configuration with the new digests, and with it another id, which is told.
 */
#pragma once

#include "base/str.h"
#include "image/image.h"

#define SAVE_IMAGES_MAX 256

struct save_options {
    int out;
    /* Told of each image that cannot keep its id. May be NULL. */
    void (*renamed)(const char *id, const char *new_id, void *context);
    void *context;
};

/* words: references or ids, as the user typed them. */
int save_images(const struct store *s, char *const *words, size_t count, const struct save_options *options,
                struct err *e);
