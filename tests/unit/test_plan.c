/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/plan: the plan's JSON form, sysctl names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "plan/plan.h"
#include "plan/sysctl.h"

#define ID "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

#define OK(call) assert_int_equal(call, 0)

static void fill(struct plan *p)
{
    struct err e = {0};
    plan_init(p);
    OK(str_put(p->id, sizeof(p->id), ID, &e));
    OK(str_copy("web", &p->name, &e));
    OK(str_copy("", &p->user, &e));
    p->created = 1764000000123456789;
    p->profile = PLAN_STRICT;
    p->entrypoint_given = true;
    OK(str_list_add(&p->command, "sh", &e));
    OK(str_list_add(&p->command, "a \"b\"\n\x1b\xc3\xa9", &e));
    OK(str_list_add(&p->env, "A=1", &e));
    p->tty = true;
    p->memory = 1ULL << 40;
    p->pids = PLAN_UNLIMITED;
    p->capabilities = 1ULL << 40;
    struct plan_mount *m = plan_add_mount(p, PLAN_MOUNT_BIND, &e);
    OK(str_copy("/src", &m->source, &e));
    OK(str_copy("/dst", &m->target, &e));
    m->read_only = true;
    m = plan_add_mount(p, PLAN_MOUNT_TMPFS, &e);
    OK(str_copy("/t", &m->target, &e));
    m->mode = 01777;
    m->size = 4096;
    p->ulimits[p->ulimit_count++] = (struct plan_ulimit){"nofile", 10, PLAN_UNLIMITED};
    OK(plan_add_grant(p, 6, "capability CHOWN", "--cap-add CHOWN", &e));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_plan_ struct plan p;
    _cleanup_plan_ struct plan again;
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_json_ struct json_object *read = NULL;
    _cleanup_json_ struct json_object *twice = NULL;
    fill(&p);
    plan_init(&again);
    OK(plan_to_json(&p, &json, &e));
    const char *text = json_object_to_json_string(json);
    OK(json_parse(text, strlen(text), &read, &e));
    if (plan_from_json(read, &again, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(again.id, ID);
    assert_string_equal(again.name, "web");
    assert_string_equal(again.user, "");
    assert_null(again.hostname);
    assert_int_equal(again.created, p.created);
    assert_int_equal(again.profile, PLAN_STRICT);
    assert_string_equal(again.command.items[1], p.command.items[1]);
    assert_int_equal(again.memory, 1ULL << 40);
    assert_true(again.memory_swap == PLAN_UNSET && again.pids == PLAN_UNLIMITED);
    assert_true(again.capabilities == 1ULL << 40);
    assert_int_equal(again.mounts[1].mode, 01777);
    assert_true(again.mounts[0].size == PLAN_UNSET && again.mounts[0].read_only);
    assert_true(again.ulimits[0].hard == PLAN_UNLIMITED);
    assert_string_equal(again.grants[0].source, "--cap-add CHOWN");
    OK(plan_to_json(&again, &twice, &e));
    assert_string_equal(json_object_to_json_string(twice), text);
}

static void test_empty(void **state)
{
    (void)state;
    struct err e = {0};
    struct plan p;
    plan_init(&p);
    assert_true(p.memory == PLAN_UNSET && p.stop_timeout == PLAN_UNSET && p.capabilities == 0);
    for (size_t i = 0; i < PLAN_MOUNTS_MAX; i++)
        assert_non_null(plan_add_mount(&p, PLAN_MOUNT_VOLUME, &e));
    assert_null(plan_add_mount(&p, PLAN_MOUNT_VOLUME, &e));
    assert_int_equal(e.code, E2BIG);
    plan_clear(&p);
    assert_int_equal(p.mount_count, 0);
    OK(str_list_add(&p.env, "A=\xff", &e));
    struct json_object *json = NULL;
    assert_int_equal(plan_to_json(&p, &json, &e), -EILSEQ);
    plan_clear(&p);
}

static void test_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "null",
        "{}",
        "{\"version\":2,\"profile\":\"standard\",\"id\":\"" ID "\"}",
        "{\"version\":1,\"id\":\"" ID "\"}",
        "{\"version\":1,\"profile\":\"odd\",\"id\":\"" ID "\"}",
        "{\"version\":1,\"profile\":\"standard\"}",
        "{\"version\":1,\"profile\":\"standard\",\"id\":\"../../etc\"}",
#define WITH(members) "{\"version\":1,\"profile\":\"standard\",\"id\":\"" ID "\"," members "}"
        WITH("\"tty\":1"),
        WITH("\"name\":{}"),
        WITH("\"command\":[1]"),
        WITH("\"memory\":-1"),
        WITH("\"memory\":\"1\""),
        WITH("\"mounts\":[1]"),
        WITH("\"mounts\":[{}]"),
        WITH("\"mounts\":[{\"type\":\"bind\",\"target\":\"/x\"}]"),
        WITH("\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"x\"}]"),
        WITH("\"mounts\":[{\"type\":\"tmpfs\"}]"),
        WITH("\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"/x\",\"mode\":99999}]"),
        WITH("\"mounts\":[{\"type\":\"tmpfs\",\"target\":\"/x\",\"uid\":4294967296}]"),
        WITH("\"ulimits\":[{}]"),
        WITH("\"ulimits\":[{\"name\":\"a-name-that-is-too-long\"}]"),
        WITH("\"grants\":[{\"practice\":15,\"what\":\"x\",\"source\":\"y\"}]"),
        WITH("\"grants\":[{\"practice\":1}]"),
        WITH("\"image_id\":\"zz\""),
        WITH("\"created\":\"x\""),
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        struct plan p;
        _cleanup_json_ struct json_object *json = NULL;
        OK(json_parse(bad[i], strlen(bad[i]), &json, &e));
        if (plan_from_json(json, &p, &e) == 0)
            fail_msg("accepted %s", bad[i]);
        assert_non_null(str_after(e.text, "plan: "));
    }
}

