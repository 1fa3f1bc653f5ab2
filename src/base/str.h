/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and lists of strings. Owned results are freed with free() or str_list_clear(). */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

static inline bool str_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* True when s is not NULL and not "". */
static inline bool str_set(const char *s)
{
    return s && *s;
}

/* If s starts with prefix, returns what follows; else NULL. */
const char *str_after(const char *s, const char *prefix);

bool str_ends_with(const char *s, const char *suffix);

/* strdup with the error convention. s may be NULL: *ret_copy is NULL then. */
int str_copy(const char *s, char **ret_copy, struct err *e);

/* strndup with the error convention. */
int str_copy_n(const char *s, size_t length, char **ret_copy, struct err *e);

/* asprintf with the error convention. */
int str_format(char **ret_text, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Replaces *target (freed) by a copy of s. */
int str_replace(char **target, const char *s, struct err *e);

/* Copies into a fixed buffer; -ENAMETOOLONG when it does not fit (the buffer is then ""). */
int str_put(char *buffer, size_t size, const char *s, struct err *e);

/* A list that owns its strings. `items` has a NULL after the last item (usable as argv) or is NULL when empty. */
struct str_list {
    char **items;
    size_t count;
};

#define _cleanup_str_list_ _cleanup_(str_list_clear)

void str_list_clear(struct str_list *list);
int str_list_add(struct str_list *list, const char *s, struct err *e);
/* Takes ownership of s, also on failure. */
int str_list_take(struct str_list *list, char *s, struct err *e);
int str_list_addf(struct str_list *list, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int str_list_copy(const struct str_list *from, struct str_list *ret_list, struct err *e);
bool str_list_has(const struct str_list *list, const char *s);
/* Splits at each separator; empty parts are kept. Fails with -E2BIG beyond max parts. */
int str_list_split(const char *s, char separator, size_t max, struct str_list *ret_list, struct err *e);

/* Sets NAME=value in a list of environment entries: replaces the entry of that name (with or without a value) or appends. */
int str_list_set_env(struct str_list *env, const char *entry, struct err *e);
/* Value of NAME in a list of NAME=value entries, NULL when absent. Borrowed. */
const char *str_list_env(const struct str_list *env, const char *name);

/* Bytes of the UTF-8 character (RFC 3629) that s begins with, 1 to 4; 0 when it is none, or the end. */
size_t str_utf8_length(const char *s);

/* True for valid UTF-8 (RFC 3629). */
bool str_is_utf8(const char *s);

/* The same text with control characters, C1 controls and invalid UTF-8 replaced by '?': for terminals. In place. */
void str_neutralize(char *s);
