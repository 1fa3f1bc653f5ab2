/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 1, updates: own version, kernel, packages and other engines against a signed advisory feed. */
#include "practices/registry.h"

const struct practice practice_updates = {
    .number = 1,
    .id = "updates",
    .title = "updates",
    .what = "knows what of the engine and its host is outdated, from a signed advisory feed",
    .missing = "no version is compared with any advisory",
};
