/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what nothing uses, for `container prune`, `image prune` and `system prune`. What goes is printed, under a heading. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/filter.h"
#include "store/root.h"

/* Filters of prune: label, label! and until (a time; what is younger stays). */
struct prune_filter {
    const struct str_list *filters;
    int64_t until; /* ns since the epoch; 0: none */
};
int prune_filter_read(const struct str_list *filters, int64_t now, struct prune_filter *ret, struct err *e);

/* Containers that do not run, with their anonymous volumes. *bytes grows by what they took. */
int prune_containers(const struct store *s, const struct prune_filter *f, uint64_t *bytes, struct err *e);

/* Volumes that no container uses; `all`: named ones too. */
int prune_volumes(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                  struct err *e);

/* Images without a name; `all`: every one that no container is of. */
int prune_images(const struct store *s, bool all, const struct prune_filter *f, uint64_t *bytes,
                 struct err *e);

/* "Total reclaimed space: 1.2MB" */
void prune_print_total(uint64_t bytes);
