/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the log, in the form that Docker's json-file driver writes: {"log":"text\n","stream":"stdout","time":"…Z"}.
 * The escaping is that of Go's encoder, which Docker tools expect: < > & and U+2028, U+2029 are escaped, every byte that
 * is not part of valid UTF-8 becomes U+FFFD. What follows the text and is the same for many lines is made once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ENCODE_TEXT_MAX \
    16384 /* bytes of output in one line; longer ones are cut, only the last part has the newline */
#define ENCODE_TIME_MAX 30    /* 2026-11-24T03:40:20.123456789Z */
#define ENCODE_ATTRS_MAX 4096 /* of the member "attrs" */
#define ENCODE_TAIL_MAX (ENCODE_ATTRS_MAX + 256)
#define ENCODE_ESCAPED_MAX (ENCODE_TEXT_MAX * 6) /* each byte as \u00xx */

/* RFC 3339 with nanoseconds, zeros at the end of the fraction left out (Go's RFC3339Nano). Returns the length. */
size_t encode_time(int64_t ns, char ret_text[ENCODE_TIME_MAX]);

/* Escapes `length` <= ENCODE_TEXT_MAX bytes into `out`, which has six times as many. Returns the length. */
size_t encode_text(const unsigned char *data, size_t length, char *out);

/*
 * What stands behind the text: ","stream":"…","attrs":{…},"time":"…", without an end. `attrs` is a JSON object or "".
 * `out` has ENCODE_TAIL_MAX bytes. Returns the length.
 */
size_t encode_tail(const char *stream, const char *attrs, int64_t time, char *out);

/* Appends ,"MEMBER":NUMBER to a tail; `member` is short. Returns the length of what it added. */
size_t encode_number(const char *member, uint64_t number, char *out);

/* Where the first newline is; `length` when there is none. */
size_t encode_find_newline(const unsigned char *data, size_t length);

/* How much of `length` bytes can be cut off as a part without cutting a UTF-8 sequence in two. */
size_t encode_cut(const unsigned char *data, size_t length);
