/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image record as a file: images/<id>/record.json, written by us, read strictly all the same.
 *
 *     {"version": 1, "id": HEX, "manifest": DIGEST?, "layers": [{"blob", "size", "diffId", "compression"}…], "config": {…}}
 *
 * "config" is what casemate-parse answers for an image configuration (workers/parse/config.c writes it):
 *     os architecture variant? created? author? env entrypoint cmd user workingDir labels exposedPorts volumes
 *     stopSignal? shell healthcheck? historyCount
 */
#pragma once

#include "base/buf.h"
#include "image/image.h"

/* The JSON text of a record. */
int image_record_format(const struct image *i, struct buf *ret_text, struct err *e);

/* Reads and checks a whole record. */
int image_record_parse(const char *text, size_t length, struct image **ret_image, struct err *e);

/* Reads and checks only the configuration part, with the list "diffIds" that the worker adds (at most IMAGE_LAYERS_MAX,
 * into the diff_id of each layer; layer_count is their number). */
int image_record_parse_config(const char *text, size_t length, struct image **ret_image, struct err *e);

/* images/<id>/record.json. -ENOENT when there is none. */
int image_record_read(const struct store *s, const char *id, struct image **ret_image, struct err *e);
