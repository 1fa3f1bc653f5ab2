/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of a container's log (logchain.h). SHA-256 is FIPS 180-4; here it starts from a given value, which no library
 * of Debian 12 offers, and it is in the shim, which has no library. Where the processor has instructions for it they are
 * used: the shim hashes everything that its container writes.
 */
#include "base/logchain.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK 64
#define WORD 8
#define LENGTH_SIZE 8                         /* of the length in bits at the end of the last block */
#define NUMBER_UNIT_MAX 100000000000000000ULL /* numbers have at most 18 digits */
#define SEED "casemate container log 1\n"

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef void (*compress_function)(uint32_t state[8], const unsigned char *data, size_t blocks);

static uint32_t rotate_right(uint32_t x, int n)
{
    return (x >> n) | (x << (32 - n));
}

static void load_schedule(uint32_t w[64], const unsigned char *data)
{
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 |
               (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = w[i - 15];
        uint32_t b = w[i - 2];
        w[i] = w[i - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    }
}

static void compress_portable(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += BLOCK) {
        uint32_t w[64];
        uint32_t v[8];
        load_schedule(w, data);
        memcpy(v, state, sizeof(v));
        for (size_t i = 0; i < 64; i++) {
            uint32_t one = v[7] + (rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25)) +
                           ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constants[i] + w[i];
            uint32_t two = (rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22)) +
                           ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof(v[0]));
            v[4] += one;
            v[0] = one + two;
        }
        for (size_t i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

/* The instructions want the eight words as ABEF and CDGH. */
__attribute__((target("sha,sse4.1"))) static void
compress_instructions(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xf0);
    for (; blocks > 0; blocks--, data += BLOCK) {
        const __m128i before_abef = abef;
        const __m128i before_cdgh = cdgh;
        __m128i w[4];
        for (size_t i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
#pragma GCC unroll 16
        for (size_t r = 0; r < 16; r++) {
            __m128i sum = _mm_add_epi32(w[r & 3], _mm_load_si128((const __m128i *)(round_constants + 4 * r)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (r >= 12)
                continue;
            __m128i next = _mm_add_epi32(_mm_sha256msg1_epu32(w[r & 3], w[(r + 1) & 3]),
                                         _mm_alignr_epi8(w[(r + 3) & 3], w[(r + 2) & 3], 4));
            w[r & 3] = _mm_sha256msg2_epu32(next, w[(r + 3) & 3]);
        }
        abef = _mm_add_epi32(abef, before_abef);
        cdgh = _mm_add_epi32(cdgh, before_cdgh);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static compress_function choose(void)
{
    unsigned a, b, c, d;
    bool sse41 = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1);
    return sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) ? compress_instructions
                                                                             : compress_portable;
}
#else
static compress_function choose(void)
{
    return compress_portable;
}
#endif

static void compress(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    static compress_function chosen;
    if (!chosen)
        chosen = choose();
    chosen(state, data, blocks);
}

/* memcpy(3) of less than a block, in moves of fixed sizes: a call would cost more. */
static void copy_rest(unsigned char *to, const unsigned char *from, size_t length)
{
    for (size_t size = BLOCK / 2; size >= WORD; size /= 2) {
        if (!(length & size))
            continue;
        for (size_t i = 0; i < size; i += WORD)
            memcpy(to + i, from + i, WORD);
        to += size;
        from += size;
    }
    for (size_t i = 0; i < length % WORD; i++)
        to[i] = from[i];
}

static void digest(uint32_t state[8], const unsigned char *data, size_t length)
{
    unsigned char last[2 * BLOCK] = {0};
    size_t whole = length / BLOCK;
    size_t rest = length % BLOCK;
    size_t blocks = rest + 1 + LENGTH_SIZE <= BLOCK ? 1 : 2;
    uint64_t bits = (uint64_t)length * 8;
    if (whole > 0)
        compress(state, data, whole);
    copy_rest(last, data + whole * BLOCK, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        last[blocks * BLOCK - 1 - i] = (unsigned char)(bits >> (8 * i));
    compress(state, last, blocks);
}

/* The same where the bytes behind the data may be written: the padding is put there, and nothing is copied. */
static void digest_in_place(uint32_t state[8], unsigned char *data, size_t length)
{
    size_t blocks = (length + 1 + LENGTH_SIZE + BLOCK - 1) / BLOCK;
    uint64_t bits = (uint64_t)length * 8;
    memset(data + length, 0, LOGCHAIN_PADDING);
    data[length] = 0x80;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        data[blocks * BLOCK - 1 - i] = (unsigned char)(bits >> (8 * i));
    compress(state, data, blocks);
}

void logchain_begin(struct logchain *c, const char *id)
{
    unsigned char text[sizeof(SEED) + 64] = SEED;
    size_t length = strnlen(id, 64);
    c->number = 0;
    memcpy(c->state, initial, sizeof(initial));
    memcpy(text + sizeof(SEED) - 1, id, length);
    digest(c->state, text, sizeof(SEED) - 1 + length);
}

void logchain_add(struct logchain *c, const void *data, size_t length)
{
    digest(c->state, data, length);
    c->number++;
}

void logchain_add_in_place(struct logchain *c, void *data, size_t length)
{
    digest_in_place(c->state, data, length);
    c->number++;
}

#ifdef __SSE2__
#include <emmintrin.h>

/* Sixteen digits: half bytes are spread to bytes of their own, then '0' is added, and more to those above 9. */
static void put_hex(uint64_t value, char *out)
{
    __m128i both = _mm_cvtsi64_si128((long long)__builtin_bswap64(value));
    __m128i high = _mm_and_si128(_mm_srli_epi16(both, 4), _mm_set1_epi8(15));
    __m128i low = _mm_and_si128(both, _mm_set1_epi8(15));
    __m128i digits = _mm_unpacklo_epi8(high, low);
    __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
    digits = _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters);
    _mm_storeu_si128((__m128i *)out, digits);
}
#else
static void put_hex(uint64_t value, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++)
        out[i] = digits[value >> (60 - 4 * i) & 15];
}
#endif

void logchain_format(const struct logchain *c, char *ret_hex)
{
    for (size_t i = 0; i < 8; i += 2)
        put_hex((uint64_t)c->state[i] << 32 | c->state[i + 1], ret_hex + 8 * i);
}

int logchain_parse(const char *hex, struct logchain *c)
{
    uint32_t state[8] = {0};
    for (size_t i = 0; i < LOGCHAIN_HEX; i++) {
        char h = hex[i];
        uint32_t value = h >= '0' && h <= '9' ? (uint32_t)(h - '0') : (uint32_t)(h - 'a') + 10;
        if (value > 15 || (h > '9' && h < 'a'))
            return -1;
        state[i / 8] = state[i / 8] << 4 | value;
    }
    memcpy(c->state, state, sizeof(state));
    return 0;
}

static char *put_number(uint64_t number, char *out)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

size_t logchain_put(const struct logchain *c, char *out)
{
    memcpy(out, LOGCHAIN_OPEN, LOGCHAIN_OPEN_LENGTH);
    char *at = put_number(c->number, out + LOGCHAIN_OPEN_LENGTH);
    *at++ = ':';
    logchain_format(c, at);
    at += LOGCHAIN_HEX;
    memcpy(at, LOGCHAIN_CLOSE, LOGCHAIN_CLOSE_LENGTH);
    return (size_t)(at - out) + LOGCHAIN_CLOSE_LENGTH;
}

size_t logchain_parse_member(const char *line, size_t length, struct logchain *ret)
{
    const size_t after = LOGCHAIN_HEX + LOGCHAIN_CLOSE_LENGTH;
    struct logchain c = {0};
    uint64_t unit = 1;
    if (length <= after ||
        memcmp(line + length - LOGCHAIN_CLOSE_LENGTH, LOGCHAIN_CLOSE, LOGCHAIN_CLOSE_LENGTH) != 0 ||
        logchain_parse(line + length - after, &c) < 0)
        return 0;
    size_t at = length - after;
    if (line[--at] != ':')
        return 0;
    while (at > 0 && line[at - 1] >= '0' && line[at - 1] <= '9' && unit <= NUMBER_UNIT_MAX) {
        c.number += unit * (uint64_t)(line[--at] - '0');
        unit *= 10;
    }
    if (at < LOGCHAIN_OPEN_LENGTH || c.number == 0 ||
        memcmp(line + at - LOGCHAIN_OPEN_LENGTH, LOGCHAIN_OPEN, LOGCHAIN_OPEN_LENGTH) != 0)
        return 0;
    *ret = c;
    return length - at + LOGCHAIN_OPEN_LENGTH;
}

/* casemate-log 1 ORIGIN NUMBER HASH NUMBER HASH, filled up with blanks, and a newline. */
#define STATE_WORD "casemate-log 1 "

void logchain_state_format(const struct logchain_state *s, char ret_text[LOGCHAIN_STATE_SIZE])
{
    const struct logchain *both[] = {&s->before, &s->last};
    memset(ret_text, ' ', LOGCHAIN_STATE_SIZE - 1);
    ret_text[LOGCHAIN_STATE_SIZE - 1] = '\n';
    char *at = ret_text + sizeof(STATE_WORD) - 1;
    memcpy(ret_text, STATE_WORD, sizeof(STATE_WORD) - 1);
    *at = (char)('0' + s->origin);
    at += 2;
    for (size_t i = 0; i < 2; i++) {
        at = put_number(both[i]->number, at) + 1;
        logchain_format(both[i], at);
        at += LOGCHAIN_HEX + 1;
    }
}

/* A number and the blank behind it; NULL when it is none. */
static const char *take_number(const char *at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    const char *begin = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (at - begin > 18)
            return NULL;
        else
            value = value * 10 + (uint64_t)(*at - '0');
    *ret = value;
    return at > begin && at < end && *at == ' ' ? at + 1 : NULL;
}

int logchain_state_parse(const char text[LOGCHAIN_STATE_SIZE], struct logchain_state *ret)
{
    struct logchain_state s = {0};
    struct logchain *both[] = {&s.before, &s.last};
    const char *end = &text[LOGCHAIN_STATE_SIZE - 1]; /* the newline */
    const char *at = text + sizeof(STATE_WORD) - 1;
    if (memcmp(text, STATE_WORD, sizeof(STATE_WORD) - 1) != 0 || *at < '0' || *at > '2' || at[1] != ' ')
        return -1;
    s.origin = (enum logchain_origin)(*at - '0');
    at += 2;
    for (size_t i = 0; i < 2; i++) {
        at = take_number(at, end, &both[i]->number);
        if (!at || end - at <= LOGCHAIN_HEX || logchain_parse(at, both[i]) < 0 || at[LOGCHAIN_HEX] != ' ')
            return -1;
        at += LOGCHAIN_HEX + 1;
    }
    *ret = s;
    return s.before.number <= s.last.number ? 0 : -1;
}
