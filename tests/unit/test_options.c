/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/cli: options, nearest, human, table, format. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/detach_keys.h"
#include "cli/human.h"
#include "cli/nearest.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/when.h"

struct target {
    bool detach, tty;
    const char *name;
    struct str_list env;
    uint64_t count, size, wait;
    int calls;
};

static int count_call(void *target, const char *value, struct err *e)
{
    if (str_equal(value, "bad"))
        return err_set(e, EINVAL, "it is bad");
    (*(int *)target)++;
    return 0;
}

static const struct option_entry first_table[] = {
    {"detach", 'd', OPTION_BOOL, NULL, "", offsetof(struct target, detach)},
    {"env", 'e', OPTION_LIST, "ENTRY", "", offsetof(struct target, env)},
    {"name", 0, OPTION_STRING, "NAME", "", offsetof(struct target, name)},
    {0},
};
static const struct option_entry second_table[] = {
    {"tty", 't', OPTION_BOOL, NULL, "", offsetof(struct target, tty)},
    {"count", 'n', OPTION_U64, "N", "", offsetof(struct target, count)},
    {"memory", 'm', OPTION_SIZE, "SIZE", "", offsetof(struct target, size)},
    {"time", 0, OPTION_DURATION, "TIME", "", offsetof(struct target, wait)},
    {"call", 'c', OPTION_CUSTOM, "VALUE", "", offsetof(struct target, calls), count_call},
    {"privileged", 0, OPTION_UNSUPPORTED, NULL, ": use --cap-add"},
    {"device", 0, OPTION_UNSUPPORTED, "DEVICE", " yet"},
    {0},
};
static const struct verb stops = {.name = "run",
                                  .flags = VERB_STOPS,
                                  .arguments_min = 1,
                                  .arguments_max = VERB_MANY,
                                  .options = {first_table, second_table}};
static const struct verb mixes = {.name = "rm", .arguments_max = 2, .options = {first_table, second_table}};

#define WORDS(...) ((char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void apply(const struct verb *verb, char **words, struct target *t, struct invocation *in)
{
    struct err e = {0};
    *t = (struct target){0};
    if (options_scan(verb, words, in, &e) < 0 || options_apply(in, t, &e) < 0)
        fail_msg("%s", e.text);
}

static void test_forms(void **state)
{
    (void)state;
    struct target t;
    struct invocation in;
    apply(&stops,
          WORDS("-dt", "-e", "A=1", "-eB=2", "-e=C=3", "--env=D=4", "--env", "E=5", "--name=x", "--name", "y",
                "-n5", "--memory", "1k", "--time=2s", "-c", "v", "image", "-d", "--env", "no"),
          &t, &in);
    assert_true(t.detach && t.tty);
    assert_int_equal(t.env.count, 5);
    assert_string_equal(t.env.items[1], "B=2");
    assert_string_equal(t.env.items[2], "C=3");
    assert_string_equal(t.env.items[4], "E=5");
    assert_string_equal(t.name, "y");
    assert_int_equal(t.count, 5);
    assert_int_equal(t.size, 1024);
    assert_int_equal(t.wait, 2 * CLOCK_SECOND);
    assert_int_equal(t.calls, 1);
    assert_int_equal(in.argument_count, 4);
    assert_string_equal(in.arguments[1], "-d");
    assert_null(in.arguments[4]);
    assert_true(options_given(&in, "name") && !options_given(&in, "x"));
    str_list_clear(&t.env);
    invocation_clear(&in);
}

