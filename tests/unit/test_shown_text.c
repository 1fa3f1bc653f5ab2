/* SPDX-License-Identifier: Apache-2.0 */
/* Units of what is shown of containers: guessing secrets (plan/secret_text), tables of the network (engine/sockets). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sockets.h"
#include "plan/secret_text.h"

static void test_entries(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "PASSWORD=hunter22",
        "db_password=x9z!",
        "MYSQL_ROOT_PASSWORD=abcd",
        "api-key=0123456",
        "AWS_SECRET_ACCESS_KEY=abcdef",
        "APP.TOKEN=abcdefg",
        "X=AKIAIOSFODNN7EXAMPLE",
        "X=https://u:p4ss@h/",
        "X=-----BEGIN RSA PRIVATE KEY-----\nabc",
        "X=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"};
    static const char *const plain[] = {
        "PASSWORD=",       "PASSWORD",         "PASSWORD=yes",   "PASSWORD_FILE=/run/x", "PASSWORD=/run/x",
        "PASSWORD_MIN=12", "TOKEN_TTL=3600s",  "COMPASS=north",  "KEYBOARD=de-latin1",   "SECRETARY=Ada",
        "TOKENS=12",       "X=https://h/?a=b", "X=https://u@h/", "PATH=/bin:/usr/bin",   "=x",
        "X=eyJ.a.b"};
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
        if (!secret_entry(secrets[i]))
            fail_msg("%s", secrets[i]);
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (secret_entry(plain[i]))
            fail_msg("%s", plain[i]);
}

static void test_hide(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hidden;
    } cases[] = {
        {"", ""},
        {"  plain words\n", "  plain words\n"},
        {"run --password=abcd -v", "run --password=(hidden) -v"},
        {"run --password abcd", "run --password (hidden)"},
        {"run --password --next abcd", "run --password --next abcd"},
        {"DB_TOKEN=abcdef cmd", "DB_TOKEN=(hidden) cmd"},
        {"fetch https://u:pass@h/x y", "fetch (hidden) y"},
        {"--color=auto x=y", "--color=auto x=y"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        char *hidden = NULL;
        assert_int_equal(secret_hide(cases[i].text, &hidden, &e), 0);
        assert_string_equal(hidden, cases[i].hidden);
        free(hidden);
    }
    struct err e = {0};
    _cleanup_str_list_ struct str_list words = {0};
    _cleanup_str_list_ struct str_list hidden = {0};
    assert_int_equal(str_list_split("cmd|--token|two words|x", '|', 8, &words, &e), 0);
    assert_int_equal(secret_hide_words(&words, &hidden, &e), 0);
    assert_string_equal(hidden.items[2], SECRET_HIDDEN);
    assert_string_equal(hidden.items[3], "x");
}

static void check_socket(const struct socket_item *item, const char *local, const char *remote,
                         const char *state)
{
    assert_string_equal(item->local, local);
    assert_string_equal(item->remote, remote);
    assert_string_equal(item->state, state);
}

static void test_sockets(void **state)
{
    (void)state;
    struct err e = {0};
    _cleanup_sockets_ struct sockets s = {0};
    char tcp[] =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 77 1 x\n"
        "   1: 0100007F:1F90 0200007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 78 1 x\n"
        "   2: 0100007:1F90 0200007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 78 1 x\n";
    char tcp6[] = "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A "
                  "00000000:00000000 00:00000000 00000000     0        0 79 1 x\n";
    char names[] = "0000000000000000: 00000002 00000000 00010000 0001 01 80 /run/a b\033.sock\n"
                   "0000000000000000: 00000002 00000000 00000000 0001 03 81\n";
    assert_int_equal(sockets_parse(SOCKETS_TCP, tcp, &s, &e), 0);
    assert_int_equal(sockets_parse(SOCKETS_TCP6, tcp6, &s, &e), 0);
    assert_int_equal(sockets_parse(SOCKETS_UNIX, names, &s, &e), 0);
    assert_int_equal(s.count, 5);
    check_socket(&s.items[0], "127.0.0.1:8080", "", "LISTEN");
    assert_int_equal(s.items[0].uid, 1000);
    assert_int_equal(s.items[0].inode, 77);
    check_socket(&s.items[1], "127.0.0.1:8080", "127.0.0.2:22", "ESTABLISHED");
    check_socket(&s.items[2], "[::1]:80", "", "LISTEN");
    check_socket(&s.items[3], "/run/a b?.sock", "", "LISTEN");
    check_socket(&s.items[4], "", "", "CONNECTED");
}

static void test_routes(void **state)
{
    (void)state;
    struct route routes[4];
    char v4[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    char v6[] = "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
                "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
                "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";
    assert_int_equal(routes_parse(v4, false, routes, ARRAY_SIZE(routes)), 2);
    assert_string_equal(routes[0].destination, "default");
    assert_string_equal(routes[0].gateway, "10.0.0.1");
    assert_string_equal(routes[1].destination, "10.0.0.0/16");
    assert_string_equal(routes[1].gateway, "");
    assert_int_equal(routes_parse(v6, true, routes, ARRAY_SIZE(routes)), 1);
    assert_string_equal(routes[0].destination, "fe80::/64");
    assert_string_equal(routes[0].interface, "eth0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_hide),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
