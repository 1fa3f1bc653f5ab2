/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of the words of cp: which name a container, clean paths, and where a copy goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/copy_path.h"

#include "base/cleanup.h"

static void check_split(const char *word, const char *container, const char *path)
{
    struct err e = {0};
    const char *rest;
    _cleanup_free_ char *name = NULL;
    assert_int_equal(copy_path_split(word, &name, &rest, &e), 0);
    assert_string_equal(rest, path);
    if (container)
        assert_string_equal(name, container);
    else
        assert_null(name);
}

static void test_words(void **state)
{
    (void)state;
    check_split("web:/etc", "web", "/etc");
    check_split("web:etc:x", "web", "etc:x");
    check_split("web:", "web", "");
    check_split("/a:b", NULL, "/a:b");
    check_split("./a:b", NULL, "./a:b");
    check_split(":x", NULL, ":x");
    check_split("plain", NULL, "plain");
}

static void check_clean(const char *path, bool root, const char *expected)
{
    struct err e = {0};
    char text[MESSAGE_PATH_MAX];
    assert_int_equal(copy_path_clean(path, root, text, &e), 0);
    assert_string_equal(text, expected);
}

static void test_clean(void **state)
{
    (void)state;
    check_clean("", true, "/");
    check_clean(".", true, "/.");
    check_clean("a//b/./c", true, "/a/b/c");
    check_clean("../../etc/", true, "/etc/");
    check_clean("/a/b/..", true, "/a");
    check_clean("/a/.", true, "/a/.");
    check_clean("/", true, "/");
    check_clean("a/..", false, ".");
    check_clean("../x/../y", false, "../y");
    check_clean("../../", false, "../../");
    check_clean("./", false, ".");
    check_clean("x/", false, "x/");
}

static void test_parts(void **state)
{
    static const struct {
        const char *path, *parent, *base;
    } cases[] = {{"/a/b", "/a", "b"}, {"/a", "/", "a"},   {"/", "/", ""},  {"/a/.", "/a", "."},
                 {"a", ".", "a"},     {"a/b/", "a", "b"}, {".", ".", "."}, {"../y", "..", "y"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[MESSAGE_PATH_MAX];
        copy_path_parent(cases[i].path, text);
        assert_string_equal(text, cases[i].parent);
        copy_path_base(cases[i].path, text);
        assert_string_equal(text, cases[i].base);
    }
}

static void test_links(void **state)
{
    struct err e = {0};
    char text[MESSAGE_PATH_MAX];
    (void)state;
    assert_int_equal(copy_path_follow("/a/l", "../../../b", true, text, &e), 0);
    assert_string_equal(text, "/b");
    assert_int_equal(copy_path_follow("/a/l", "/c/", true, text, &e), 0);
    assert_string_equal(text, "/c/");
    assert_int_equal(copy_path_follow("d/l", "x", false, text, &e), 0);
    assert_string_equal(text, "d/x");
}

enum { ABSENT, FILE_THERE, DIR_THERE };

static void check_decision(const char *from, bool from_dir, const char *to, int there, const char *directory,
                           const char *name)
{
    struct err e = {0};
    char got_directory[MESSAGE_PATH_MAX];
    char got_name[MESSAGE_PATH_MAX];
    static struct copy_end source, destination;
    (void)strncpy(source.path, from, sizeof(source.path) - 1);
    source.exists = true;
    source.is_dir = from_dir;
    (void)strncpy(destination.path, to, sizeof(destination.path) - 1);
    destination.exists = there != ABSENT;
    destination.is_dir = there == DIR_THERE;
    int r = copy_path_decide(&source, &destination, got_directory, got_name, &e);
    if (!directory) {
        assert_true(r < 0);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(got_directory, directory);
    assert_string_equal(got_name, name);
}

/* Every line of docker-cp(1). */
static void test_decisions(void **state)
{
    (void)state;
    check_decision("/s/f", false, "/d/new", ABSENT, "/d", "new");
    check_decision("/s/f", false, "/d/new/", ABSENT, NULL, NULL);
    check_decision("/s/f", false, "/d/old", FILE_THERE, "/d", "old");
    check_decision("/s/f", false, "/d/old/", FILE_THERE, NULL, NULL);
    check_decision("/s/f", false, "/d", DIR_THERE, "/d", "f");
    check_decision("/s/d", true, "/d/new", ABSENT, "/d", "new");
    check_decision("/s/d", true, "/d/new/", ABSENT, "/d", "new");
    check_decision("/s/d/.", true, "/d/new", ABSENT, "/d", "new");
    check_decision("/s/d/.", true, "/d/new/.", ABSENT, "/d", "new");
    check_decision("/s/d", true, "/d/old", FILE_THERE, NULL, NULL);
    check_decision("/s/d", true, "/d", DIR_THERE, "/d", "d");
    check_decision("/s/d/.", true, "/d", DIR_THERE, "/d", "");
    check_decision("/s/d/", true, "/d/", DIR_THERE, "/d/", "d");
    check_decision("f", false, "new", ABSENT, ".", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_clean),     cmocka_unit_test(test_parts),
        cmocka_unit_test(test_links), cmocka_unit_test(test_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
