/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: volumes/<name>/data in the neutral range, shared by containers through idmapped mounts. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "store/root.h"

#define VOLUME_NAME_MAX 128

/* Docker's grammar: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most VOLUME_NAME_MAX. */
int volume_check_name(const char *name, struct err *e);

/* Makes the volume when it does not exist. */
int volume_make(const struct store *s, const char *name, struct err *e);

/* O_PATH descriptor of its data; *ret_fresh: no container has used it yet. */
int volume_open(const struct store *s, const char *name, bool *ret_fresh, struct err *e);

/* From now on it is not fresh. */
void volume_mark_used(const struct store *s, const char *name);

int volume_remove(const struct store *s, const char *name, struct err *e);
