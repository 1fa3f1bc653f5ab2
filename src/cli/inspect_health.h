/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks as Docker's API describes them: what is configured, and how it stands. */
#pragma once

#include "cli/inspect_json.h"
#include "engine/container.h"

/* "Healthcheck" of Config; nothing without one. */
void inspect_health_config(struct members *config, const struct plan *p);

/* "Health" of State. */
void inspect_health(struct members *state, const struct container *c);
