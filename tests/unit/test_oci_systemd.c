/* SPDX-License-Identifier: Apache-2.0 */
/* The systemd cgroup driver: names of units, properties from annotations, messages of D-Bus. The rest is tests/vm/guest/73-scopes.sh. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "oci/systemd.h"

#define OK(call) assert_int_equal(call, 0)

static void names(void **state)
{
    static const struct {
        const char *path, *id;
        bool user;
        const char *slice, *scope, *error; /* a part of it */
    } rows[] = {
        {NULL, "box", false, "system.slice", "casemate-box.scope", NULL},
        {NULL, "box", true, "user.slice", "casemate-box.scope", NULL},
        {"", "a+b", false, "system.slice", "casemate-a\\x2bb.scope", NULL},
        {"machine.slice:libpod:abc", "x", false, "machine.slice", "libpod-abc.scope", NULL},
        {"a-b.slice:cri-containerd:abc", "x", false, "a-b.slice", "cri-containerd-abc.scope", NULL},
        {":docker:abc", "x", true, "user.slice", "docker-abc.scope", NULL},
        {"system.slice::abc", "x", false, "system.slice", "abc.scope", NULL},
        {"system.slice:p:", "id", false, "system.slice", "p-id.scope", NULL},
        {"-.slice:p:n", "x", false, "-.slice", "p-n.scope", NULL},
        {"system.slice:p:a b/c", "x", false, "system.slice", "p-a\\x20b\\x2fc.scope", NULL},
        {"/docker/abc", "x", false, NULL, NULL, "slice:prefix:name"},
        {"system.slice:p", "x", false, NULL, NULL, "slice:prefix:name"},
        {"system.slice:p:n:m", "x", false, NULL, NULL, "slice:prefix:name"},
        {"system:p:n", "x", false, NULL, NULL, "no name of a slice"},
        {"../x.slice:p:n", "x", false, NULL, NULL, "no name of a slice"},
        {"system.slice:p:n.slice", "x", false, NULL, NULL, "not a slice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err e = {0};
        struct oci_unit u = {0};
        int r = oci_unit_name(rows[i].path, rows[i].id, rows[i].user, &u, &e);
        if (rows[i].error) {
            assert_true(r < 0 && strstr(e.text, rows[i].error));
            continue;
        }
        OK(r);
        assert_string_equal(u.slice, rows[i].slice);
        assert_string_equal(u.scope, rows[i].scope);
    }
}

static void long_names(void **state)
{
    struct err e = {0};
    struct oci_unit u;
    char id[OCI_UNIT_MAX + 1];
    (void)state;
    memset(id, 'a', OCI_UNIT_MAX);
    id[OCI_UNIT_MAX] = '\0';
    assert_int_equal(oci_unit_name(NULL, id, false, &u, &e), -ENAMETOOLONG);
    id[OCI_UNIT_MAX - strlen("casemate-.scope")] = '\0';
    OK(oci_unit_name(NULL, id, false, &u, &e));
    assert_int_equal(strlen(u.scope), OCI_UNIT_MAX);
}

/* What stands behind the name of the property. */
static void value_of(const struct dbus_writer *w, const char **signature, uint64_t *number, const char **text)
{
    const struct buf *b = &w->bytes;
    size_t name = strlen(b->data + 4);
    size_t at = 4 + name + 1;
    *signature = b->data + at + 1;
    at += 1 + strlen(*signature) + 1;
    size_t alignment = strpbrk(*signature, "tx") ? 8 : 4;
    at = (at + alignment - 1) / alignment * alignment;
    *number = 0;
    memcpy(number, b->data + at, alignment == 8 ? 8 : 4);
    *text = b->data + at + 4;
}

