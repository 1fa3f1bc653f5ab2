/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/workers/fetch/proxy.c: what NO_PROXY means (as to Docker, that is Go's net/http), and that no error shows a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "workers/fetch/fetch.h"

static bool applies(const char *no_proxy, const char *host)
{
    struct url_parts place = {.https = true};
    (void)snprintf(place.host, sizeof(place.host), "%s", host);
    return proxy_applies(no_proxy, &place);
}

static void test_lists(void **state)
{
    static const struct {
        const char *list, *host;
        bool proxied;
    } rows[] = {
        {"", "registry.example.com", true},
        {"example.com", "example.com", false},
        {"example.com", "registry.example.com", false},
        {"example.com", "example.com:5000", false},
        {"example.com", "notexample.com", true},
        {"example.com", "example.com.evil.org", true},
        {".example.com", "registry.example.com", false},
        {".example.com", "example.com", true},
        {"*.example.com", "a.b.example.com", false},
        {"*.example.com", "example.com", true},
        {"EXAMPLE.com", "example.com", false},
        {"example.com:5000", "example.com:5000", false},
        {"example.com:5000", "example.com", true},
        {"example.com:443", "example.com", false},
        {"other.org , example.com", "example.com", false},
        {" , ,example.com,", "example.com", false},
        {"*", "example.com", false},
        {"*", "192.0.2.7", false},
        {"com", "example.com", false},
        {"192.0.2.7", "192.0.2.7:5000", false},
        {"192.0.2.7", "192.0.2.70", true},
        {"192.0.2.7:5000", "192.0.2.7:5000", false},
        {"192.0.2.7:5000", "192.0.2.7", true},
        {"192.0.2.0/24", "192.0.2.7:5000", false},
        {"192.0.2.0/24", "192.0.3.7", true},
        {"192.0.2.0/23", "192.0.3.7", false},
        {"192.0.2.0/31", "192.0.2.1", false},
        {"192.0.2.0/31", "192.0.2.2", true},
        {"192.0.2.0/33", "192.0.2.2", true},
        {"192.0.2.0/", "192.0.2.0", true},
        {"/8", "10.0.0.1", true},
        {"0.0.0.0/0", "192.0.2.2", false},
        {"0.0.0.0/0", "example.com", true},
        {"10.0.0.0/8", "[2001:db8::1]", true},
        {"2001:db8::1", "[2001:db8::1]:5000", false},
        {"[2001:db8::1]", "[2001:db8:0::1]", false},
        {"[2001:db8::1]:5000", "[2001:db8::1]", true},
        {"[2001:db8::1", "[2001:db8::1]", true},
        {"2001:db8::/33", "[2001:db8:7fff::1]", false},
        {"2001:db8::/33", "[2001:db8:8000::1]", true},
        {"::/0", "[2001:db8::1]", false},
        {"", "localhost:5000", false},
        {"", "127.0.0.1:5000", false},
        {"", "127.9.9.9", false},
        {"", "[::1]:5000", false},
        {"", "localhost.example.com", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (applies(rows[i].list, rows[i].host) != rows[i].proxied)
            fail_msg("NO_PROXY='%s', %s", rows[i].list, rows[i].host);
}

static void test_long_lists(void **state)
{
    char list[sizeof(((struct message_fetch_session *)0)->no_proxy)];
    (void)state;
    memset(list, 'a', sizeof(list) - 1);
    list[sizeof(list) - 1] = '\0';
    assert_true(applies(list, "example.com"));
    (void)snprintf(list + sizeof(list) - 13, 13, ",example.com");
    assert_false(applies(list, "example.com"));
}

static void test_urls(void **state)
{
    static const struct {
        const char *url, *shown; /* NULL: refused */
    } rows[] = {
        {"http://proxy.example.com:3128", "proxy.example.com:3128"},
        {"http://proxy.example.com:3128/", "proxy.example.com:3128"},
        {"proxy:3128", "proxy:3128"},
        {"HTTPS://proxy", "proxy"},
        {"socks5://192.0.2.1:1080", "192.0.2.1:1080"},
        {"http://me:s3cret@proxy:3128", "proxy:3128"},
        {"me:s3cret@proxy:3128", "proxy:3128"},
        {"http://me:s3cr@t@proxy:3128", "proxy:3128"},
        {"http://me:s3cret@[2001:db8::1]:3128", "[2001:db8::1]:3128"},
        {"ftp://me:s3cret@proxy", NULL},
        {"s3cret://proxy", NULL},
        {"http://", NULL},
        {"http://me:s3cret@", NULL},
        {"http://proxy:s3cret", NULL},
        {"http://proxy s3cret", NULL},
        {"http:///s3cret", NULL},
        {"http://[2001:db8::1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char shown[MESSAGE_HOST_MAX];
        struct err e = {0};
        int r = proxy_read(rows[i].url, shown, sizeof(shown), &e);
        if ((r == 0) != (rows[i].shown != NULL) || (r == 0 && !str_equal(shown, rows[i].shown)) ||
            strstr(e.text, "s3cr"))
            fail_msg("%s: %d %s", rows[i].url, r, r == 0 ? shown : e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
