/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of --format: what Go's text/template itself has made of tests/unit/template (tests/e2e/test_format.py makes Go do it
 * again), and what is Casemate's own: limits, visible control characters, headings, labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/json.h"
#include "cli/template.h"

#define FILE_MAX (1U << 20)

static struct json_object *read_json(const char *path)
{
    struct err e = {0};
    struct json_object *o = NULL;
    _cleanup_buf_ struct buf b = {0};
    if (io_read_path(path, FILE_MAX, &b, &e) < 0 || json_parse(b.data, b.length, &o, &e) < 0)
        fail_msg("%s: %s", path, e.text);
    return o;
}

static struct json_object *parse_json(const char *text)
{
    struct err e = {0};
    struct json_object *o = NULL;
    if (json_parse(text, strlen(text), &o, &e) < 0)
        fail_msg("%s", e.text);
    return o;
}

/* What the template makes of the value, or its error; owned. */
static char *made(const char *text, unsigned flags, struct json_object *value, struct err *e)
{
    _cleanup_template_ struct template *t = NULL;
    struct buf b = {0};
    int r = template_parse(text, flags, &t, e);
    if (r == 0)
        r = template_execute(t, value, &b, e);
    if (r == 0)
        return b.data ? b.data : strdup("");
    buf_clear(&b);
    assert_int_equal(r, -e->code);
    return NULL;
}

static const char *text_of(struct json_object *o, const char *key)
{
    return json_object_get_string(json_object_object_get(o, key));
}

static int check_case(struct json_object *data, struct json_object *one)
{
    struct err e = {0};
    const char *template = text_of(one, "template");
    const char *error = text_of(one, "ours") ?: text_of(one, "error");
    const char *wanted = error ? error : text_of(one, "output");
    _cleanup_free_ char *text = made(template, 0, data, &e);
    const char *got = text ? text : str_after(e.text, "template parsing error: ");
    if (got && !error == (text != NULL) && str_equal(got, wanted))
        return 0;
    print_error("%s\n  wanted %s\n  got    %s\n", template, wanted, got ? got : e.text);
    return 1;
}

static void test_as_go(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *data = read_json(TEMPLATE_CASES "/data.json");
    _cleanup_json_ struct json_object *cases = read_json(TEMPLATE_CASES "/cases.json");
    int wrong = 0;
    assert_true(json_object_array_length(cases) > 100);
    for (size_t i = 0; i < json_object_array_length(cases); i++)
        wrong += check_case(data, json_object_array_get_idx(cases, i));
    assert_int_equal(wrong, 0);
}

static void check_made(const char *template, unsigned flags, struct json_object *value, const char *wanted)
{
    struct err e = {0};
    _cleanup_free_ char *text = made(template, flags, value, &e);
    if (!text)
        fail_msg("%s: %s", template, e.text);
    assert_string_equal(text, wanted);
}

static void check_refused(const char *template, struct json_object *value, const char *says)
{
    struct err e = {0};
    if (made(template, 0, value, &e))
        fail_msg("accepted %.60s", template);
    if (!str_after(e.text, "template parsing error: ") || !strstr(e.text, says))
        fail_msg("%.60s: %s", template, e.text);
}

static void test_hostile_values(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *o = parse_json(
        "{\"A\":\"x\\u001b[31m\\u009b\\u0007y\\r\",\"B\":\"1\\n2\\t3\",\"N\":{\"z\\u001b\":\"\\u001b\"}}");
    check_made("{{.A}}", 0, o, "x?[31m??y?");
    check_made("{{printf \"%s\" .A}}{{.N}}", 0, o, "x?[31m??y?map[z?:?]");
    check_made("{{.B}}", 0, o, "1\n2\t3");
    check_made("{{.B}}{{json .B}}", TEMPLATE_ONE_LINE, o, "1?2?3\"1?2?3\"");
    check_made("{{json .A}}", 0, o, "\"x\\u001b[31m?\\u0007y\\r\"");
    check_made("\x1b[1m{{.B}}", TEMPLATE_ONE_LINE, o, "\x1b[1m1?2?3"); /* the caller's own text */
}

