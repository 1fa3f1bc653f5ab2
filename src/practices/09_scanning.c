/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 9, scanning: an image is scanned before it can run and again whenever the database changes. */
#include "practices/registry.h"

const struct practice practice_scanning = {
    .number = 9,
    .id = "scanning",
    .title = "scanning",
    .what = "scans an image for known vulnerabilities before it runs and whenever the database changes",
    .missing = "images are not scanned: unknown, not clean",
};