static void test_switches(void **state)
{
    (void)state;
    struct target t;
    struct invocation in;
    apply(&mixes, WORDS("a", "-d", "--tty=false", "--", "-t"), &t, &in);
    assert_true(t.detach && !t.tty);
    assert_int_equal(in.argument_count, 2);
    assert_string_equal(in.arguments[1], "-t");
    invocation_clear(&in);
    apply(&mixes, WORDS("-d", "-d=false", "-", "--tty=T"), &t, &in);
    assert_true(!t.detach && t.tty);
    assert_string_equal(in.arguments[0], "-");
    invocation_clear(&in);
    apply(&stops, WORDS("--", "-d"), &t, &in);
    assert_string_equal(in.arguments[0], "-d");
    invocation_clear(&in);
    struct err e = {0};
    assert_int_equal(options_scan(&stops, WORDS("--help"), &in, &e), 0);
    assert_true(in.help);
    invocation_clear(&in);
    assert_int_equal(options_scan(&stops, WORDS("x", "--help"), &in, &e), 0);
    assert_false(in.help);
    invocation_clear(&in);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int code;
        const char *text;
    } cases[] = {
        {"--detahc", EINVAL, "unknown flag: --detahc; did you mean --detach?"},
        {"--zzzzzz", EINVAL, "unknown flag: --zzzzzz"},
        {"--detahc=1", EINVAL, "unknown flag: --detahc; did you mean --detach?"},
        {"--=x", EINVAL, "bad flag syntax: --=x"},
        {"---", EINVAL, "bad flag syntax: ---"},
        {"-dz", EINVAL, "unknown shorthand flag: 'z' in -dz"},
        {"--name", EINVAL, "flag needs an argument: --name"},
        {"-de", EINVAL, "flag needs an argument: 'e' in -de"},
        {"--privileged", ENOTSUP, "--privileged is not supported: use --cap-add"},
        {"--device", ENOTSUP, "--device is not supported yet"},
        {"--device=/dev/kvm", ENOTSUP, "--device is not supported yet"},
        {"-d", ERANGE, "'casemate run' requires at least 1 argument"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        struct invocation in;
        assert_int_equal(options_scan(&stops, WORDS((char *)cases[i].word), &in, &e), -cases[i].code);
        assert_string_equal(e.text, cases[i].text);
    }
    struct err e = {0};
    struct invocation in;
    assert_int_equal(options_scan(&mixes, WORDS("a", "b", "c"), &in, &e), -ERANGE);
    assert_string_equal(e.text, "'casemate rm' requires at most 2 arguments");
}

