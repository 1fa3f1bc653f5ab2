/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the log, in the form that Docker's json-file driver writes: {"log":"text\n","stream":"stdout","time":"…Z"}.
 * The escaping is that of Go's encoder, which Docker tools expect: < > & and U+2028, U+2029 are escaped, every byte that
 * is not part of valid UTF-8 becomes U+FFFD.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ENCODE_TEXT_MAX \
    16384 /* bytes of output in one line; longer ones are cut, only the last part has the newline */
#define ENCODE_TIME_MAX 30 /* 2026-11-24T03:40:20.123456789Z */
/* Longest encoded line: each byte as \u00xx, and what stands around it. */
#define ENCODE_LINE_MAX (ENCODE_TEXT_MAX * 6 + 128)

/* RFC 3339 with nanoseconds, zeros at the end of the fraction left out (Go's RFC3339Nano). Returns the length. */
size_t encode_time(int64_t ns, char ret_text[ENCODE_TIME_MAX]);

/* Encodes `length` <= ENCODE_TEXT_MAX bytes into `out`, which has ENCODE_LINE_MAX bytes. Returns the length. */
size_t encode_line(const unsigned char *data, size_t length, const char *stream, const char *time,
                   size_t time_length, char *out);

/* How much of `length` bytes can be cut off as a part without cutting a UTF-8 sequence in two. */
size_t encode_cut(const unsigned char *data, size_t length);