static void test_sysctl(void **state)
{
    (void)state;
    static const char *const good[] = {"kernel.msgmax=1",
                                       "kernel.sem=250 32000 100 128",
                                       "net.ipv4.ip_forward=1",
                                       "fs.mqueue.msg_max=100",
                                       "net.ipv4.ip_local_port_range=1024 65000",
                                       "kernel.shm_rmid_forced=1"};
    static const char *const refused[] = {"kernel.core_pattern=x",
                                          "kernel.shm_x=1",
                                          "vm.swappiness=1",
                                          "kernel.msgmax.x=1",
                                          "fs.mqueue.=1",
                                          "net.=1",
                                          "kernel=1",
                                          "fs.file-max=1",
                                          "network.x=1"};
    static const char *const malformed[] = {"",
                                            "=",
                                            "=1",
                                            "net.x",
                                            "net.x=",
                                            "kernel.shmmax=1+kernel.core_pattern=/x",
                                            "net.x=1\n",
                                            "net.x=a/b",
                                            "net..x=1",
                                            "net.x/y=1",
                                            "net/x=1",
                                            ".net=1",
                                            "net.x=1+",
                                            "../net.x=1",
                                            "net.x=1\tb",
                                            "net.x =1",
                                            "net.x=\xc3\xa9",
                                            "net.ipv4.=1"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct err e = {0};
        if (sysctl_check(good[i], &e) < 0)
            fail_msg("%s", e.text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct err e = {0};
        assert_true(sysctl_check(refused[i], &e) < 0);
    }
    struct err e = {0};
    assert_int_equal(sysctl_check("kernel.core_pattern=x", &e), -EPERM);
    assert_int_equal(e.practice, 5);
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        if (sysctl_check(malformed[i], &e) != -EINVAL)
            fail_msg("not refused as malformed: %s", malformed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_sysctl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
