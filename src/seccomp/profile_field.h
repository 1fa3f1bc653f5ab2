/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single fields of a system-call profile (profile.h). Internal to src/seccomp. Errors begin with what is wrong; the caller wraps them
 * with the field's name.
 */
#pragma once

#include <json-c/json.h>

#include "seccomp/profile.h"

#define PROFILE_CONDITIONS_MAX 64 /* capabilities or architectures in includes or excludes */
#define PROFILE_ARGS_MAX \
    64 /* conditions of one entry; more than RULE_ARGS_MAX only where they are alternatives */

/* -EINVAL with that text. */
int profile_invalid(struct err *e, const char *what);

/* An object; `strict`: every key of it must stand in `known`, a list that ends with NULL. */
int profile_object(json_object *o, const char *const *known, bool strict, struct err *e);

/* The text of a string value; NULL and an error for anything else, text with a NUL byte inside included. */
const char *profile_string(json_object *o, struct err *e);

/* A whole number from 0 to max. */
int profile_number(json_object *o, uint64_t max, uint64_t *ret_n, struct err *e);

/* The array under `key`; an absent key and null count as an empty one (*ret_array NULL, *ret_n 0). */
int profile_array(json_object *o, const char *key, size_t max, json_object **ret_array, size_t *ret_n,
                  struct err *e);

/* An action plus its data (SECCOMP_RET_*): the number in `ret_key` or the name in `name_key`, EPERM when neither is there. */
int profile_action(json_object *o, const char *action_key, const char *ret_key, const char *name_key,
                   bool runtime, uint32_t *ret_ret, struct err *e);

/* The conditions of an entry, at most PROFILE_ARGS_MAX. *ret_alternatives: one of them is enough, which only the OCI runtime has: it is
 * what runc makes of an argument that is named twice. */
int profile_args(json_object *entry, bool runtime, struct rule_arg *ret_args, unsigned *ret_n,
                 bool *ret_alternatives, struct err *e);

/* "includes" or "excludes" of an entry with moby's meaning: it is used when everything in includes holds, and nothing in excludes. */
int profile_condition(struct rules *r, json_object *entry, const char *key, bool include,
                      const struct profile_target *t, bool *ret_use, struct err *e);
