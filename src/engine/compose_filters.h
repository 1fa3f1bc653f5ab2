/* SPDX-License-Identifier: Apache-2.0 */
/* Which system-call filters and which LSM profile a process gets. */
#pragma once

#include "engine/container.h"
#include "runtime/spec.h"

int compose_filters(const struct store *s, const struct plan *p, struct spec_process *ret, struct err *e);

/* Adds the filter that refuses set-id bits: a bind of root's own files is writable. Idempotent. */
int compose_deny_setid(struct spec_process *p, struct err *e);
