/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers from text. Strict: the whole string, no sign, no blank, no other base, no overflow. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Decimal digits only ("0", "42"); leading zeros are refused; at most `max`. */
int num_parse_u64(const char *s, uint64_t max, uint64_t *ret_value, struct err *e);

/* As num_parse_u64, octal digits, leading zeros allowed (file modes). */
int num_parse_octal(const char *s, uint64_t max, uint64_t *ret_value, struct err *e);

/* Bytes as Docker takes them: a decimal number with an optional fraction and unit b k m g t, kb mb …, kib mib … (all powers of 1024). */
int num_parse_size(const char *s, uint64_t *ret_bytes, struct err *e);

/* A decimal number with up to nine digits of fraction, in units of 1e-9 ("1.5" -> 1500000000). */
int num_parse_nano(const char *s, uint64_t *ret_nano, struct err *e);

/* "10", "1m30s", "500ms", "2h": nanoseconds. A bare number means seconds. */
int num_parse_duration(const char *s, uint64_t *ret_ns, struct err *e);

/* True when a + b or a * b would overflow; otherwise the result is in *ret. */
static inline bool num_add_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
    return __builtin_add_overflow(a, b, ret);
}

static inline bool num_mul_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
    return __builtin_mul_overflow(a, b, ret);
}
