/* SPDX-License-Identifier: Apache-2.0 */
/* The known word that a mistyped one most likely meant. */
#pragma once

#include <stddef.h>

#define NEAREST_LENGTH_MAX 32 /* longer words get no suggestion */

struct nearest {
    const char *wanted; /* not terminated: length counts */
    size_t length;
    const char *best; /* NULL: nothing is near */
    size_t distance;
};

void nearest_start(struct nearest *n, const char *wanted, size_t length);
/* Keeps `known` (borrowed) when it is nearer than what was tried before: at most two edits, and less than half of the word. */
void nearest_try(struct nearest *n, const char *known);
