/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as lower-case hexadecimal digits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * length digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t length, char *ret_text);

/* Exactly 2 * length lower-case digits at text (not more than those are read). False when one is not a digit. */
bool hex_decode(const char *text, uint8_t *ret_bytes, size_t length);
