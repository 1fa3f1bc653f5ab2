/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/base: text, numbers, JSON, digests, messages. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/str.h"

static void test_sizes(void **state)
{
    (void)state;
    struct err e = {0};
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},      {"42", 42},     {"512m", 536870912}, {"1.5g", 1610612736}, {"64K", 65536},
                {"1kb", 1024}, {"1KiB", 1024}, {"7b", 7},           {".5k", 512}};
    static const char *const bad[] = {"",         "-1", "+1",  " 1",    "1 ",
                                      "0x10",     "1q", "1kx", "1.5.5", "99999999999999999999",
                                      "9999999t", "m",  "."};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t v = 1;
        assert_int_equal(num_parse_size(good[i].text, &v, &e), 0);
        assert_int_equal(v, good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t v = 77;
        assert_true(num_parse_size(bad[i], &v, &e) < 0);
        assert_int_equal(v, 77);
    }
}

static void test_whole_numbers(void **state)
{
    (void)state;
    struct err e = {0};
    uint64_t v = 0;
    assert_int_equal(num_parse_u64("18446744073709551615", UINT64_MAX, &v, &e), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(num_parse_u64("18446744073709551616", UINT64_MAX, &v, &e), -ERANGE);
    assert_int_equal(num_parse_u64("4294967296", UINT32_MAX, &v, &e), -ERANGE);
    static const char *const bad[] = {"", "-1", "+0", " 0", "0x0", "00", "07", "1\n", "1a"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(num_parse_u64(bad[i], UINT64_MAX, &v, &e), -EINVAL);
    assert_int_equal(num_parse_octal("0755", 07777, &v, &e), 0);
    assert_int_equal(v, 0755);
    assert_int_equal(num_parse_duration("1m30s", &v, &e), 0);
    assert_int_equal(v, 90000000000ULL);
    assert_int_equal(num_parse_duration("10", &v, &e), 0);
    assert_int_equal(v, 10000000000ULL);
    assert_true(num_parse_duration("5x", &v, &e) < 0);
    assert_true(num_parse_duration("", &v, &e) < 0);
    assert_int_equal(num_parse_nano("1.5", &v, &e), 0);
    assert_int_equal(v, 1500000000ULL);
}

static void test_neutral_text(void **state)
{
    (void)state;
    char text[] = "a\x1b[31mb\x80\xc2\x9b"
                  "c\xc3\xa9\xed\xa0\x80\n";
    str_neutralize(text);
    assert_string_equal(text, "a?[31mb???c\xc3\xa9????");
    struct err e = {0};
    err_set(&e, EINVAL, "bad '%s'", "x\x1b]0;t\x07\ny");
    assert_string_equal(e.text, "bad 'x?]0;t??y'");
}

static void test_lists(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_str_list_ struct str_list l = {0};
    for (int i = 0; i < 100; i++)
        assert_int_equal(str_list_addf(&l, &e, "N%d=%d", i, i), 0);
    assert_int_equal(l.count, 100);
    assert_null(l.items[100]);
    assert_int_equal(str_list_set_env(&l, "N7=seven", &e), 0);
    assert_int_equal(l.count, 100);
    assert_string_equal(str_list_env(&l, "N7"), "seven");
    assert_null(str_list_env(&l, "N"));
    _cleanup_str_list_ struct str_list parts = {0};
    assert_int_equal(str_list_split("a::b", ':', 3, &parts, &e), 0);
    assert_int_equal(parts.count, 3);
    assert_string_equal(parts.items[1], "");
    struct str_list none = {0};
    assert_int_equal(str_list_split("a:b:c:d", ':', 3, &none, &e), -E2BIG);
}

static int parse(const char *text, struct err *e)
{
    _cleanup_json_ struct json_object *o = NULL;
    return json_parse(text, strlen(text), &o, e);
}

static void test_json_strict(void **state)
{
    (void)state;
    struct err e = {0};
    static const char *const good[] = {"{}",
                                       "[1,2]",
                                       "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}",
                                       " {\"a\":\"{\\\"a\\\":1}\"} \n",
                                       "12",
                                       "{\"a\\/b\":1,\"a\\\"b\":2,\"\\u0026\":3,\"a\":{\"a\\/b\":1}}"};
    static const char *const bad[] = {"",
                                      "{",
                                      "{'a':1}",
                                      "{\"a\":1,}",
                                      "{} x",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"b\":{\"c\":1,\"c\":2}}",
                                      "{\"\\u0061\":1,\"a\":2}",
                                      "{\"a/b\":1,\"a\\/b\":2}",
                                      "{\"\\u00c4\":1,\"\xc3\x84\":2}",
                                      "{\"a\\u0000b\":1}",
                                      "{\"a\\x\":1}",
                                      "{\"\\u00\":1}",
                                      "NaN",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (parse(good[i], &e) != 0)
            fail_msg("refused %s: %s", good[i], e.text);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i], &e) == 0)
            fail_msg("accepted %s", bad[i]);
    char deep[100];
    memset(deep, '[', 50);
    memset(deep + 50, ']', 49);
    deep[99] = '\0';
    assert_true(parse(deep, &e) < 0);
}

