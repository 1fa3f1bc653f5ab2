/* SPDX-License-Identifier: Apache-2.0 */
/* Units of src/image/credentials.c: what is stored is found for its host only, by many threads at once, and malformed entries are refused. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "image/credentials.h"

#define THREADS 4
#define ROUNDS 200
#define HOST "registry.example:5000"
#define PASSWORD "a:long:password-0123456789-0123456789"

static char place[] = "/tmp/casemate-unit-XXXXXX";

static int make_place(void **state)
{
    (void)state;
    char file[64];
    if (!mkdtemp(place))
        return -1;
    (void)snprintf(file, sizeof(file), "%s/auth.json", place);
    (void)setenv("CASEMATE_AUTH", file, 1);
    (void)setenv("DOCKER_CONFIG", place, 1);
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    struct err e = {0};
    return path_remove_tree_at(AT_FDCWD, place, &e);
}

static void store(void)
{
    struct err e = {0};
    struct credentials c = {.user = "tester", .password = PASSWORD};
    assert_true(credentials_store(HOST, &c, &e) >= 0);
}

static void test_stored_is_found(void **state)
{
    (void)state;
    struct err e = {0};
    struct credentials c = {0};
    store();
    assert_int_equal(credentials_find(HOST, &c, &e), 1);
    assert_string_equal(c.user, "tester");
    assert_string_equal(c.password, PASSWORD);
    assert_int_equal(credentials_find("registry.example", &c, &e), 0);
    assert_int_equal(credentials_erase(HOST, &e), 1);
    assert_int_equal(credentials_find(HOST, &c, &e), 0);
}

static void *find_often(void *wrong)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct err e = {0};
        struct credentials c = {0};
        if (credentials_find(HOST, &c, &e) != 1 || strcmp(c.password, PASSWORD) != 0)
            *(int *)wrong += 1;
    }
    return NULL;
}

/* As the threads of one pull do. */
static void test_many_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    store();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_often, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

static void write_auth(const char *auth)
{
    char file[64];
    (void)snprintf(file, sizeof(file), "%s/auth.json", place);
    _cleanup_fclose_ FILE *f = fopen(file, "we");
    assert_non_null(f);
    assert_true(fprintf(f, "{\"auths\": {\"" HOST "\": {\"auth\": \"%s\"}}}", auth) > 0);
}

static void test_malformed(void **state)
{
    (void)state;
    /* not base64; no colon; no user; a NUL in it */
    static const char *const bad[] = {"%%%", "dGVzdGVy", "OnBhc3M=", "YToAYg=="};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        struct credentials c = {0};
        write_auth(bad[i]);
        assert_int_equal(credentials_find(HOST, &c, &e), -EINVAL);
        assert_non_null(strstr(e.text, "base64"));
    }
    struct err e = {0};
    struct credentials c = {0};
    write_auth("YTo="); /* an empty password is one */
    assert_int_equal(credentials_find(HOST, &c, &e), 1);
    assert_string_equal(c.user, "a");
    assert_string_equal(c.password, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_is_found),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
