/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below a hostile directory (src/base/path.c). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

static char top[64];

static int setup(void **state)
{
    (void)state;
    memcpy(top, "/tmp/casemate-path-XXXXXX", 26);
    return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    struct err e = {0};
    return path_remove_tree_at(AT_FDCWD, top, &e);
}

static void test_links_stay_inside(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_close_ int root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    assert_int_equal(symlinkat("/etc", root, "abs"), 0);
    assert_int_equal(symlinkat("../../../../etc", root, "rel"), 0);
    _cleanup_close_ int a = path_open_in_root(root, "/abs/hostname", O_RDONLY, 0, &e);
    assert_int_equal(a, -ENOENT);
    _cleanup_close_ int d = path_make_dirs_in_root(root, "/etc/x/../y", 0755, (uid_t)-1, (gid_t)-1, &e);
    assert_true(d < 0); /* ".." behind something that does not exist is refused */
    _cleanup_close_ int made = path_make_dirs_in_root(root, "/etc/sub//dir/", 0755, (uid_t)-1, (gid_t)-1, &e);
    assert_true(made >= 0);
    _cleanup_close_ int via = path_open_in_root(root, "/rel/sub/dir", O_PATH | O_DIRECTORY, 0, &e);
    assert_true(via >= 0);
    struct stat x, y;
    assert_int_equal(fstat(made, &x), 0);
    assert_int_equal(fstat(via, &y), 0);
    assert_true(x.st_ino == y.st_ino);
    _cleanup_close_ int file = path_make_file_in_root(root, "/abs/newdir/file", (uid_t)-1, (gid_t)-1, &e);
    assert_true(file >= 0);
    assert_int_equal(access("/etc/newdir", F_OK), -1);
    _cleanup_close_ int beneath = path_open_beneath(root, "abs/sub", O_PATH, 0, &e);
    assert_int_equal(beneath, -ELOOP);
}

static void test_remove_deep_tree(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_close_ int root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int at = path_make_dir_at(root, "deep", 0700, &e);
    for (int i = 0; i < 3000; i++) {
        int next = path_make_dir_at(at, i % 2 ? "a-directory" : "b", 0700, &e);
        assert_true(next >= 0);
        assert_int_equal(io_replace_file_at(at, "file", "x", 1, 0600, false, &e), 0);
        assert_int_equal(symlinkat("/etc", at, "link"), 0);
        close(at);
        at = next;
    }
    close(at);
    assert_int_equal(path_remove_tree_at(root, "deep", &e), 0);
    assert_int_equal(faccessat(root, "deep", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(path_remove_tree_at(root, "deep", &e), 0);
    assert_int_equal(access("/etc/hostname", F_OK) == 0 || access("/etc/passwd", F_OK) == 0, 1);
}

static void test_components(void **state)
{
    (void)state;
    struct err e = {0};
    assert_true(path_is_component("a"));
    assert_false(path_is_component(""));
    assert_false(path_is_component(".."));
    assert_false(path_is_component("a/b"));
    assert_int_equal(path_check_absolute("/a/b", &e), 0);
    assert_int_equal(path_check_absolute("a", &e), -EINVAL);
    assert_int_equal(path_check_absolute("/a\n", &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_stay_inside),
        cmocka_unit_test(test_remove_deep_tree),
        cmocka_unit_test(test_components),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
