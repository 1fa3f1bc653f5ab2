/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of one image of an archive into the store, several at once. */
#pragma once

#include "image/archive.h"
#include "image/image.h"

/* `members` has one entry for each layer of `i`; NULL where the archive does not have it (then the store must). The blob digest and
 * size of each layer are set. */
int load_layers(const struct store *s, const struct archive *a, const struct image *i,
                const struct message_unpack_member *const *members, const struct load_options *options,
                struct err *e);

/* For Docker archives, which name their layers by nothing that is checked: sets blob, size and compression of a layer from
 * its bytes (a plain tar is its own diff id). */
int load_layer_identify(const struct archive *a, const struct message_unpack_member *m,
                        struct image_layer *layer, struct err *e);
