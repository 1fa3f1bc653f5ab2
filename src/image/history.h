/* SPDX-License-Identifier: Apache-2.0 */
/* How an image came to be, as its configuration tells it. Nothing is decided by it. */
#pragma once

#include "image/documents.h"
#include "image/image.h"

struct image_history_entry {
    int64_t created;  /* ns; 0: not known */
    char *created_by; /* these three: neutralised, NULL when not given */
    char *comment;
    char *author;
    bool empty_layer; /* it has made no layer */
};

struct image_history {
    struct image_history_entry *items; /* oldest first */
    size_t count;
};

void image_history_clear(struct image_history *h);
#define _cleanup_image_history_ _cleanup_(image_history_clear)

/* Appends a zeroed entry; NULL with e set when there are too many. */
struct image_history_entry *image_history_add(struct image_history *h, struct err *e);

/* From the configuration that came with the image, parsed by `d`. */
int image_history_read(const struct store *s, const struct image *i, struct documents *d,
                       struct image_history *ret_history, struct err *e);

/* The configuration of an image as JSON (OCI image-spec, config.md, with Docker's Healthcheck and Shell), from the record and a history. */
int image_config_format(const struct image *i, const struct image_history *h, struct buf *ret_text,
                        struct err *e);

/* The raw configuration. */
int image_config_read(const struct store *s, const struct image *i, struct buf *ret_text, struct err *e);
