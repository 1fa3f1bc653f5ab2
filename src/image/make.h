/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images made here: a layer from a stream of tar, and an image from layers and a configuration of ours. The layer goes the way of every
 * other one (casemate-unpack, layers.h), and the configuration through casemate-parse, so that what is made obeys the same rules.
 *
 * Hold image_hold() from before the first layer until image_make has returned.
 */
#pragma once

#include "image/history.h"

#define MAKE_STREAM_MAX (300ULL << 30) /* bytes of one stream */

/* A stream on its way to become a layer, in staging/. */
struct make_spool {
    int dir;
    int fd;
    char name[STORE_STAGING_NAME_MAX];
    struct digest digest;
    uint64_t size;
};

#define MAKE_SPOOL_INIT     \
    {                       \
        .dir = -1, .fd = -1 \
    }

/* Takes everything up to the end of the stream. `progress` may be NULL. */
int make_spool_take(const struct store *s, int stream,
                    void (*progress)(uint64_t done, uint64_t total, void *context), void *context,
                    struct make_spool *ret_spool, struct err *e);
void make_spool_close(const struct store *s, struct make_spool *spool);

/* The spooled tar, plain, gzip or zstd, as a layer. */
int make_layer(const struct store *s, const struct make_spool *spool, struct image_layer *ret_layer,
               struct err *e);

/* Stores the image: `i` has configuration and layers. name: a reference or NULL. ret_id: DIGEST_HEX_LENGTH + 1 bytes. */
int make_image(const struct store *s, struct documents *d, struct image *i, const struct image_history *h,
               const char *name, char *ret_id, struct err *e);
