/* SPDX-License-Identifier: Apache-2.0 */
/* Practice 2, lean and clean: what is not used any more goes; what an image carries in vain is reported. */
#include "practices/registry.h"

const struct practice practice_lean = {
    .number = 2,
    .id = "lean",
    .title = "lean and clean",
    .what = "discards dead containers and unused images by policy and reports what an image never needs",
    .missing = "containers expire when the policy says so; images and volumes stay until they are removed",
};
