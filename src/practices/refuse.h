/* SPDX-License-Identifier: Apache-2.0 */
/* What the practices' apply functions share: rights, grants, refusals that name what grants just that. */
#pragma once

#include "practices/practice.h"

/* -EPERM: "<fmt>; to allow it, put 'KEY = VALUE' under [practice "ID"] in FILE (practice N)". `line` is "key = value". */
int refuse_by_policy(struct err *e, int practice, const char *line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The right for exactly this value that holds for this image, or NULL. */
const struct policy_right *run_right(const struct practice_run *run, enum policy_right_kind kind,
                                     const char *value);

/* Records a relaxation in the plan. */
int run_grant(struct practice_run *run, int practice, const char *source, struct err *e, const char *what,
              ...) __attribute__((format(printf, 5, 6)));

/* A line that the command prints once. */
int run_note(struct practice_run *run, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "512 MiB", "1.5 GiB", "65536 bytes": exact where it says no fraction. At least SIZE_TEXT bytes. */
#define SIZE_TEXT 32
void size_text(uint64_t bytes, char *ret_text);
