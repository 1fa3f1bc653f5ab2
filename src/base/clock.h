/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps: nanoseconds since the epoch, and their RFC 3339 form in UTC with nine digits of fraction. */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define CLOCK_TEXT_LENGTH 30 /* 2026-11-24T03:40:20.123456789Z */
#define CLOCK_SECOND 1000000000LL

int64_t clock_now(void);
/* CLOCK_MONOTONIC, for intervals. */
int64_t clock_monotonic(void);
/* CLOCK_TEXT_LENGTH + 1 bytes. */
void clock_format(int64_t ns, char *ret_text);
/* RFC 3339, any offset, fraction optional. -ERANGE for a year that nanoseconds in 64 bits do not reach. */
int clock_parse(const char *text, int64_t *ret_ns, struct err *e);
