/* SPDX-License-Identifier: Apache-2.0 */
/* --change of commit and import: an instruction of a Dockerfile that says how an image runs. */
#pragma once

#include "image/image.h"

/* CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR. */
int image_change(struct image *i, const char *instruction, struct err *e);
