/* SPDX-License-Identifier: Apache-2.0 */
/* The image of run and create: from the store, else from the registry, as --pull says. */
#pragma once

#include "cli/run_options.h"
#include "image/image.h"

/* Messages and progress go to stderr. */
int find_image(const struct store *s, const struct run_options *o, struct image **ret_image, struct err *e);
