/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 10, minimal base images: measure them, slim them, warn about heavy ones. */
#include "practices/registry.h"

const struct practice practice_minimal = {
    .number = 10,
    .id = "minimal",
    .title = "minimal base images",
    .what = "measures what an image carries, slims it, and warns about heavy ones",
    .missing = "images are neither measured nor slimmed",
};
