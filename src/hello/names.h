/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of names with a bound: `count` counts all, the first NAMES_MAX are kept.
 */
#pragma once

#include <stddef.h>

#define NAMES_MAX 512

struct names {
    size_t count;
    char *name[NAMES_MAX]; /* owned; only min(count, NAMES_MAX) are set */
};

/* Adds a copy. A name that finds no memory or no place is counted all the same. */
void names_add(struct names *list, const char *name) __attribute__((nonnull));
void names_add_format(struct names *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many are kept. */
size_t names_kept(const struct names *list);

void names_sort(struct names *list);
void names_clear(struct names *list);
