/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of volumes share. */
#pragma once

#include <json-c/json.h>

#include "cli/verbs.h"
#include "engine/volume.h"

/* Docker's label of a volume that it has named itself. */
#define VOLUMES_ANONYMOUS_LABEL "com.docker.volume.anonymous"

/* Absolute path of the files, owned. */
int volumes_mountpoint(const char *name, char **ret_path, struct err *e);

/* --filter of ls and prune (filter.h). */
struct volumes_filter {
    const struct str_list *items;
    const char *const *keys; /* accepted; ends with NULL */
};
int volumes_filter_check(const struct volumes_filter *f, struct err *e);

/* 1 when the volume passes, 0 when not. */
int volumes_filter_match(const struct volumes_filter *f, const struct store *s, const struct volume *v,
                         int dir, struct err *e);