/* Text of `count` times `item`, commas between them, as an array. */
static char *repeated(const char *item, size_t count)
{
    const size_t length = strlen(item);
    char *text = malloc(count * (length + 1) + 2);
    assert_non_null(text);
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        *at++ = i ? ',' : '[';
        memcpy(at, item, length);
        at += length;
    }
    memcpy(at, "]", 2);
    return text;
}

/* What would take many times the memory of its text is refused before anything is built of it. */
static void test_json_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        size_t count;
        int result;
    } cases[] = {{"{}", JSON_STRUCTURES_MAX - 1, 0},  {"{}", JSON_STRUCTURES_MAX, -E2BIG},
                 {"[]", JSON_STRUCTURES_MAX, -E2BIG}, {"0", JSON_VALUES_MAX, 0},
                 {"0", JSON_VALUES_MAX + 1, -E2BIG},  {"\"{[,\"", JSON_VALUES_MAX, 0},
                 {"{\"a\":0}", 5000000, -E2BIG}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *text = repeated(cases[i].item, cases[i].count);
        assert_int_equal(json_parse(text, strlen(text), &o, &e), cases[i].result);
    }
}

static void test_json_members(void **state)
{
    (void)state;
    struct err e = {0};
    static const char text[] = "{\"s\":\"x\",\"n\":5,\"neg\":-1,\"big\":18446744073709551616,\"b\":true,"
                               "\"z\":null,\"nul\":\"a\\u0000b\",\"l\":[\"p\",\"q\"]}";
    _cleanup_json_ struct json_object *o = NULL;
    assert_int_equal(json_parse(text, strlen(text), &o, &e), 0);
    const char *s = NULL;
    uint64_t n = 0;
    bool b = false;
    assert_int_equal(json_get_string(o, "s", &s, &e), 1);
    assert_string_equal(s, "x");
    assert_int_equal(json_get_string(o, "absent", &s, &e), 0);
    assert_int_equal(json_get_string(o, "z", &s, &e), 0);
    assert_int_equal(json_get_string(o, "n", &s, &e), -EINVAL);
    assert_int_equal(json_get_string(o, "nul", &s, &e), -EINVAL);
    assert_int_equal(json_get_u64(o, "n", &n, &e), 1);
    assert_int_equal(json_get_u64(o, "neg", &n, &e), -ERANGE);
    assert_int_equal(json_get_u64(o, "big", &n, &e), -ERANGE);
    assert_int_equal(json_get_bool(o, "b", &b, &e), 1);
    _cleanup_str_list_ struct str_list l = {0};
    assert_int_equal(json_get_strings(o, "l", 2, &l, &e), 1);
    assert_int_equal(l.count, 2);
    assert_int_equal(json_get_strings(o, "l", 1, &l, &e), -E2BIG);
}

