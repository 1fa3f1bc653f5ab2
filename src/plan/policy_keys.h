/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the policy: what is in memory (policy.c) and the reader of the file's keys (policy_keys.c). */
#pragma once

#include "plan/policy.h"

/* Reads a file of [grant "…"] sections with `capability` keys only; anything else in it is an error. Absent: nothing is added. */
int policy_read_grants(const char *path, struct policy *p, struct err *e);

/* Names of the keys, for the test that each stands in the shipped file and in the manual; NULL behind the last. */
const char *policy_key_name(size_t index);
