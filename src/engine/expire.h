/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that have ended long ago go, when the policy says so ([practice "lean"] expire-containers). */
#pragma once

#include "engine/container.h"
#include "store/root.h"

#define EXPIRE_KEEP_LABEL "casemate.keep" /* a container with this label (KEY or KEY=true) never expires */

/* 1: it was removed; 0: it stays: it runs, may be started by its policy, is younger, or has a label that says so. `age` in nanoseconds,
 * 0: none expires. Its anonymous volumes go when nothing is in them; with data they stay, and so do all named ones. */
int expire_container(const struct store *s, struct container *c, uint64_t age, int64_t now, struct err *e);
