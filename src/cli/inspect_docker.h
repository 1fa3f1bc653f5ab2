/* SPDX-License-Identifier: Apache-2.0 */
/* Members of HostConfig that Docker's clients and templates read and that nothing here sets: always what Docker has when they are not used. */
#pragma once

#include "cli/inspect_json.h"
#include "plan/plan.h"

void inspect_add_unused(struct members *host, const struct plan *p);

/* MaskedPaths and ReadonlyPaths: what is not seen and not written below /proc and /sys. */
void inspect_add_masks(struct members *host);
