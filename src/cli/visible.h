/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a container on a terminal: they are seen, and do nothing. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* C0 controls and DEL as ^X, C1 controls (U+0080 to U+009F) by their number. A carriage return would let a line write over itself: only the
 * one in front of a newline passes. */
void visible_print(const char *text, size_t length, FILE *out);
