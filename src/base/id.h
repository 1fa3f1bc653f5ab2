/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers of containers: 64 lower-case hexadecimal digits, shown as the first twelve. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define ID_LENGTH 64
#define ID_SHORT_LENGTH 12

/* Fills ret_id (ID_LENGTH + 1 bytes) from the kernel's random source. */
int id_random(char *ret_id, struct err *e);

/* True for exactly ID_LENGTH lower-case hexadecimal digits. */
bool id_valid(const char *id);

/* True for 1..ID_LENGTH lower-case hexadecimal digits. */
bool id_valid_prefix(const char *text);