static void test_digest(void **state)
{
    (void)state;
    struct err e = {0};
    struct digest d, again;
    char text[DIGEST_TEXT_LENGTH + 1];
    digest_of("abc", 3, &d); /* FIPS 180-2 appendix B.1 */
    digest_format(&d, text);
    assert_string_equal(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(digest_parse(text, &again, &e), 0);
    assert_true(digest_equal(&d, &again));
    text[10] = 'A';
    assert_true(digest_parse(text, &again, &e) < 0);
    assert_true(digest_parse("sha512:00", &again, &e) < 0);
    assert_true(digest_parse("sha256:ba78", &again, &e) < 0);
}

static void test_times(void **state)
{
    (void)state;
    struct err e = {0};
    int64_t t = 0;
    char text[CLOCK_TEXT_LENGTH + 1];
    assert_int_equal(clock_parse("2026-11-24T03:40:20.5+01:00", &t, &e), 0);
    clock_format(t, text);
    assert_string_equal(text, "2026-11-24T02:40:20.500000000Z");
    assert_true(clock_parse("yesterday", &t, &e) < 0);
    assert_int_equal(clock_parse("0001-01-01T00:00:00Z", &t, &e), -ERANGE);
    assert_int_equal(clock_parse("9999-12-31T23:59:59Z", &t, &e), -ERANGE);
}

static void test_messages(void **state)
{
    (void)state;
    struct err e = {0};
    int pair[2];
    static struct ipc_message m;
    assert_int_equal(ipc_pair(pair, &e), 0);
    int fds[2] = {0, 1};
    assert_int_equal(ipc_send(pair[0], 7, "hello", 5, fds, 2, &e), 0);
    assert_int_equal(ipc_receive(pair[1], &m, &e), 1);
    assert_int_equal(ipc_expect(&m, 7, 5, 2, &e), 0);
    assert_int_equal(ipc_expect(&m, 7, 4, 2, &e), -EBADMSG);
    assert_int_equal(ipc_expect(&m, 8, 5, 2, &e), -EBADMSG);
    assert_memory_equal(m.payload, "hello", 5);
    ipc_message_clear(&m);
    assert_int_equal(write(pair[0], "x", 1), 1); /* shorter than a header */
    assert_int_equal(ipc_receive(pair[1], &m, &e), -EBADMSG);
    struct ipc_header lying = {.version = IPC_VERSION, .type = 1, .length = 100};
    assert_int_equal(write(pair[0], &lying, sizeof(lying)), sizeof(lying));
    assert_int_equal(ipc_receive(pair[1], &m, &e), -EBADMSG);
    close(pair[0]);
    assert_int_equal(ipc_receive(pair[1], &m, &e), 0);
    close(pair[1]);
}

/* A copy of this process, then another program. Each stays until its input ends. */
static void test_executed(void **state)
{
    (void)state;
    struct err e = {0};
    for (int executes = 0; executes < 2; executes++) {
        int hold[2], told[2];
        char byte;
        assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
        assert_int_equal(pipe2(told, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
            (void)dup2(hold[0], 0);
            (void)close(hold[1]);
            if (executes)
                (void)execl("/bin/cat", "cat", (char *)NULL);
            _exit(read(0, &byte, 1) == 0 ? 0 : 1);
        }
        close(hold[0]);
        close(told[1]);
        if (executes)
            assert_int_equal(read(told[0], &byte, 1), 0); /* closed by the execution */
        assert_int_equal(proc_has_executed(pid, &e), executes);
        close(told[0]);
        close(hold[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(proc_has_executed(pid, &e), -ESRCH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_neutral_text), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_json_strict),  cmocka_unit_test(test_json_sizes),
        cmocka_unit_test(test_json_members), cmocka_unit_test(test_digest),
        cmocka_unit_test(test_times),        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_executed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
