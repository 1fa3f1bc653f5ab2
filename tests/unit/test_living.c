/* SPDX-License-Identifier: Apache-2.0 */
/* Units of what keeps containers alive: live.json, restart policies, the records of health checks, the tender's lock. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/health.h"
#include "engine/live.h"
#include "engine/restarting.h"
#include "engine/tend_lock.h"
#include "temp_store.h"

#define OK(call) assert_int_equal(call, 0)
#define MS 1000000LL

/* A container that ran for so long and ended so. */
static struct container ended(enum restart_kind kind, int exit_code, int64_t ran)
{
    struct container c = CONTAINER_INIT;
    plan_init(&c.plan);
    c.live.restart.kind = kind;
    c.status = CONTAINER_EXITED;
    c.start.time = 1000 * CLOCK_SECOND;
    c.finished = c.start.time + ran;
    c.exit_code = exit_code;
    return c;
}

static void test_wanted(void **state)
{
    (void)state;
    static const struct {
        enum restart_kind kind;
        int exit_code;
        bool lost, stopped, wanted, wanted_at_boot;
    } cases[] = {
        {RESTART_NO, 1, false, false, false, false},
        {RESTART_NO, 1, true, false, false, false},
        {RESTART_ON_FAILURE, 0, false, false, false, false},
        {RESTART_ON_FAILURE, 1, false, false, true, true},
        {RESTART_ON_FAILURE, 0, true, false, true, true},
        {RESTART_ON_FAILURE, 1, false, true, false, false},
        {RESTART_ALWAYS, 0, false, false, true, true},
        {RESTART_ALWAYS, 0, false, true, false, true},
        {RESTART_UNLESS_STOPPED, 0, false, false, true, true},
        {RESTART_UNLESS_STOPPED, 0, true, true, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct container c = ended(cases[i].kind, cases[i].exit_code, MS);
        c.lost = cases[i].lost;
        c.live.user_stopped = cases[i].stopped;
        assert_int_equal(restarting_wanted(&c, false), cases[i].wanted);
        assert_int_equal(restarting_wanted(&c, true), cases[i].wanted_at_boot);
        c.status = CONTAINER_RUNNING;
        assert_false(restarting_wanted(&c, true));
    }
}

static void test_bound_and_never_started(void **state)
{
    (void)state;
    struct container c = ended(RESTART_ON_FAILURE, 1, MS);
    c.live.restart.max = 2;
    c.live.restart_count = 1;
    assert_true(restarting_wanted(&c, false));
    c.live.restart_count = 2;
    assert_false(restarting_wanted(&c, false));
    c.live.attempt = c.start.time; /* the second restart is under way, or was cut short */
    assert_true(restarting_wanted(&c, false));
    c.start.time += MS;
    assert_false(restarting_wanted(&c, false));
    c = ended(RESTART_ALWAYS, 0, MS);
    c.status = CONTAINER_CREATED;
    c.start.time = 0;
    assert_false(restarting_wanted(&c, true));
    c.live.failed = 5; /* a restart that failed has left it so */
    assert_true(restarting_wanted(&c, false));
    c.live.failed = 0;
    c.live.attempt = 5; /* and was killed before it has said so */
    assert_true(restarting_wanted(&c, false));
    c.start.time = 7;
    c.live.failed = 6; /* of the restart before the one that succeeded */
    assert_false(restarting_failed(&c));
}

static void test_back_off(void **state)
{
    (void)state;
    struct container c = ended(RESTART_ALWAYS, 1, MS);
    static const uint64_t ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000};
    for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
        assert_true(restarting_delay(&c) == ms[i] * (uint64_t)MS);
        assert_true(restarting_due(&c, c.finished + 1) == c.finished + (int64_t)(ms[i] * MS));
        c.live.delay = restarting_delay(&c);
    }
    c.finished = c.start.time + 10 * CLOCK_SECOND; /* it ran well */
    assert_true(restarting_delay(&c) == 100 * MS);
    c.live.delay = UINT64_MAX; /* as a damaged record may have it */
    c.finished = c.start.time + MS;
    assert_true(restarting_delay(&c) == 60000ULL * MS);
    /* The clock was set back: not for longer than it is told to. */
    assert_true(restarting_due(&c, 5 * CLOCK_SECOND) == 65 * CLOCK_SECOND);
}

static void test_policy_texts(void **state)
{
    (void)state;
    struct err e = {0};
    struct restart_policy p;
    static const char *const good[] = {"no", "on-failure", "on-failure:7", "always", "unless-stopped"};
    char text[RESTART_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        OK(restart_parse(good[i], &p, &e));
        restart_format(&p, text);
        assert_string_equal(text, good[i]);
    }
    OK(restart_parse("", &p, &e));
    assert_int_equal(p.kind, RESTART_NO);
    static const char *const bad[] = {"o",
                                      "Always",
                                      "no:1",
                                      "always:1",
                                      "on-failure:",
                                      "on-failure:-1",
                                      "on-failure:1x",
                                      "on-failure:99999999999",
                                      "on-failure: 1",
                                      ":"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(restart_parse(bad[i], &p, &e), -EINVAL);
}

static void test_live_file(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    struct live live;
    _cleanup_plan_ struct plan p;
    plan_init(&p);
    OK(str_copy("always", &p.restart, &e));
    OK(live_read(s->root, &p, &live, &e)); /* absent: the plan's */
    assert_int_equal(live.restart.kind, RESTART_ALWAYS);
    assert_false(live.user_stopped);
    const struct live written = {.restart = {RESTART_ON_FAILURE, 3},
                                 .user_stopped = true,
                                 .restart_count = 9,
                                 .delay = 800000000,
                                 .failed = 1764000000123456789,
                                 .fail_status = 127,
                                 .attempt = 1764000000123456788};
    OK(live_write(s->root, &written, true, &e));
    OK(live_read(s->root, &p, &live, &e));
    assert_int_equal(live.restart.kind, RESTART_ON_FAILURE);
    assert_int_equal(live.restart.max, 3);
    assert_true(live.user_stopped && live.restart_count == 9 && live.delay == 800000000 &&
                live.failed == written.failed && live.attempt == written.attempt && live.fail_status == 127);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"version\":2}",
                                      "{\"version\":1,\"restart\":\"often\"}",
                                      "{\"version\":1,\"user_stopped\":1}",
                                      "{\"version\":1,\"fail_status\":256}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        OK(io_replace_file_at(s->root, LIVE_FILE, bad[i], strlen(bad[i]), 0600, false, &e));
        assert_true(live_read(s->root, &p, &live, &e) < 0);
    }
}

