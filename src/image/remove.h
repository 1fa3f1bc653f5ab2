/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of images in the store: what image.c finds for remove.c. */
#pragma once

#include "image/image.h"
#include "image/reference.h"

/* As image_find; says whether `text` was a name, which ret_reference then holds. */
int image_resolve(const struct store *s, const char *text, struct image **ret_image, bool *ret_named,
                  struct reference *ret_reference, struct err *e);
