/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --filter KEY=VALUE of lists, events and prune. Several values of one key are alternatives, but for labels, which must all match;
 * several keys must all match.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Every filter is KEY=VALUE (for "label" also label!=VALUE where the keys have "label!") with a key of the list, which ends with NULL. Errors as
 * Docker's, with the keys there are. */
int filters_check(const struct str_list *filters, const char *const *keys, struct err *e);

/* The value when the filter has this key, else NULL. */
const char *filters_value(const char *filter, const char *key);

bool filters_given(const struct str_list *filters, const char *key);

/* True when the key is not given, or matches() one of its values. */
bool filters_any(const struct str_list *filters, const char *key,
                 bool (*matches)(const char *value, const void *context), const void *context);

/* Labels (KEY=VALUE) have every label that is asked for ("key" or "key=value"), and none of "label!". */
bool filters_labels(const struct str_list *filters, const struct str_list *labels);

/* The value of a key that is true or false; *ret is left when it is not given. */
int filters_bool(const struct str_list *filters, const char *key, bool *ret, struct err *e);

/* The last value of a key that is a point in time (when.h); *ret is left when it is not given. */
int filters_time(const struct str_list *filters, const char *key, int64_t now, int64_t *ret, struct err *e);
