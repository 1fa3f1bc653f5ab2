/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of `ps`, which look at a container. */
#pragma once

#include "cli/filter.h"
#include "engine/container.h"

struct filter_container {
    const struct str_list *filters;
    int64_t before, since; /* creation times of the containers that are named; 0: none */
};

/* Checks keys and values, and looks up the containers that `before` and `since` name. */
int filter_container_prepare(const struct store *s, const struct str_list *filters,
                             struct filter_container *ret, struct err *e);

bool filter_container_matches(const struct filter_container *f, const struct container *c);

/* A filter asks for containers that do not run: `ps` shows them without -a. */
bool filter_container_wants_all(const struct filter_container *f);