static void test_wrong_values(void **state)
{
    (void)state;
    static const struct {
        const char *word, *text;
    } cases[] = {
        {"-d=maybe", "invalid argument \"maybe\" for \"-d, --detach\" flag: expected true or false"},
        {"-n=-1", "invalid argument \"-1\" for \"-n, --count\" flag: '-1' is not a number"},
        {"--call=bad", "invalid argument \"bad\" for \"-c, --call\" flag: it is bad"},
        {"--time=x",
         "invalid argument \"x\" for \"--time\" flag: 'x' is not a duration (examples: 10, 1m30s, 500ms)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        struct target t = {0};
        _cleanup_invocation_ struct invocation in = {0};
        assert_int_equal(options_scan(&mixes, WORDS((char *)cases[i].word), &in, &e), 0);
        assert_int_equal(options_apply(&in, &t, &e), -EINVAL);
        assert_string_equal(e.text, cases[i].text);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    struct nearest n;
    nearest_start(&n, "imgaes", 6);
    nearest_try(&n, "info");
    nearest_try(&n, "images");
    assert_string_equal(n.best, "images");
    nearest_start(&n, "zz", 2);
    nearest_try(&n, "rm");
    assert_null(n.best);
    nearest_start(&n, "a-word-that-is-much-longer-than-any-known-one", 45);
    nearest_try(&n, "a-word-that-is-much-longer-than-any-known-ones");
    assert_null(n.best);
}

static void test_human(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0B"},       {532, "532B"},          {999, "999B"},         {1000, "1kB"}, {77893421, "77.9MB"},
        {999999, "1MB"}, {1234567890, "1.23GB"}, {UINT64_MAX, "18.4EB"}};
    static const struct {
        int64_t seconds;
        const char *text;
    } spans[] = {{-5, "Less than a second"}, {0, "Less than a second"}, {1, "1 second"},
                 {59, "59 seconds"},         {60, "About a minute"},    {119, "About a minute"},
                 {180, "3 minutes"},         {3599, "59 minutes"},      {3600, "About an hour"},
                 {7200, "2 hours"},          {47 * 3600, "47 hours"},   {48 * 3600, "2 days"},
                 {14 * 86400, "2 weeks"},    {60 * 86400, "2 months"},  {800 * 86400, "2 years"}};
    char text[HUMAN_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        human_size(sizes[i].bytes, text);
        assert_string_equal(text, sizes[i].text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
        human_span(spans[i].seconds * CLOCK_SECOND, text);
        assert_string_equal(text, spans[i].text);
    }
    human_memory(512ULL << 20, text);
    assert_string_equal(text, "512MiB");
    human_age(0, 5, text);
    assert_string_equal(text, "N/A");
    human_age(CLOCK_SECOND, 181 * CLOCK_SECOND, text);
    assert_string_equal(text, "3 minutes ago");
}

static char *printed_table(unsigned width, const char *cell)
{
    static const char *const cells[] = {"ID", "NAME", "123"};
    struct err e = {0};
    _cleanup_table_ struct table t = {.columns = 2};
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        assert_int_equal(table_add(&t, cells[i], &e), 0);
    assert_int_equal(table_add(&t, cell, &e), 0);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_print(&t, width, out);
    fclose(out);
    return text;
}

static void test_table(void **state)
{
    (void)state;
    static const struct {
        unsigned width;
        const char *cell, *text;
    } cases[] = {
        {0, "a-rather-long-name", "ID    NAME\n123   a-rather-long-name\n"},
        {16, "a-rather-long-name", "ID    NAME\n123   a-rather-…\n"},
        {16, "äöüäöüäöüäöü", "ID    NAME\n123   äöüäöüäöü…\n"},
        {2, "a-rather-long-name", "ID    NAME\n123   a-rathe…\n"},
        {0, "x\x1b[31my\n", "ID    NAME\n123   x?[31my?\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = printed_table(cases[i].width, cases[i].cell);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_when(void **state)
{
    (void)state;
    struct err e = {0};
    int64_t now = 1700000000 * CLOCK_SECOND;
    int64_t t = 0;
    assert_int_equal(setenv("TZ", "UTC-2", 1), 0); /* two hours east */
    assert_int_equal(when_parse("1600000000.25", now, &t, &e), 0);
    assert_true(t == 1600000000 * CLOCK_SECOND + CLOCK_SECOND / 4);
    assert_int_equal(when_parse("1m30s", now, &t, &e), 0);
    assert_true(t == now - 90 * CLOCK_SECOND);
    assert_int_equal(when_parse("2023-11-14T22:13:20Z", now, &t, &e), 0);
    assert_true(t == now);
    assert_int_equal(when_parse("2023-11-15T00:13:20", now, &t, &e), 0);
    assert_true(t == now);
    assert_int_equal(when_parse("2023-11-15T00:13", now, &t, &e), 0);
    assert_true(t == now - 20 * CLOCK_SECOND);
    assert_int_equal(when_parse("2023-11-15", now, &t, &e), 0);
    assert_true(t == now - 800 * CLOCK_SECOND);
    static const char *const wrong[] = {
        "", "x", "-5m", "2023-13-01", "2023-11-14T22:13:20ZZ", "1..5", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(when_parse(wrong[i], now, &t, &e), -EINVAL);
    unsetenv("TZ");
}

/* What is passed on of `typed`, fed in pieces of `step` bytes; a '!' at the end when the keys were seen. */
static void check_keys(const char *keys, const char *typed, const char *passed)
{
    for (size_t step = 1; step <= strlen(typed); step++) {
        struct err e = {0};
        struct detach_keys k;
        unsigned char out[256 + DETACH_KEYS_MAX];
        size_t at = 0;
        bool seen = false;
        assert_int_equal(detach_keys_parse(keys, &k, &e), 0);
        for (size_t i = 0; i < strlen(typed) && !seen; i += step) {
            size_t n = strlen(typed) - i < step ? strlen(typed) - i : step;
            size_t length = 0;
            seen = detach_keys_feed(&k, (const unsigned char *)typed + i, n, out + at, &length);
            at += length;
        }
        if (seen)
            out[at++] = '!';
        out[at] = '\0';
        assert_string_equal((char *)out, passed);
    }
}

static void test_detach_keys(void **state)
{
    (void)state;
    check_keys(NULL, "abc\x10\x11", "abc!");
    check_keys(NULL, "\x10x\x10\x10\x11", "\x10x\x10!");
    check_keys("ctrl-a,d",
               "\x01\x01"
               "d",
               "\x01!");
    check_keys("a,a,b", "aaab", "a!");
    check_keys("a,b,a,c", "ababac", "ab!");
    check_keys("", "\x10\x11", "\x10\x11");
    check_keys("ctrl-\\", "x\x1c", "x!");
    static const char *const wrong[] = {"ctrl-", "ctrl-?", "ctrl-aa", ",", "xy", "a,,b", "ctrl-A"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct err e = {0};
        struct detach_keys k;
        assert_int_equal(detach_keys_parse(wrong[i], &k, &e), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),    cmocka_unit_test(test_detach_keys),
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_switches),
        cmocka_unit_test(test_wrong),   cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_nearest), cmocka_unit_test(test_human),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
