/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as rows for `explain` and `debug`. */
#pragma once

#include "cli/inspect_json.h"
#include "practices/evidence.h"

/* An object for each line: Number, Practice, State, What, Value, Source, Record. */
void evidence_rows(struct members *rows, const struct evidence *evidence);

/* Everything about a container: the fourteen practices, what its processes execute, what it was refused. */
struct container;
int evidence_gather(const struct container *c, struct evidence *ret, struct err *e);
