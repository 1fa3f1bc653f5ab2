/* SPDX-License-Identifier: Apache-2.0 */
/* Units of volumes (engine/volume.h): names, records, users, and what a start that is killed half-way leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/ids.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/volume_record.h"
#include "store/quota.h"
#include "temp_store.h"

#define ID_A "aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ID_B "bb7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

#define OK(call) assert_int_equal(call, 0)

static int make(const struct store *s, const char *name, struct err *e)
{
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    OK(str_copy(name, &v.name, e));
    v.created = 1700000000000000001;
    return volume_make(s, &v, e);
}

static void test_names(void **state)
{
    struct err e = {0};
    static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "a b", "-x", "\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(make(*state, bad[i], &e), -EINVAL);
        assert_int_equal(volume_open(*state, bad[i], &e), -EINVAL);
    }
    assert_int_equal(volume_open(*state, "data", &e), -ENOENT);
}

static void test_record(void **state)
{
    struct err e = {0};
    struct stat st;
    OK(make(*state, "data", &e));
    assert_int_equal(make(*state, "data", &e), 1);
    _cleanup_close_ int dir = volume_open(*state, "data", &e);
    assert_true(dir >= 0);
    _cleanup_close_ int data = volume_open_data(dir, &e);
    OK(fstat(data, &st));
    assert_int_equal(st.st_uid, IDS_NEUTRAL);
    _cleanup_volume_ struct volume written;
    volume_init(&written);
    written.created = 1700000000000000001;
    OK(str_list_add(&written.labels, "tier=data", &e));
    OK(volume_add_option(&written, "size=1m", &e));
    OK(volume_record_write(dir, &written, &e));
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    OK(volume_read(dir, "data", &v, &e));
    assert_true(v.recorded && !v.anonymous);
    assert_int_equal(v.created, 1700000000000000001);
    assert_string_equal(v.labels.items[0], "tier=data");
    assert_string_equal(v.options.items[0], "size=1m");
    assert_int_equal(v.size, 1 << 20);
    assert_true(v.inodes == VOLUME_UNLIMITED);
}

/* From before there were records, and from a version to come. */
static void test_other_versions(void **state)
{
    struct err e = {0};
    OK(make(*state, "data", &e));
    _cleanup_close_ int dir = volume_open(*state, "data", &e);
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    OK(unlinkat(dir, "volume.json", 0));
    OK(volume_read(dir, "data", &v, &e));
    assert_false(v.recorded);
    assert_true(v.created > 1700000000000000001);
    static const char *const wrong[] = {"", "[]", "{}", "{\"version\":2}", "{\"version\":1,\"size\":\"x\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_volume_ struct volume other;
        volume_init(&other);
        OK(io_replace_file_at(dir, "volume.json", wrong[i], strlen(wrong[i]), 0600, false, &e));
        assert_true(volume_read(dir, "data", &other, &e) < 0);
    }
}

static void test_options(void **state)
{
    (void)state;
    struct err e = {0};
    static const char *const bad[] = {"size",      "size=",    "size=1k", "size=x", "inodes=1",
                                      "inodes=-5", "type=nfs", "o=bind",  "=1"};
    _cleanup_volume_ struct volume v;
    volume_init(&v);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_true(volume_add_option(&v, bad[i], &e) < 0);
    assert_int_equal(v.options.count, 0);
    OK(volume_add_option(&v, "size=2g", &e));
    OK(volume_add_option(&v, "size=3g", &e));
    OK(volume_add_option(&v, "inodes=1000", &e));
    assert_int_equal(v.size, UINT64_C(3) << 30);
    assert_int_equal(v.inodes, 1000);
    assert_int_equal(v.options.count, 2);
}

static void test_users(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    OK(make(s, "data", &e));
    OK(mkdirat(s->containers, ID_A, 0700));
    _cleanup_close_ int dir = volume_open(s, "data", &e);
    OK(volume_add_user(dir, ID_A, &e));
    OK(volume_add_user(dir, ID_A, &e));
    OK(volume_add_user(dir, ID_B, &e)); /* of a container that is gone: it counts for nothing */
    assert_int_equal(volume_remove(s, "data", &e), -EBUSY);
    assert_non_null(strstr(e.text, "aa7816bf8f01"));
    assert_null(strstr(e.text, "bb7816bf8f01"));
    volume_leave(s, "data", ID_B);
    assert_true(volume_open(s, "data", &e) >= 0);
    volume_leave(s, "data", ID_A);
    assert_int_equal(volume_open(s, "data", &e), -ENOENT);
}

