/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/plan: the plan's JSON form, sysctl names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "plan/device.h"
#include "plan/io.h"
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

/* What update writes replaces limits and grants, and nothing else; what it leaves out is unset. */
static void test_limits(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_plan_ struct plan changed;
    _cleanup_plan_ struct plan p;
    _cleanup_json_ struct json_object *json = NULL;
    fill(&changed);
    changed.memory = 1 << 20;
    changed.pids = PLAN_UNSET;
    changed.cpu_shares = 7;
    OK(str_copy("0-1", &changed.cpuset_cpus, &e));
    OK(plan_limits_to_json(&changed, &json, &e));
    fill(&p);
    p.blkio_weight = 500;
    OK(str_copy("0", &p.cpuset_mems, &e));
    OK(plan_add_grant(&p, 4, "600 processes", "--pids-limit", &e));
    OK(plan_limits_from_json(json, &p, &e));
    assert_int_equal(p.memory, 1 << 20);
    assert_true(p.pids == PLAN_UNSET && p.blkio_weight == PLAN_UNSET);
    assert_int_equal(p.cpu_shares, 7);
    assert_string_equal(p.cpuset_cpus, "0-1");
    assert_null(p.cpuset_mems);
    assert_int_equal(p.grant_count, 1);
    assert_string_equal(p.grants[0].what, "capability CHOWN");
    assert_int_equal(p.mount_count, 2);
    json_object_object_add(json, "version", json_object_new_int(2));
    assert_int_equal(plan_limits_from_json(json, &p, &e), -EPROTONOSUPPORT);
}

/* What practice 5 has judged is read back; nothing leaves /dev. */
static void test_devices(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_str_list_ struct str_list list = {0};
    _cleanup_plan_device_ struct plan_device d = {0};
    _cleanup_free_ char *entry = NULL;
    OK(plan_device_add(&list, "/dev/fuse:/dev/a/b:rm", &e));
    OK(plan_device_parse(list.items[0], &d, &e));
    assert_true(d.read && !d.write && d.type == 0);
    d.type = 'c';
    d.major_number = 10;
    d.minor_number = 229;
    OK(plan_device_format(&d, &entry, &e));
    assert_string_equal(entry, "/dev/fuse:/dev/a/b:r:c:10:229");
    plan_device_clear(&d);
    OK(plan_device_parse(entry, &d, &e));
    assert_true(d.type == 'c' && d.minor_number == 229);
    static const char *const bad[] = {"",
                                      "/dev/x",
                                      "/dev/x:/dev/x",
                                      "/dev/x:/dev/x:q",
                                      "/dev/x:/etc/x:r",
                                      "/dev/x:/dev/a/../../x:r",
                                      "/dev/x:/dev/x:r:c:1",
                                      "/dev/x:/dev/x:r:d:1:1",
                                      "/dev/x:/dev/x:r:c:-1:1",
                                      "/dev/x:/dev/x:r:c:1:4294967296"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct plan_device none = {0};
        assert_true(plan_device_parse(bad[i], &none, &e) < 0);
    }
}

static void test_io(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_plan_io_ struct plan_io io = {0};
    OK(plan_io_parse("write-iops /dev/disk with blanks 5", &io, &e));
    assert_string_equal(io.path, "/dev/disk with blanks");
    assert_true(io.kind == PLAN_IO_WRITE_IOPS && io.number == 5);
    static const char *const bad[] = {
        "", "read-bps", "read-bps 5", "read /dev/x 5", "read-bps /dev/x", "read-bps /dev/x 5m"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct plan_io none = {0};
        assert_true(plan_io_parse(bad[i], &none, &e) < 0);
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
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_empty),   cmocka_unit_test(test_strict),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_devices), cmocka_unit_test(test_io),
        cmocka_unit_test(test_sysctl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
