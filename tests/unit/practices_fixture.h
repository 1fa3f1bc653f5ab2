/* SPDX-License-Identifier: Apache-2.0 */
/* What the units of the practices share: a plan, a policy, and words for what is expected of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "practices/practice.h"

#define OK(call) assert_int_equal(call, 0)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define IN_CONF " in /test/casemate.conf"
#define T(name) cmocka_unit_test_setup_teardown(name, practices_setup, practices_teardown)

struct fixture {
    struct plan plan;
    struct policy policy;
    struct err e;
};

int practices_setup(void **state);
int practices_teardown(void **state);

/* A machine of 16 GiB and four processors, whatever runs the test. */
void use_policy(struct fixture *f, const char *text);

int apply(struct fixture *f);
void applies(struct fixture *f);

/* Refused by this practice in these words. */
void refuses(struct fixture *f, int practice, const char *message);

void granted(const struct fixture *f, int practice, const char *what, const char *source);