static void test_escapes(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *o = parse_json("{\"A\":\"x\"}");
    check_made("a\\tb\\n{{.A}}\\x", TEMPLATE_ESCAPES, o, "a\tb\nx\\x");
    check_made("a\\tb", 0, o, "a\\tb");
}

static void test_headings(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *o = parse_json("{\"Names\":\"NAMES\",\"Labels\":\"LABELS\"}");
    check_made(
        "{{upper .Names}}\t{{.Label \"com.example.big-team\"}}\t{{json .Labels}}\t{{truncate .Names 2}}",
        TEMPLATE_HEADER, o, "NAMES\tbig team\tLABELS\tNAMES");
}

static void test_labels_and_maps(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_json_ struct json_object *o = parse_json("{\"Names\":\"web\",\"M\":{\"a\":\"1\"},\"Empty\":{}}");
    assert_int_equal(template_set_labels(o, parse_json("{\"tier\":\"db\"}"), &e), 0);
    template_mark_map(json_object_object_get(o, "M"));
    template_mark_map(json_object_object_get(o, "Empty"));
    check_made("{{.Label \"tier\"}}|{{.Label \"none\"}}|{{\"tier\" | .Label}}", 0, o, "db||db");
    check_made("{{.M.a}} {{.M.nothing}} {{index .M \"nothing\"}}|{{if .Empty}}x{{end}}", 0, o,
               "1 <no value> |");
    check_made("{{json .}}", 0, o, "{\"Names\":\"web\",\"M\":{\"a\":\"1\"},\"Empty\":{}}");
    check_refused("{{.Label}}", o, "wrong number of args for Label: want 1 got 0");
    check_refused("{{.Nmaes}}", o, "map has no entry for key \"Nmaes\" (did you mean .Names?)");
}

static char *repeated(const char *text, size_t times, const char *end)
{
    struct err e = {0};
    struct buf b = {0};
    for (size_t i = 0; i < times; i++)
        assert_int_equal(buf_printf(&b, FILE_MAX, &e, "%s", text), 0);
    assert_int_equal(buf_printf(&b, FILE_MAX, &e, "%s", end), 0);
    return b.data;
}

static void test_limits(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *o = parse_json("{\"A\":\"x\"}");
    _cleanup_free_ char *deep = repeated("{{if true}}", TEMPLATE_DEPTH_MAX + 1, "");
    _cleanup_free_ char *nested = repeated("(", 20000, "");
    _cleanup_free_ char *opened = repeated("{{", 1, nested);
    _cleanup_free_ char *chain = repeated("{{if 0}}a{{else if 0}}b", 1, "");
    _cleanup_free_ char *chained = repeated("{{else if 0}}c", TEMPLATE_DEPTH_MAX, "{{end}}");
    _cleanup_free_ char *whole = repeated(chain, 1, chained);
    _cleanup_free_ char *parts = repeated("{{1}}", TEMPLATE_NODES_MAX / 4, "");
    _cleanup_free_ char *large = repeated("a", TEMPLATE_SOURCE_MAX + 1, "");
    check_refused(deep, o, "nested deeper");
    check_refused(opened, o, "nested deeper");
    check_refused(whole, o, "nested deeper");
    check_refused(parts, o, "parts");
    check_refused(large, o, "bytes");
    check_refused("{{range 100000000}}{{end}}", o, "steps");
    check_refused("{{$x := \"0123456789abcdef\"}}{{range 40}}{{$x = print $x $x}}{{end}}", o,
                  "more than 16777216 bytes");
}

static void test_other_words(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *o = parse_json("{}");
    check_refused("{{define \"x\"}}{{end}}", o, "{{define}} is not supported");
    check_refused("{{template \"x\"}}", o, "{{template}} is not supported");
    check_refused("{{block \"x\" .}}{{end}}", o, "{{block}} is not supported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_go),           cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_escapes),         cmocka_unit_test(test_headings),
        cmocka_unit_test(test_labels_and_maps), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_other_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
