/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 8, trusted images: signatures and pinned digests, verified before a layer is fetched. */
#include "practices/registry.h"

const struct practice practice_trust = {
    .number = 8,
    .id = "trust",
    .title = "trusted images",
    .what = "verifies who made an image before a layer is fetched",
    .missing = "signatures are not verified; only digests are",
};
