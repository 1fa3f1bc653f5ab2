/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/hello/parse.c: mount lines, cgroup limits, id maps, status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "hello/parse.h"

static bool shows_host(const char *text)
{
    char line[512];
    struct mount_line mount;
    (void)snprintf(line, sizeof(line), "%s", text);
    assert_true(parse_mount_line(line, &mount));
    return parse_mount_shows_host(&mount);
}

static void test_mount_lines(void **state)
{
    (void)state;
    char line[] =
        "36 35 98:0 /a\\040b /mnt\\0112 rw,noatime master:1 shared:2 - ext4 /dev/root rw,errors=continue\n";
    struct mount_line mount;
    assert_true(parse_mount_line(line, &mount));
    assert_string_equal(mount.root, "/a b");
    assert_string_equal(mount.point, "/mnt\t2");
    assert_string_equal(mount.options, "rw,noatime");
    assert_string_equal(mount.type, "ext4");
    assert_string_equal(mount.source, "/dev/root");
    assert_string_equal(mount.super_options, "rw,errors=continue");
    static const char *const bad[] = {"", "36", "36 35 98:0 / /mnt rw", "36 35 98:0 / /mnt rw shared:1",
                                      "36 35 98:0 / /mnt rw - ext4 none"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "%s", bad[i]);
        assert_false(parse_mount_line(text, &mount));
    }
}

static void test_mounts_that_show_the_host(void **state)
{
    (void)state;
    assert_true(shows_host("1 2 0:3 / / rw - overlay overlay rw,lowerdir=/var/lib/x/l:/y,upperdir=/z"));
    assert_true(shows_host("1 2 0:3 /var/lib/x/hosts /etc/hosts rw - xfs none rw"));
    assert_true(shows_host("1 2 0:3 / /data rw - ext4 /dev/sda1 rw"));
    assert_false(shows_host("1 2 0:3 / / rw - overlay overlay rw,lowerdir=l1:l2,upperdir=u,userxattr"));
    assert_false(shows_host("1 2 0:3 /sys /proc/sys ro - proc proc rw"));
    assert_false(shows_host("1 2 0:3 /null /dev/null rw - devtmpfs devtmpfs rw"));
    assert_false(shows_host("1 2 0:3 / /tmp rw - tmpfs tmpfs rw"));
}

static void test_options(void **state)
{
    (void)state;
    assert_true(parse_has_option("rw,nosuid,nodev", "nosuid"));
    assert_true(parse_has_option("nosuid", "nosuid"));
    assert_true(parse_has_option("rw,nosuid", "nosuid"));
    assert_false(parse_has_option("rw,nosuidx", "nosuid"));
    assert_false(parse_has_option("xnosuid,rw", "nosuid"));
    assert_false(parse_has_option("", "ro"));
}

static void test_limits(void **state)
{
    (void)state;
    long long n = 77;
    assert_true(parse_limit("512\n", &n));
    assert_int_equal(n, 512);
    assert_true(parse_limit("0", &n));
    assert_int_equal(n, 0);
    n = 77;
    assert_false(parse_limit("max\n", &n));
    assert_false(parse_limit("-1\n", &n));
    assert_false(parse_limit("9223372036854771712\n", &n));
    assert_false(parse_limit("99999999999999999999\n", &n));
    assert_false(parse_limit("12x", &n));
    assert_false(parse_limit("", &n));
    assert_int_equal(n, 77);
    assert_true(parse_cpu_max("180000 100000\n", &n));
    assert_int_equal(n, 1800);
    assert_false(parse_cpu_max("max 100000\n", &n));
    assert_false(parse_cpu_max("100000 0\n", &n));
}

static void test_id_maps(void **state)
{
    (void)state;
    long long id = 77;
    assert_true(parse_id_map_root("         0 1879113728      65536\n", &id));
    assert_int_equal(id, 1879113728);
    assert_true(parse_id_map_root("1 5 1\n0 9 1\n", &id));
    assert_int_equal(id, 9);
    assert_false(parse_id_map_root("1 100000 65536\n", &id));
    assert_false(parse_id_map_root("", &id));
    assert_int_equal(id, 9);
}

static void test_cgroup_paths(void **state)
{
    (void)state;
    static const char text[] = "12:pids:/a/b\n11:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/unified/x";
    char path[16];
    assert_true(parse_cgroup_path(text, "pids", path, sizeof(path)));
    assert_string_equal(path, "/a/b");
    assert_true(parse_cgroup_path(text, "cpuacct", path, sizeof(path)));
    assert_string_equal(path, "/c");
    assert_true(parse_cgroup_path(text, "", path, sizeof(path)));
    assert_string_equal(path, "/unified/x");
    assert_false(parse_cgroup_path(text, "memory", path, sizeof(path)));
    assert_false(parse_cgroup_path("0::/longer than there is room", "", path, sizeof(path)));
    assert_false(parse_cgroup_path("nonsense", "", path, sizeof(path)));
}

static void test_status(void **state)
{
    (void)state;
    static const char text[] = "Name:\tx\nNoNewPrivs:\t1\nCapEff:\t00000000a80425fb\n";
    const char *value = parse_status_value(text, "NoNewPrivs");
    assert_non_null(value);
    assert_int_equal(*value, '1');
    assert_int_equal(parse_count_bits(parse_status_value(text, "CapEff")), 14);
    assert_null(parse_status_value(text, "Cap"));
    assert_null(parse_status_value("", "Name"));
    assert_int_equal(parse_count_bits("0000000000000000"), 0);
    assert_int_equal(parse_count_bits("000001ffffffffff"), 41);
    assert_int_equal(parse_count_bits("none"), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mount_lines), cmocka_unit_test(test_mounts_that_show_the_host),
        cmocka_unit_test(test_options),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_id_maps),     cmocka_unit_test(test_cgroup_paths),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
