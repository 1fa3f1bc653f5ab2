/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are not from the image, told by `explain`. */
#pragma once

#include "engine/container.h"
#include "practices/evidence.h"

/* Lines of practice 9 about what the processes of a running container execute: one when all of it is the image's, else one for each file. */
int drift_explain(const struct container *c, struct evidence *ev, struct err *e);