static void properties(void **state)
{
    static const struct {
        const char *name, *text, *signature; /* NULL: refused */
        uint64_t number;
        const char *string;
    } rows[] = {
        {"MemoryAccounting", "true", "b", 1, NULL},
        {"MemoryAccounting", "false", "b", 0, NULL},
        {"CPUWeight", "uint64 5", "t", 5, NULL},
        {"OOMScoreAdjust", "-5", "i", 0xfffffffb, NULL},
        {"OOMScoreAdjust", "int64 -5", "x", (uint64_t)-5, NULL},
        {"TimeoutStopSec", "7", "t", 7000000, NULL},
        {"TimeoutStopSec", "uint64 7", "t", 7000000, NULL},
        {"TimeoutStopSec", "1.5", "t", 1500000, NULL},
        {"TimeoutStopUSec", "uint64 9", "t", 9, NULL},
        {"CollectMode", "'inactive'", "s", 8, "inactive"},
        {"CollectMode", "\"in\\\"a\"", "s", 4, "in\"a"},
        {"After", "['a.service', 'b.service']", "as", 30, NULL},
        {"CPUWeight", "", NULL, 0, NULL},
        {"CPUWeight", "5 6", NULL, 0, NULL},
        {"CPUWeight", "uint64 -5", NULL, 0, NULL},
        {"CPUWeight", "uint32 4294967296", NULL, 0, NULL},
        {"CPUWeight", "99999999999", NULL, 0, NULL},
        {"CollectMode", "'open", NULL, 0, NULL},
        {"CollectMode", "word", NULL, 0, NULL},
        {"After", "['a', ", NULL, 0, NULL},
        {"After", "['a' 'b']", NULL, 0, NULL},
        {"After", "['a'] x", NULL, 0, NULL},
        {"TimeoutStopSec", "-1", NULL, 0, NULL},
        {"TimeoutStopSec", "nan", NULL, 0, NULL},
        {"a", "5", NULL, 0, NULL},
        {"CPU Weight", "5", NULL, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err e = {0};
        _cleanup_dbus_writer_ struct dbus_writer w = {.e = &e};
        const char *signature, *text;
        uint64_t number;
        int r = oci_property_parse(&w, rows[i].name, rows[i].text, &e);
        if (!rows[i].signature) {
            assert_int_equal(r, -EINVAL);
            continue;
        }
        OK(r);
        OK(w.result);
        value_of(&w, &signature, &number, &text);
        assert_string_equal(signature, rows[i].signature);
        assert_int_equal(number, rows[i].number);
        if (rows[i].string)
            assert_string_equal(text, rows[i].string);
    }
}

static void messages(void **state)
{
    struct err e = {0};
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = &e};
    _cleanup_buf_ struct buf out = {0};
    struct dbus_message m;
    size_t size;
    (void)state;
    dbus_put_string(&body, "box.scope");
    dbus_put_u32(&body, 5);
    struct dbus_call call = oci_manager_call("StopUnit", "su", &body);
    call.serial = 9;
    OK(dbus_call_write(&call, &out, &e));
    OK(dbus_message_size((const uint8_t *)out.data, &size, &e));
    assert_int_equal(size, out.length);
    OK(dbus_message_read((const uint8_t *)out.data, out.length, &m, &e));
    assert_int_equal(m.type, DBUS_CALL);
    assert_int_equal(m.serial, 9);
    assert_string_equal(m.member, "StopUnit");
    assert_string_equal(m.path, "/org/freedesktop/systemd1");
    assert_string_equal(m.signature, "su");
    struct dbus_reader r = {.bytes = m.body, .length = m.body_length};
    const char *text;
    uint32_t number;
    OK(dbus_get_string(&r, &text, &e));
    OK(dbus_get_u32(&r, &number, &e));
    assert_string_equal(text, "box.scope");
    assert_int_equal(number, 5);
    assert_int_equal(dbus_get_u32(&r, &number, &e), -EBADMSG);
    for (size_t cut = 0; cut < out.length; cut++)
        assert_true(dbus_message_read((const uint8_t *)out.data, cut, &m, &e) < 0);
}

static void what_cannot_be_said(void **state)
{
    struct err e = {0};
    _cleanup_dbus_writer_ struct dbus_writer body = {.e = &e};
    _cleanup_buf_ struct buf out = {0};
    (void)state;
    dbus_put_string(&body, "no UTF-8: \xff");
    struct dbus_call call = oci_manager_call("StopUnit", "s", &body);
    assert_int_equal(dbus_call_write(&call, &out, &e), -EINVAL);
    assert_int_equal(out.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),    cmocka_unit_test(long_names),          cmocka_unit_test(properties),
        cmocka_unit_test(messages), cmocka_unit_test(what_cannot_be_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
