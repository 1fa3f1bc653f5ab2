/* SPDX-License-Identifier: Apache-2.0 */
/* One layer: entries of the archive -> files, with the rules of images/limits in between. */
#pragma once

#include "base/messages.h"
#include "workers/unpack/skeleton.h"
#include "workers/unpack/stream.h"

/* `skeleton` (may be NULL) gets that of the layer, unfinished when this fails. */
/* Unpacks the whole stream into root_fd (an empty directory). Owners from `ids` on become IDS_OVERFLOW. Fills everything in
 * *ret_result, the digest included. */
int layer_unpack(struct stream *stream, int root_fd, uint32_t ids, struct skeleton *skeleton,
                 struct message_unpack_layer_done *ret_result, struct err *e);
