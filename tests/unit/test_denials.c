/* SPDX-License-Identifier: Apache-2.0 */
/* The record of what a container was refused: its form (engine/denials.h) and what is advised (engine/denial_advice.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/callname.h"
#include "engine/denial_advice.h"

#define OK(call) assert_int_equal(call, 0)
#define BAD(call) assert_true((call) < 0)

/* A record with its head and these lines, each filled up with blanks. */
static size_t make_record(char *text, const char *const *lines, size_t count)
{
    memset(text, ' ', (count + 1) * SHIM_DENIAL_LINE);
    memcpy(text, SHIM_DENIALS_HEAD, strlen(SHIM_DENIALS_HEAD));
    for (size_t i = 0; i <= count; i++) {
        if (i > 0)
            memcpy(text + i * SHIM_DENIAL_LINE, lines[i - 1], strlen(lines[i - 1]));
        text[(i + 1) * SHIM_DENIAL_LINE - 1] = '\n';
    }
    return (count + 1) * SHIM_DENIAL_LINE;
}

static int parse_line(const char *line, struct denials *ret)
{
    char text[2 * SHIM_DENIAL_LINE];
    struct err e = {0};
    return denials_parse(text, make_record(text, &line, 1), ret, &e);
}

static void test_parses_what_a_shim_writes(void **state)
{
    (void)state;
    char text[SHIM_DENIALS_MAX * SHIM_DENIAL_LINE];
    const char *const lines[] = {"call 106 3 6e67696e78", "others 0 18446744073709551615 -", "pids 0 0 -"};
    struct denials d;
    struct err e = {0};
    OK(denials_parse(text, make_record(text, lines, 3), &d, &e));
    assert_int_equal(d.count, 3);
    assert_int_equal(d.items[0].kind, DENIAL_CALL);
    assert_int_equal(d.items[0].number, 106);
    assert_int_equal(d.items[0].count, 3);
    assert_string_equal(d.items[0].process, "nginx");
    assert_int_equal(d.items[1].kind, DENIAL_OTHERS);
    assert_true(d.items[1].count == UINT64_MAX);
    assert_string_equal(d.items[1].process, "");
    assert_int_equal(d.items[2].kind, DENIAL_PIDS);
    OK(denials_parse(text, make_record(text, lines, 0), &d, &e));
    assert_int_equal(d.count, 0);
}

static void test_refuses_what_no_shim_writes(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "call",
        "call 1 1",
        "call 1 1 - -",
        "call  1 1 -",
        "call -1 1 -",
        "call 2147483648 1 -",
        "call 1 18446744073709551616 -",
        "call 1 1 6e6",
        "call 1 1 6E",
        "call 1 1 zz",
        "call 1 1 0000000000000000000000000000000000",
        "calls 1 1 -",
        " call 1 1 -",
    };
    struct denials d = {.count = 77};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        BAD(parse_line(lines[i], &d));
    assert_int_equal(d.count, 77); /* set on success only */
}

static void test_refuses_other_shapes(void **state)
{
    (void)state;
    char text[(SHIM_DENIALS_MAX + 1) * SHIM_DENIAL_LINE];
    const char *lines[SHIM_DENIALS_MAX];
    struct denials d;
    struct err e = {0};
    for (size_t i = 0; i < SHIM_DENIALS_MAX; i++)
        lines[i] = "call 1 1 -";
    size_t n = make_record(text, lines, SHIM_DENIALS_MAX - 1);
    OK(denials_parse(text, n, &d, &e));
    assert_int_equal(d.count, SHIM_DENIALS_MAX - 1);
    BAD(denials_parse(text, n - 1, &d, &e));
    BAD(denials_parse(text, 0, &d, &e));
    BAD(denials_parse(text + 1, SHIM_DENIAL_LINE, &d, &e));
    BAD(denials_parse(text, make_record(text, lines, SHIM_DENIALS_MAX), &d, &e));
    n = make_record(text, lines, 1);
    text[n - 1] = ' ';
    BAD(denials_parse(text, n, &d, &e));
    n = make_record(text, lines, 1);
    text[SHIM_DENIAL_LINE + 4] = '\0';
    BAD(denials_parse(text, n, &d, &e));
    n = make_record(text, lines, 1);
    text[strlen(SHIM_DENIALS_HEAD) - 1] = '2'; /* a later version */
    BAD(denials_parse(text, n, &d, &e));
}

