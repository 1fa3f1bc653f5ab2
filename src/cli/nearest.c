/* SPDX-License-Identifier: Apache-2.0 */
/* Near misses by the edit distance of Levenshtein (nearest.h). */
#include "cli/nearest.h"

#include <string.h>

#define EDITS_MAX 2

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[NEAREST_LENGTH_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_length];
}

void nearest_start(struct nearest *n, const char *wanted, size_t length)
{
    *n = (struct nearest){.wanted = wanted, .length = length, .distance = least(EDITS_MAX, length / 2) + 1};
}

void nearest_try(struct nearest *n, const char *known)
{
    size_t length = strlen(known);
    if (n->length > NEAREST_LENGTH_MAX || length > NEAREST_LENGTH_MAX)
        return;
    size_t distance = edit_distance(n->wanted, n->length, known, length);
    if (distance < n->distance) {
        n->distance = distance;
        n->best = known;
    }
}
