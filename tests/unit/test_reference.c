/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/image/reference.c and platform.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "image/platform.h"
#include "image/reference.h"

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *full, *familiar;
    } cases[] = {
        {"busybox", "docker.io/library/busybox:latest", "busybox:latest"},
        {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"},
        {"docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"},
        {"index.docker.io/library/busybox:a", "docker.io/library/busybox:a", "busybox:a"},
        {"user/app", "docker.io/user/app:latest", "user/app:latest"},
        {"casemate/hello", "docker.io/casemate/hello:latest", "casemate/hello:latest"},
        {"localhost/app", "localhost/app:latest", "localhost/app:latest"},
        {"localhost:5000/a/b:T_1.x-y", "localhost:5000/a/b:T_1.x-y", "localhost:5000/a/b:T_1.x-y"},
        {"127.0.0.1:5000/app", "127.0.0.1:5000/app:latest", "127.0.0.1:5000/app:latest"},
        {"[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"},
        {"Registry.Example.org/app", "registry.example.org/app:latest", "registry.example.org/app:latest"},
        {"a__b/c-d.e/f---g", "docker.io/a__b/c-d.e/f---g:latest", "a__b/c-d.e/f---g:latest"},
        {"app@sha256:" HEX, "docker.io/library/app@sha256:" HEX, "app@sha256:" HEX},
        {"app:1@sha256:" HEX, "docker.io/library/app:1@sha256:" HEX, "app:1@sha256:" HEX},
        {"example.org/app:5000", "example.org/app:5000", "example.org/app:5000"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        struct reference r, again;
        char text[REFERENCE_TEXT_MAX + 1];
        if (reference_parse(cases[i].text, &r, &e) < 0)
            fail_msg("%s: %s", cases[i].text, e.text);
        reference_format(&r, text);
        assert_string_equal(text, cases[i].full);
        assert_int_equal(reference_parse(text, &again, &e), 0);
        assert_string_equal(again.host, r.host);
        assert_string_equal(again.path, r.path);
        reference_format_familiar(&r, text);
        assert_string_equal(text, cases[i].familiar);
        assert_int_equal(reference_parse(text, &again, &e), 0);
        assert_string_equal(again.path, r.path);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "user/App",
        "a:",
        "a:b:c",
        "a@",
        "a@sha256:12",
        "a@sha512:" HEX,
        "a:-x",
        "a:.x",
        "a b",
        "a\n",
        "a\x1b",
        "../a",
        "a/../b",
        ".a",
        "a.",
        "-a",
        "a-",
        "a_",
        "_a",
        "a___b",
        "a..b",
        "a._b",
        "http://x/y",
        "https://x.org/y",
        "localhost:/a",
        "localhost:0/a",
        "localhost:65536/a",
        "x.org:port/a",
        "-x.org/a",
        "x..org/a",
        "[::1/a",
        "[]/a",
        "[::1]x/a",
        "a:\xc3\xa9",
        "\xc3\xa9",
        "localhost:5000/a@sha256:" HEX "0",
        HEX,
        "example.org/",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        struct reference r;
        if (reference_parse(bad[i], &r, &e) == 0)
            fail_msg("accepted '%s'", bad[i]);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    struct err e = {0};
    struct reference r;
    char text[400];
    memset(text, 'a', sizeof(text));
    text[REFERENCE_NAME_MAX - strlen("docker.io/library/")] = '\0';
    assert_int_equal(reference_parse(text, &r, &e), 0);
    text[strlen(text)] = 'a';
    text[REFERENCE_NAME_MAX - strlen("docker.io/library/") + 1] = '\0';
    assert_int_equal(reference_parse(text, &r, &e), -EINVAL);
    text[0] = 'a';
    text[1] = ':';
    memset(text + 2, 't', 200);
    text[2 + REFERENCE_TAG_MAX] = '\0';
    assert_int_equal(reference_parse(text, &r, &e), 0);
    text[2 + REFERENCE_TAG_MAX] = 't';
    text[3 + REFERENCE_TAG_MAX] = '\0';
    assert_int_equal(reference_parse(text, &r, &e), -EINVAL);
}

static void test_hosts(void **state)
{
    (void)state;
    static const char *const loopback[] = {"localhost",    "localhost:5000", "127.0.0.1",
                                           "127.1.2.3:80", "[::1]",          "[::1]:5000"};
    static const char *const other[] = {"localhost.example.org", "127.example.org", "127.0.0.1.example.org",
                                        "example.org",           "[::2]",           "1.127.0.0"};
    struct err e = {0};
    char host[REFERENCE_NAME_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
        assert_true(reference_host_is_loopback(loopback[i]));
    for (size_t i = 0; i < ARRAY_SIZE(other); i++)
        assert_false(reference_host_is_loopback(other[i]));
    assert_int_equal(reference_parse_host(NULL, host, &e), 0);
    assert_string_equal(host, "docker.io");
    assert_int_equal(reference_parse_host("LOCALHOST:5000", host, &e), 0);
    assert_string_equal(host, "localhost:5000");
    assert_int_equal(reference_parse_host("x.org/path", host, &e), -EINVAL);
    assert_string_equal(reference_api_host("localhost:5000"), "localhost:5000");
    assert_string_not_equal(reference_api_host("docker.io"), "docker.io");
}

static void test_platforms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *full;
    } good[] = {
        {"amd64", "linux/amd64"},   {"linux/x86_64", "linux/amd64"},  {"linux/arm64/v8", "linux/arm64/v8"},
        {"aarch64", "linux/arm64"}, {"linux/arm/v7", "linux/arm/v7"}, {"armhf", "linux/arm/v7"}};
    static const char *const bad[] = {
        "", "windows/amd64", "linux/", "a/b/c/d", "linux/AMD64", "linux/amd64\n", "linux//v8"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct err e = {0};
        struct platform p;
        char text[PLATFORM_TEXT_MAX + 1];
        assert_int_equal(platform_parse(good[i].text, &p, &e), 0);
        platform_format(&p, text);
        assert_string_equal(text, good[i].full);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        struct platform p;
        assert_true(platform_parse(bad[i], &p, &e) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),   cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_hosts),    cmocka_unit_test(test_platforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
