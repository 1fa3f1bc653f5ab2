/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says about how it is run, put under what the user said. Docker's rules. */
#pragma once

#include "base/err.h"
#include "image/image.h"
#include "plan/plan.h"

/* Fills entrypoint, command, environment, user, working directory, stop signal and labels that the user has not given, and the image's volumes as anonymous
 * ones. Nothing that weakens a practice can come from an image. -EINVAL "no command specified" when nothing is left to run. */
int merge_image(struct plan *p, const struct image *image, struct err *e);
