/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of a container's log, and the encoder of its lines, as the shim has them: with nettle and a plain loop as judges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/sha2.h>

#include "base/cleanup.h"
#include "base/logchain.h"
#include "shim/encode.h"

#define ID "c0ffee0000000000000000000000000000000000000000000000000000000000"

static void fill(unsigned char *data, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1103515245 + 12345;
        data[i] = (unsigned char)(seed >> 16);
    }
}

/* Nettle with another initial value: whole blocks are compressed as they come, the padding is ours. */
static void follow(uint32_t state[8], const unsigned char *data, size_t length)
{
    struct sha256_ctx context;
    unsigned char end[128] = {0x80};
    size_t padding = 64 - (length + 8) % 64;
    sha256_init(&context);
    memcpy(context.state, state, sizeof(context.state));
    sha256_update(&context, length, data);
    for (size_t i = 0; i < 8; i++)
        end[padding + 7 - i] = (unsigned char)((uint64_t)length * 8 >> (8 * i));
    sha256_update(&context, padding + 8, end);
    assert_int_equal(context.index, 0);
    memcpy(state, context.state, sizeof(context.state));
}

static void test_every_length(void **state)
{
    (void)state;
    unsigned char data[300];
    unsigned char room[sizeof(data) + LOGCHAIN_PADDING + 1];
    struct logchain c;
    struct logchain in_place;
    uint32_t expected[8];
    logchain_begin(&c, ID);
    in_place = c;
    memcpy(expected, c.state, sizeof(expected));
    for (size_t length = 0; length <= sizeof(data); length++) {
        fill(data, length, (unsigned)length);
        logchain_add(&c, data, length);
        follow(expected, data, length);
        assert_memory_equal(c.state, expected, sizeof(expected));
        assert_int_equal(c.number, length + 1);
        memcpy(room, data, length);
        room[length + LOGCHAIN_PADDING] = 0x5a;
        logchain_add_in_place(&in_place, room, length);
        assert_memory_equal(&in_place, &c, sizeof(c));
        assert_memory_equal(room, data, length);
        assert_int_equal(room[length + LOGCHAIN_PADDING], 0x5a);
    }
}

static void test_begin_is_a_plain_hash(void **state)
{
    (void)state;
    static const char text[] = "casemate container log 1\n" ID;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;
    struct logchain c;
    char hex[LOGCHAIN_HEX];
    struct logchain back = {0};
    sha256_init(&context);
    sha256_update(&context, sizeof(text) - 1, (const uint8_t *)text);
    sha256_digest(&context, sizeof(digest), digest);
    logchain_begin(&c, ID);
    logchain_format(&c, hex);
    for (size_t i = 0; i < sizeof(digest); i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        assert_int_equal(strtoul(pair, NULL, 16), digest[i]);
    }
    assert_int_equal(logchain_parse(hex, &back), 0);
    assert_memory_equal(back.state, c.state, sizeof(c.state));
    for (const char *bad = "/:@G`g \"\n"; *bad; bad++) {
        hex[5] = *bad;
        assert_int_equal(logchain_parse(hex, &back), -1);
    }
}

static void test_member(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 9, 10, 4711, 999999999999999999ULL};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        char line[2 * LOGCHAIN_MEMBER_MAX] = "{\"log\":\"x\"";
        struct logchain c;
        struct logchain back = {0};
        logchain_begin(&c, ID);
        c.number = numbers[i];
        size_t head = strlen(line);
        size_t n = logchain_put(&c, line + head);
        assert_true(n <= LOGCHAIN_MEMBER_MAX);
        assert_int_equal(logchain_parse_member(line, head + n, &back), n);
        assert_int_equal(back.number, c.number);
        assert_memory_equal(back.state, c.state, sizeof(c.state));
        for (size_t cut = 1; cut <= n; cut++)
            assert_int_equal(logchain_parse_member(line, head + n - cut, &back), 0);
        line[head + LOGCHAIN_OPEN_LENGTH] = '0'; /* a number that is 0, or has another first digit */
        size_t changed = logchain_parse_member(line, head + n, &back);
        assert_true(changed == 0 || back.number != numbers[i]);
    }
}

static void test_state(void **state)
{
    (void)state;
    char text[LOGCHAIN_STATE_SIZE];
    struct logchain_state s = {.origin = LOGCHAIN_UNCHAINED};
    struct logchain_state back;
    logchain_begin(&s.before, ID);
    s.last = s.before;
    logchain_add(&s.last, "x", 1);
    s.before.number = 999999999999999998ULL;
    s.last.number = 999999999999999999ULL;
    logchain_state_format(&s, text);
    assert_int_equal(text[sizeof(text) - 1], '\n');
    assert_int_equal(logchain_state_parse(text, &back), 0);
    assert_int_equal(back.origin, s.origin);
    assert_int_equal(back.before.number, s.before.number);
    assert_memory_equal(back.before.state, s.before.state, sizeof(s.before.state));
    assert_int_equal(back.last.number, s.last.number);
    assert_memory_equal(back.last.state, s.last.state, sizeof(s.last.state));
    for (size_t i = 0; i < 180; i++) {
        char kept = text[i];
        text[i] = '!';
        assert_int_equal(logchain_state_parse(text, &back), -1);
        text[i] = kept;
    }
    s.last.number = 1;
    logchain_state_format(&s, text);
    assert_int_equal(logchain_state_parse(text, &back), -1);
}

/* Every byte at every place of short texts, in buffers of exactly their size: the sanitizers watch the ends. */
static void test_encoder_at_every_place(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 40; length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned c = 0; c < 0x80; c++) {
                _cleanup_free_ unsigned char *data = malloc(length);
                _cleanup_free_ char *out = malloc(6 * length);
                assert_non_null(data);
                assert_non_null(out);
                memset(data, 'x', length);
                data[at] = (unsigned char)c;
                size_t n = encode_text(data, length, out);
                bool plain = c >= 0x20 && !strchr("\"\\<>&", (int)c);
                size_t one = plain ? 1 : strchr("\"\\\n\r", (int)c) && c ? 2 : 6;
                assert_int_equal(n, length - 1 + one);
                assert_memory_equal(out, data, at);
                assert_int_equal(out[at], plain ? (int)c : '\\');
                for (size_t i = at + one; i < n; i++)
                    assert_int_equal(out[i], 'x');
                assert_int_equal(encode_find_newline(data, length), c == '\n' ? at : length);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_begin_is_a_plain_hash),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_encoder_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
