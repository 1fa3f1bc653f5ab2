/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of the log (encode.h). Everything in it comes from the container; the encoded form has no control character but
 * the newline at its end, so a line cannot forge another one.
 */
#include "shim/encode.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000LL

static char *put_digits(char *at, unsigned value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

size_t encode_time(int64_t ns, char ret_text[ENCODE_TIME_MAX])
{
    time_t seconds = (time_t)(ns / SECOND);
    unsigned fraction = (unsigned)(ns % SECOND);
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    char *at = put_digits(ret_text, (unsigned)(tm.tm_year + 1900), 4);
    *at++ = '-';
    at = put_digits(at, (unsigned)tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, (unsigned)tm.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, (unsigned)tm.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)tm.tm_min, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)tm.tm_sec, 2);
    if (fraction > 0) {
        *at++ = '.';
        at = put_digits(at, fraction, 9);
        while (at[-1] == '0')
            at--;
    }
    *at++ = 'Z';
    return (size_t)(at - ret_text);
}

/* Length that a sequence should have by its first byte (2 to 4), 0 when no sequence begins so. */
static size_t sequence_length(unsigned char first)
{
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The second byte has narrower bounds after some first bytes: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* How many of the bytes at `data` fit together as a UTF-8 sequence; *ret_whole says whether they are a whole one. */
static size_t sequence_at(const unsigned char *data, size_t length, bool *ret_whole)
{
    size_t want = sequence_length(data[0]);
    size_t have = want > 0;
    if (have && length > 1 && second_fits(data[0], data[1]))
        have = 2;
    while (have >= 2 && have < want && have < length && (data[have] & 0xc0) == 0x80)
        have++;
    *ret_whole = want > 0 && have == want;
    return have;
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_escaped_byte(char *at, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    if (c == '\n') { /* ends nearly every line */
        memcpy(at, "\\n", 2);
        return at + 2;
    }
    switch (c) {
    case '"':
        return put_text(at, "\\\"");
    case '\\':
        return put_text(at, "\\\\");
    case '\r':
        return put_text(at, "\\r");
    default:
        at = put_text(at, "\\u00");
        *at++ = hex[c >> 4];
        *at++ = hex[c & 15];
        return at;
    }
}

/* A byte of 0x80 and above, or the sequence that it begins. Returns how many bytes of the input are used up. */
static size_t put_sequence(const unsigned char *data, size_t length, char **at)
{
    bool whole;
    size_t n = sequence_at(data, length, &whole);
    if (!whole) {
        *at = put_text(*at, "\\ufffd");
        return 1;
    }
    if (n == 3 && data[0] == 0xe2 && data[1] == 0x80 && (data[2] == 0xa8 || data[2] == 0xa9)) {
        *at = put_text(*at, data[2] == 0xa8 ? "\\u2028" : "\\u2029");
        return n;
    }
    memcpy(*at, data, n);
    *at += n;
    return n;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

#ifdef __SSE2__
#include <emmintrin.h>

#define VECTOR 16

/* A bit for each byte that is not plain: those outside of 0x20..0x7f (one signed comparison), " and & (they differ in
 * one bit), < and > (likewise), and the backslash. */
static unsigned special_bytes(__m128i v)
{
    __m128i found = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_and_si128(v, _mm_set1_epi8(~4)), _mm_set1_epi8('"')));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_and_si128(v, _mm_set1_epi8(~2)), _mm_set1_epi8('<')));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(found);
}

/* Copies plain bytes up to the first other one; what it writes behind them is inside of data's length. */
static size_t copy_plain(const unsigned char *data, size_t length, char *out)
{
    size_t i = 0;
    for (; length - i >= VECTOR; i += VECTOR) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + i));
        _mm_storeu_si128((__m128i *)(out + i), v);
        unsigned special = special_bytes(v);
        if (special)
            return i + (unsigned)__builtin_ctz(special);
    }
    for (; i < length && is_plain(data[i]); i++)
        out[i] = (char)data[i];
    return i;
}

size_t encode_find_newline(const unsigned char *data, size_t length)
{
    const __m128i newline = _mm_set1_epi8('\n');
    size_t i = 0;
    for (; length - i >= VECTOR; i += VECTOR) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + i));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, newline));
        if (found)
            return i + (unsigned)__builtin_ctz(found);
    }
    while (i < length && data[i] != '\n')
        i++;
    return i;
}
#else
static size_t copy_plain(const unsigned char *data, size_t length, char *out)
{
    size_t i = 0;
    for (; i < length && is_plain(data[i]); i++)
        out[i] = (char)data[i];
    return i;
}

size_t encode_find_newline(const unsigned char *data, size_t length)
{
    const unsigned char *found = memchr(data, '\n', length);
    return found ? (size_t)(found - data) : length;
}
#endif

size_t encode_text(const unsigned char *data, size_t length, char *out)
{
    char *at = out;
    for (size_t i = 0; i < length;) {
        size_t plain = copy_plain(data + i, length - i, at);
        at += plain;
        i += plain;
        if (i == length)
            break;
        if (data[i] < 0x80)
            at = put_escaped_byte(at, data[i++]);
        else
            i += put_sequence(data + i, length - i, &at);
    }
    return (size_t)(at - out);
}

static char *put_decimal(char *at, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

size_t encode_number(const char *member, uint64_t number, char *out)
{
    char *at = put_text(out, ",\"");
    at = put_text(at, member);
    at = put_text(at, "\":");
    return (size_t)(put_decimal(at, number) - out);
}

size_t encode_tail(const char *stream, const char *attrs, int64_t time, char *out)
{
    char *at = put_text(out, "\",\"stream\":\"");
    at = put_text(at, stream);
    if (*attrs) {
        at = put_text(at, "\",\"attrs\":");
        at = put_text(at, attrs);
        at = put_text(at, ",\"time\":\"");
    } else {
        at = put_text(at, "\",\"time\":\"");
    }
    at += encode_time(time, at);
    *at++ = '"';
    return (size_t)(at - out);
}

size_t encode_cut(const unsigned char *data, size_t length)
{
    for (size_t back = 1; back <= 3 && back < length; back++) {
        const unsigned char *at = data + length - back;
        if ((*at & 0xc0) == 0x80)
            continue;
        bool whole;
        size_t have = sequence_length(*at) > 0 ? sequence_at(at, back, &whole) : 0;
        return have == back && have < sequence_length(*at) ? length - back : length;
    }
    return length;
}