/* A result at so many seconds after the start; true: the status has changed. */
static bool result(struct health *h, const struct container *c, int64_t second, int code)
{
    struct health_result x = {.start = c->start.time + second * CLOCK_SECOND,
                              .end = c->start.time + second * CLOCK_SECOND + 1,
                              .exit_code = code,
                              .output = strdup("out")};
    return health_add(h, c, &x);
}

static void test_health_states(void **state)
{
    (void)state;
    struct container c = ended(RESTART_NO, 0, 0);
    _cleanup_health_ struct health h = {.status = HEALTH_STARTING};
    c.plan.health_retries = 2;
    c.plan.health_start_period = 10 * CLOCK_SECOND;
    assert_false(result(&h, &c, 5, 1)); /* in the start period: it does not count */
    assert_int_equal(h.streak, 0);
    assert_false(result(&h, &c, 10, 1));
    assert_int_equal(h.streak, 1);
    assert_true(result(&h, &c, 11, -1));
    assert_int_equal(h.status, HEALTH_UNHEALTHY);
    assert_false(result(&h, &c, 12, 1));
    assert_int_equal(h.streak, 3);
    assert_true(result(&h, &c, 13, 0));
    assert_int_equal(h.status, HEALTH_HEALTHY);
    assert_false(result(&h, &c, 14, 0));
    assert_int_equal(h.count, HEALTH_RESULTS);
    assert_int_equal(h.results[0].exit_code, 1); /* the oldest went */
    assert_true(h.results[0].start == c.start.time + 10 * CLOCK_SECOND);
}

static void test_health_files(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    struct container c = ended(RESTART_NO, 0, 0);
    _cleanup_health_ struct health h = {.status = HEALTH_STARTING};
    _cleanup_health_ struct health read = {0};
    c.dir = s->root;
    assert_int_equal(health_status_of(&c), HEALTH_NONE);
    OK(str_list_add(&c.plan.health_test, "CMD", &e));
    OK(str_list_add(&c.plan.health_test, "true", &e));
    assert_int_equal(health_status_of(&c), HEALTH_STARTING);
    assert_true(result(&h, &c, 1, 0));
    OK(health_write(&c, &h, &e));
    assert_int_equal(health_status_of(&c), HEALTH_HEALTHY);
    health_read(&c, &read);
    assert_int_equal(read.count, 1);
    assert_string_equal(read.results[0].output, "out");
    assert_true(health_due(&c, c.start.time + 2 * CLOCK_SECOND) == c.start.time + 31 * CLOCK_SECOND + 1);
    static const char *const bad[] = {"", "\n", "casemate-health 1 0 healthy 0",
                                      "casemate-health 2 0 healthy 0\n"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        OK(io_replace_file_at(s->root, "health.state", bad[i], strlen(bad[i]), 0600, false, &e));
        assert_int_equal(health_status_of(&c), HEALTH_STARTING);
    }
    OK(health_write(&c, &h, &e));
    c.start.time++; /* another run */
    assert_int_equal(health_status_of(&c), HEALTH_STARTING);
    health_clear(&read);
    health_read(&c, &read);
    assert_true(read.count == 0 && read.status == HEALTH_STARTING);
    plan_clear(&c.plan);
}

static void test_one_tender(void **state)
{
    const struct store *s = *state;
    struct err e = {0};
    assert_int_equal(tend_lock_look(s), TEND_LOCK_FREE);
    int lock = tend_lock_take(s, false, &e);
    assert_true(lock >= 0);
    assert_int_equal(tend_lock_look(s), TEND_LOCK_OURS);
    assert_int_equal(tend_lock_take(s, false, &e), -EWOULDBLOCK);
    static const char other[] = "casemate-tend 1 1 1 0.0.0 -\n";
    assert_int_equal(pwrite(lock, other, sizeof(other) - 1, 0), sizeof(other) - 1);
    OK(ftruncate(lock, sizeof(other) - 1));
    assert_int_equal(tend_lock_look(s), TEND_LOCK_OTHER);
    assert_int_equal(pwrite(lock, "garbage", 7, 0), 7);
    assert_int_equal(tend_lock_look(s), TEND_LOCK_OTHER);
    tend_lock_ask_to_end(s); /* nobody that can be named */
    (void)close(lock);
    assert_int_equal(tend_lock_look(s), TEND_LOCK_FREE);
    lock = tend_lock_take(s, true, &e);
    assert_int_equal(tend_lock_look(s), TEND_LOCK_KEPT);
    (void)close(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_bound_and_never_started),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_policy_texts),
        cmocka_unit_test_setup_teardown(test_live_file, temp_store_open, temp_store_close),
        cmocka_unit_test(test_health_states),
        cmocka_unit_test_setup_teardown(test_health_files, temp_store_open, temp_store_close),
        cmocka_unit_test_setup_teardown(test_one_tender, temp_store_open, temp_store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