/* Who makes a container keeps the volume; the removal waits, and then sees the user. */
static void test_remove_waits_for_a_container_that_is_made(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    OK(make(s, "data", &e));
    _cleanup_close_ int lock = volume_lock(s, "data", LOCK_SH, &e);
    assert_true(lock >= 0);
    _cleanup_close_ int other = volume_open(s, "data", &e);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
    OK(volume_add_user(lock, ID_A, &e));
    OK(mkdirat(s->containers, ID_A, 0700));
    close_fd(&lock);
    assert_int_equal(volume_remove(s, "data", &e), -EBUSY);
}

static int put(int dir, const char *name)
{
    struct err e = {0};
    _cleanup_close_ int data = volume_open_data(dir, &e);
    _cleanup_close_ int fd = openat(data, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : 0;
}

static bool fills(int dir, bool first, bool done, bool *ret_new)
{
    struct err e = {0};
    struct volume_fill f;
    OK(volume_fill_begin(dir, first, &f, &e));
    if (f.lock < 0)
        return false;
    *ret_new = f.brand_new;
    if (done)
        OK(volume_fill_done(f.lock, &e));
    close(f.lock);
    return true;
}

static void test_fill(void **state)
{
    struct err e = {0};
    bool fresh = false;
    OK(make(*state, "data", &e));
    _cleanup_close_ int dir = volume_open(*state, "data", &e);
    assert_true(fills(dir, false, false, &fresh) && fresh); /* killed before the first file */
    OK(put(dir, "half"));
    assert_true(fills(dir, false, false, &fresh) && fresh); /* and in the middle */
    assert_true(fills(dir, false, true, &fresh) && fresh);
    assert_false(fills(dir, true, true, &fresh)); /* it has files now */
    _cleanup_close_ int data = path_open_beneath(dir, "data", O_RDONLY | O_DIRECTORY, 0, &e);
    OK(unlinkat(data, "half", 0));
    assert_false(fills(dir, false, true, &fresh));         /* emptied by its user: it stays so for him */
    assert_true(fills(dir, true, true, &fresh) && !fresh); /* a new container fills it */
}

/* Files that were put into it by hand before its first use are its content. */
static void test_no_fill_of_what_is_not_empty(void **state)
{
    struct err e = {0};
    bool fresh = false;
    OK(make(*state, "data", &e));
    _cleanup_close_ int dir = volume_open(*state, "data", &e);
    OK(put(dir, "mine"));
    assert_false(fills(dir, true, true, &fresh));
}

/* Project ids: given once, given back, and swept when the owner is gone and nobody is making it. */
static bool is_kept(const struct store *s, const char *owner)
{
    (void)s;
    return str_equal(owner, "volume kept");
}

static bool is_claimed(const struct store *s, uint32_t project)
{
    char name[40];
    (void)snprintf(name, sizeof(name), "projects/%u", project);
    return faccessat(s->root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_projects(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    static const char *const owners[] = {"volume kept", "volume gone", "container made"};
    uint32_t project[ARRAY_SIZE(owners)];
    int lock[ARRAY_SIZE(owners)];
    for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
        OK(quota_claim(s, owners[i], &project[i], &lock[i], &e));
        assert_in_range(project[i], QUOTA_PROJECT_FIRST, QUOTA_PROJECT_FIRST + QUOTA_PROJECT_COUNT - 1);
        assert_true(i == 0 || project[i] != project[i - 1]);
    }
    quota_sweep(s, is_kept);
    assert_true(is_claimed(s, project[0]) && is_claimed(s, project[1]) && is_claimed(s, project[2]));
    close(lock[0]);
    close(lock[1]);
    quota_sweep(s, is_kept);
    assert_true(is_claimed(s, project[0]) && !is_claimed(s, project[1]) && is_claimed(s, project[2]));
    quota_release(s, project[2]);
    close(lock[2]);
    assert_false(is_claimed(s, project[2]));
    quota_release(s, 0);
    uint32_t next = 0;
    OK(quota_claim(s, "volume x", &next, &lock[0], &e)); /* in turn: not one that was used just now */
    assert_int_equal(next, project[2] + 1);
    close(lock[0]);
}

static int count_one(const struct volume *v, int dir, void *context, struct err *e)
{
    (void)dir;
    return str_list_add(context, v->name, e);
}

static void test_list(void **state)
{
    struct err e = {0};
    _cleanup_str_list_ struct str_list names = {0};
    OK(make(*state, "zebra", &e));
    OK(make(*state, "ant", &e));
    OK(volume_for_each(*state, count_one, &names, &e));
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "ant");
    assert_string_equal(names.items[1], "zebra");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_record, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_other_versions, temp_store_open, temp_store_close),
        cmocka_unit_test(test_options),
        cmocka_unit_test_setup_teardown(test_users, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_remove_waits_for_a_container_that_is_made, temp_store_open,
                                        temp_store_close),
        cmocka_unit_test_setup_teardown(test_fill, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_no_fill_of_what_is_not_empty, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_projects, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_list, temp_store_open, temp_store_close),
    };
    if (geteuid() != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
