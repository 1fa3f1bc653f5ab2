/* SPDX-License-Identifier: Apache-2.0 */
/* Which system-call filters and which LSM profile a process gets. */
#pragma once

#include "engine/container.h"
#include "runtime/spec.h"

/* The ceiling, the user's profile if there is one, AppArmor. */
int compose_filters(const struct store *s, const struct plan *p, struct spec_process *ret, struct err *e);

/* Whether the user's profile can be used, before anything is made for the container. Without one nothing is done. */
int compose_check_filters(const struct store *s, const struct plan *p, struct err *e);

/* Adds the filter that refuses set-id bits: a bind of root's own files is writable. Idempotent. */
int compose_deny_setid(struct spec_process *p, struct err *e);