static void test_a_name_does_nothing_to_a_terminal(void **state)
{
    (void)state;
    struct denials d;
    OK(parse_line("call 1 1 1b5b324a9b41", &d));
    assert_string_equal(d.items[0].process, "?[2J?A");
    OK(parse_line("call 1 1 00", &d));
    assert_string_equal(d.items[0].process, "?");
}

static void test_names_of_calls(void **state)
{
    (void)state;
    char text[DENIAL_TEXT];
    assert_string_equal(call_name(SYS_setgid), "setgid");
    assert_string_equal(call_name(SYS_openat2), "openat2");
    assert_null(call_name(-1));
    assert_null(call_name(100000));
    assert_string_equal(denial_text(&(struct denial){.kind = DENIAL_CALL, .number = 99999}, text),
                        "system call 99999");
    assert_string_equal(denial_text(&(struct denial){.kind = DENIAL_PIDS}, text), "new processes");
}

static struct denial refused(long number, const char *process)
{
    struct denial d = {.kind = DENIAL_CALL, .number = (int)number, .count = 1};
    (void)snprintf(d.process, sizeof(d.process), "%s", process);
    return d;
}

static void test_advice_for_a_switch_of_user(void **state)
{
    (void)state;
    static struct container c;
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    char text[160];
    c.denials = (struct denials){.count = 3};
    c.denials.items[0] = refused(SYS_mount, "mount");
    c.denials.items[1] = refused(SYS_setgroups, "nginx");
    c.denials.items[2] = refused(SYS_setgid, "nginx");
    assert_int_equal(denial_advise(&c, advice), 2);
    assert_int_equal(advice[0].practice, 6);
    assert_string_equal(advice[0].what, "setgroups, setgid were refused (process nginx, 2 times)");
    assert_string_equal(advice[0].remedy, "--cap-add @switch-user or --user N would allow it");
    assert_string_equal(advice[0].capability, "@switch-user");
    assert_int_equal(advice[1].practice, 7);
    assert_string_equal(advice[1].what, "mount was refused (process mount, 1 time)");
    assert_non_null(strstr(advice[1].remedy, "allow-capability = CAP_SYS_ADMIN"));
    assert_string_equal(advice[1].capability, "");
    denial_summary(&c, text, sizeof(text));
    assert_string_equal(text, "setgroups, setgid … refused");
}

static void test_advice_for_others(void **state)
{
    (void)state;
    static struct container c;
    struct denial_advice advice[DENIAL_ADVICE_MAX];
    char user[] = "1000:1000";
    char text[160];
    c.denials = (struct denials){.count = 0};
    assert_int_equal(denial_advise(&c, advice), 0);
    denial_summary(&c, text, sizeof(text));
    assert_string_equal(text, "");
    c.plan.user = user;
    c.plan.pids = 64;
    c.oom_killed = true;
    c.denials = (struct denials){.count = 3};
    c.denials.items[0] = refused(SYS_fchownat, "tar");
    c.denials.items[1] = refused(SYS_io_uring_setup, "");
    c.denials.items[2] = (struct denial){.kind = DENIAL_PIDS};
    assert_int_equal(denial_advise(&c, advice), 4);
    assert_int_equal(advice[0].practice, 4);
    assert_non_null(strstr(advice[0].remedy, "--memory"));
    assert_string_equal(advice[1].remedy, "--user 0 --cap-add CHOWN would allow it");
    assert_string_equal(advice[1].capability, ""); /* a user other than root gets none */
    assert_string_equal(advice[2].remedy, "the limit is 64: --pids-limit N sets another");
    assert_string_equal(advice[3].what, "io_uring_setup was refused (1 time)");
    assert_string_equal(advice[3].remedy, "no flag allows it");
    c.plan.user = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses_what_a_shim_writes),
        cmocka_unit_test(test_refuses_what_no_shim_writes),
        cmocka_unit_test(test_refuses_other_shapes),
        cmocka_unit_test(test_a_name_does_nothing_to_a_terminal),
        cmocka_unit_test(test_names_of_calls),
        cmocka_unit_test(test_advice_for_a_switch_of_user),
        cmocka_unit_test(test_advice_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
