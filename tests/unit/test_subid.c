/* SPDX-License-Identifier: Apache-2.0 */
/* Subordinate ids: the files that give them, and the map that is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/identity.h"
#include "base/ids.h"
#include "store/subid.h"

static void check(const char *text, uint32_t first, uint32_t count)
{
    struct subid_range range = subid_find(text, "alice", 1000);
    assert_int_equal(range.first, first);
    assert_int_equal(range.count, count);
}

static void test_find(void **state)
{
    (void)state;
    check("", 0, 0);
    check("bob:100000:65536\n", 0, 0);
    check("alice:100000:65536", 100000, 65536);
    check("alice:100000:65536\n", 100000, 65536);
    check("bob:100000:65536\nalice:165536:65536\n", 165536, 65536);
    check("1000:200000:65536\n", 200000, 65536);
    check("alice:1:10\nalice:300000:70000\nalice:5:20\n", 300000, 70000);
}

static void test_malformed(void **state)
{
    char longest[2000];
    (void)state;
    check("alice\nalice:1\nalice:1:\nalice::5\nalice:-1:5\nalice: 1:5\nalice:1:5:6\n\n:::\n", 0, 0);
    check("alice:0:65536\n", 0, 0); /* would give root's own id away */
    check("alice:4294967295:2\n", 0, 0);
    check("alice:4294900000:65536\n", 4294900000, 65536);
    check("alice:99999999999:1\n", 0, 0);
    check("alicelonger:1:5\nalic:1:5\n10000:1:5\n", 0, 0);
    memset(longest, '1', sizeof(longest));
    memcpy(longest, "alice:1", 7);
    longest[sizeof(longest) - 1] = '\0';
    check(longest, 0, 0);
}

/* Every id is given away once, within what there is; the numbers inside are those of ids.h. */
static void check_map(uint32_t count)
{
    struct id_map m[IDENTITY_ENGINE_MAPS];
    uint32_t used = 0;
    identity_engine_map(1000, 100000, count, m);
    assert_int_equal(m[0].inside, 0);
    assert_int_equal(m[0].outside, 1000);
    assert_int_equal(m[0].count, 1);
    for (size_t i = 1; i < IDENTITY_ENGINE_MAPS; i++) {
        assert_int_equal(m[i].outside, 100000 + used);
        assert_true(m[i].count > 0);
        assert_true(m[i].inside >= m[i - 1].inside + m[i - 1].count);
        used += m[i].count;
    }
    assert_true(used <= count);
    assert_int_equal(m[1].inside, IDS_NEUTRAL);
    assert_true(m[1].count <= IDS_OVERFLOW);
    assert_int_equal(m[2].inside, IDS_NEUTRAL + IDS_OVERFLOW);
    assert_int_equal(m[3].inside, identity_shim(1));
    assert_true(m[3].inside + m[3].count <= IDS_WORKER_FETCH);
    assert_int_equal(m[4].inside, IDS_WORKER_FETCH);
    assert_int_equal(m[4].inside + m[4].count - 1, IDS_WORKER_SECCOMP);
}

static void test_engine_map(void **state)
{
    static const uint32_t counts[] = {
        IDENTITY_RANGE_MIN, 65536, 65537, 66000, 100000, 131072, 1000000, 1U << 30};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        check_map(counts[i]);
}

/* The block of a container, with and without an owner in it. Here nothing is mapped: the whole block is there. */
static void test_block_map(void **state)
{
    struct id_map m[IDENTITY_BLOCK_MAPS];
    (void)state;
    assert_int_equal(identity_block_map(5000, m), 1);
    assert_int_equal(m[0].count, IDS_BLOCK_SIZE);
    assert_int_equal(identity_block_map_with(5000, 1000, m), 3);
    assert_int_equal(m[0].count, 1000);
    assert_int_equal(m[1].inside, 1000);
    assert_int_equal(m[1].outside, 0);
    assert_int_equal(m[2].inside, 1001);
    assert_int_equal(m[2].outside, 6001);
    assert_int_equal(m[2].count, IDS_BLOCK_SIZE - 1001);
    assert_int_equal(identity_block_map_with(5000, IDS_BLOCK_SIZE - 1, m), 2);
    assert_int_equal(identity_block_map_with(5000, IDS_BLOCK_SIZE, m), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_engine_map),
        cmocka_unit_test(test_block_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
